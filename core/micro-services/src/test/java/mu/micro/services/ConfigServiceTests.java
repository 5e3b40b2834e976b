package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.core.Keyring;
import mu.micro.core.StoreConfig;
import mu.micro.grpc.Errors;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Entry;
import mu.micro.wire.config.ChangeSet;
import mu.micro.wire.config.ConfigGrpc;
import mu.micro.wire.config.DeleteRequest;
import mu.micro.wire.config.GetRequest;
import mu.micro.wire.config.Options;
import mu.micro.wire.config.ReadRequest;
import mu.micro.wire.config.SetRequest;
import mu.micro.wire.config.Value;
import mu.micro.wire.config.WatchRequest;
import mu.micro.wire.config.WatchResponse;
import mu.micro.wire.errors.Error;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

@Timeout(60)
class ConfigServiceTests {

	private static final String MARKER = "hunter2-marker";

	private static final Clock CLOCK = Clock.fixed(Instant.ofEpochSecond(1_700_000_000), ZoneOffset.UTC);

	private final MemoryDatabases databases = new MemoryDatabases();

	private final StoreConfig config = new StoreConfig(this.databases,
			Keyring.of(List.of(Base64.getEncoder().encodeToString(new byte[32]))));

	private final Config mine = this.config.in("micro");

	private final ConfigService service = new ConfigService(this.config, "micro", CLOCK, 2);

	private final List<ClientCall<?, ?>> calls = new ArrayList<>();

	private Server server;

	private ManagedChannel channel;

	private ConfigGrpc.ConfigBlockingStub stub;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(this.service)
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.build();
		this.stub = ConfigGrpc.newBlockingStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.calls.forEach((call) -> call.cancel("over", null));
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.config.close();
		this.databases.close();
	}

	@Test
	void valuesAreJson() {
		set("a", "{ \"b\": 1.10, \"c\": [\"<x>\", null], \"d\": \"ü\" }");
		Value value = this.stub.get(get("a")).getValue();
		assertThat(value.getData()).isEqualTo("{\"b\":1.10,\"c\":[\"<x>\",null],\"d\":\"ü\"}");
		assertThat(value.getFormat()).isEqualTo("json");
		assertThat(data("a.b")).isEqualTo("1.10");
		assertThat(data("a.d")).isEqualTo("\"ü\"");
		assertThat(data("")).isEqualTo("{\"a\":{\"b\":1.10,\"c\":[\"<x>\",null],\"d\":\"ü\"}}");
		set("", "{\"a\":{\"b\":true}}");
		assertThat(data("a")).isEqualTo("{\"b\":true,\"c\":[\"<x>\",null],\"d\":\"ü\"}");
	}

	@Test
	void whatIsNotThereIsNotFound() {
		StatusRuntimeException ex = failure(() -> this.stub.get(get("a.b")));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		Error error = Errors.read("", ex.getStatus(), ex.getTrailers());
		assertThat(error.getId()).isEqualTo("config");
		assertThat(error.getCode()).isEqualTo(404);
		assertThat(error.getDetail()).contains("'a.b' not found", "'micro'");
		assertThat(refused(() -> this.stub.get(get("")))).isEqualTo(Status.Code.NOT_FOUND);
	}

	@Test
	void deletingRemovesAndSaysWhetherThereWasSomething() {
		set("a", "{\"b\":1,\"c\":2}");
		assertThat(delete("a.b")).isTrue();
		assertThat(delete("a.b")).isFalse();
		assertThat(data("")).isEqualTo("{\"a\":{\"c\":2}}");
		assertThat(delete("")).isTrue();
		assertThat(refused(() -> this.stub.get(get("")))).isEqualTo(Status.Code.NOT_FOUND);
	}

	@Test
	void aSecretIsEncryptedAndOnlyReadByWhoAsksForIt() {
		Options secret = Options.newBuilder().setSecret(true).build();
		this.stub.set(request("db.password", "\"" + MARKER + "\"").toBuilder().setOptions(secret).build());
		set("db.port", "5432");
		assertThat(data("db.password")).isEqualTo("\"[secret]\"");
		assertThat(data("db")).isEqualTo("{\"password\":\"[secret]\",\"port\":5432}");
		assertThat(this.stub.get(get("db").toBuilder().setOptions(secret).build()).getValue().getData())
			.isEqualTo("{\"password\":\"" + MARKER + "\",\"port\":5432}");
		Entry entry = this.databases.in("micro").table(StoreConfig.TABLE).get(StoreConfig.KEY);
		assertThat(new String(entry.value(), StandardCharsets.UTF_8)).contains("5432").doesNotContain(MARKER);
	}

	@Test
	@SuppressWarnings("deprecation")
	void readIsGetWithMoreAroundIt() {
		this.mine.set("a.b", Json.of(MARKER), true);
		this.mine.set("a.c", Json.of(1), false);
		ReadRequest request = ReadRequest.newBuilder().setPath("a").build();
		assertThat(this.stub.read(request).getChange().getNamespace()).isEqualTo("micro");
		assertThat(this.stub.read(request).getChange().getPath()).isEqualTo("a");
		ChangeSet set = this.stub.read(request).getChange().getChangeSet();
		assertThat(set.getData()).isEqualTo("{\"b\":\"[secret]\",\"c\":1}");
		assertThat(set.getFormat()).isEqualTo("json");
		assertThat(set.getSource()).isEqualTo("config");
		assertThat(set.getTimestamp()).isEqualTo(1_700_000_000);
		assertThat(set.getChecksum()).hasSize(64);
		this.mine.set("a.c", Json.of(2), false);
		assertThat(this.stub.read(request).getChange().getChangeSet().getChecksum()).isNotEqualTo(set.getChecksum());
		assertThat(refused(() -> this.stub.read(ReadRequest.newBuilder().setPath("x").build())))
			.isEqualTo(Status.Code.NOT_FOUND);
	}

	@Test
	void aNamespaceIsSaidInTheRequestAndIsTheServersOwnOtherwise() {
		set("a", "1");
		this.stub.set(request("a", "2").toBuilder().setNamespace("elsewhere").build());
		assertThat(data("a")).isEqualTo("1");
		assertThat(this.stub.get(get("a").toBuilder().setNamespace("elsewhere").build()).getValue().getData())
			.isEqualTo("2");
		assertThat(this.mine.get("a", false)).isEqualTo(Json.of(1));
		this.stub.delete(DeleteRequest.newBuilder().setNamespace("elsewhere").setPath("a").build());
		assertThat(data("a")).isEqualTo("1");
		assertThat(this.databases.names()).containsExactly("micro");
		assertThat(refused(() -> this.stub.get(get("a").toBuilder().setNamespace("n".repeat(201)).build())))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void whatIsWrongIsRefusedAndNotQuoted() {
		for (SetRequest request : List.of(request("a", MARKER), request("a", "\"" + MARKER), request("a", ""),
				SetRequest.newBuilder().setPath("a").build(), request("", "\"" + MARKER + "\""),
				request("a..b", "\"" + MARKER + "\""), request("a", "{\"b.c\":\"" + MARKER + "\"}"),
				request("a", "[".repeat(1000)), request("a", "\"" + MARKER.repeat(100_000) + "\""))) {
			for (boolean secret : new boolean[] { false, true }) {
				StatusRuntimeException ex = failure(() -> this.stub
					.set(request.toBuilder().setOptions(Options.newBuilder().setSecret(secret)).build()));
				assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
				assertThat(ex.getStatus() + " " + ex.getTrailers()).doesNotContain("hunter2");
			}
		}
		SetRequest yaml = request("a", "1").toBuilder()
			.setValue(Value.newBuilder().setData("1").setFormat("yaml"))
			.build();
		StatusRuntimeException ex = failure(() -> this.stub.set(yaml));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(ex.getStatus().getDescription()).contains("'yaml'", "json");
		assertThat(refused(() -> this.stub.get(get("a.")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(refused(() -> delete("."))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(this.databases.names()).isEmpty();
	}

	@Test
	void aWatchTellsWhatIsThereAtOnceAndAfterEachChange() {
		Watcher watcher = watch(WatchRequest.newBuilder().setPath("a").build(), 100);
		await(() -> watcher.results.size() == 1);
		assertThat(watcher.results.get(0).hasValue()).isFalse();
		set("a.b", "1");
		await(() -> watcher.results.size() == 2);
		assertThat(watcher.results.get(1).getValue().getData()).isEqualTo("{\"b\":1}");
		assertThat(watcher.results.get(1).getValue().getFormat()).isEqualTo("json");
		set("b", "2");
		this.mine.set("a.c", Json.of(MARKER), true);
		await(() -> watcher.results.size() == 3);
		assertThat(watcher.results.get(2).getValue().getData()).isEqualTo("{\"b\":1,\"c\":\"[secret]\"}");
		delete("a");
		await(() -> watcher.results.size() == 4);
		assertThat(watcher.results.get(3).hasValue()).isFalse();
	}

	@Test
	void aWatchTellsSecretsToWhoAsksForThem() {
		Options secret = Options.newBuilder().setSecret(true).build();
		WatchRequest request = WatchRequest.newBuilder().setNamespace("elsewhere").setOptions(secret).build();
		Watcher watcher = watch(request, 100);
		this.config.in("elsewhere").set("a", Json.of(MARKER), true);
		await(() -> !watcher.results.isEmpty()
				&& watcher.last().getValue().getData().equals("{\"a\":\"" + MARKER + "\"}"));
	}

	@Test
	void aSlowClientGetsTheLastStateAndNothingPilesUp() {
		Watcher watcher = watch(WatchRequest.newBuilder().setPath("a").build(), 0);
		String filler = "x".repeat(50_000);
		for (int i = 1; i <= 300; i++) {
			this.mine.set("a", Json.of(Map.of("filler", Json.of(filler), "number", Json.of(i))), false);
		}
		watcher.call.request(1000);
		await(() -> !watcher.results.isEmpty() && watcher.last().getValue().getData().endsWith("\"number\":300}"));
		assertThat(watcher.results).hasSizeLessThan(100);
	}

	@Test
	void aWatchOfWhatIsNoPathIsRefused() {
		Watcher watcher = watch(WatchRequest.newBuilder().setPath("a..b").build(), 1);
		await(() -> watcher.status.get() != null);
		assertThat(watcher.status.get().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void theNumberOfWatchesHasALimit() {
		Watcher one = watch(WatchRequest.newBuilder().setPath("a").build(), 1);
		Watcher two = watch(WatchRequest.newBuilder().setPath("a").build(), 1);
		await(() -> one.results.size() == 1 && two.results.size() == 1);
		Watcher three = watch(WatchRequest.newBuilder().setPath("a").build(), 1);
		await(() -> three.status.get() != null);
		assertThat(three.status.get().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		one.call.cancel("enough", null);
		await(() -> {
			Watcher next = watch(WatchRequest.newBuilder().setPath("a").build(), 1);
			await(() -> next.status.get() != null || next.results.size() == 1);
			return next.results.size() == 1;
		});
	}

	@Test
	void watchesEndWhenTheServerIsAboutToStopAndAreTakenWhenItIsStartedAgain() throws Exception {
		Watcher watcher = watch(WatchRequest.getDefaultInstance(), 10);
		await(() -> watcher.results.size() == 1);
		this.service.endWatches();
		await(() -> watcher.status.get() != null);
		assertThat(watcher.status.get().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		Watcher late = watch(WatchRequest.getDefaultInstance(), 10);
		await(() -> late.status.get() != null);
		set("a", "1");
		this.service.resumeWatches();
		Watcher again = watch(WatchRequest.getDefaultInstance(), 10);
		await(() -> again.results.size() == 1);
		this.service.endWatches();
		assertThat(this.server.shutdown().awaitTermination(5, TimeUnit.SECONDS)).isTrue();
	}

	private Watcher watch(WatchRequest request, int wanted) {
		ClientCall<WatchRequest, WatchResponse> call = this.channel.newCall(ConfigGrpc.getWatchMethod(),
				CallOptions.DEFAULT);
		this.calls.add(call);
		Watcher watcher = new Watcher(call);
		call.start(watcher, new Metadata());
		call.sendMessage(request);
		call.halfClose();
		if (wanted > 0) {
			call.request(wanted);
		}
		return watcher;
	}

	private void set(String path, String data) {
		this.stub.set(request(path, data));
	}

	private String data(String path) {
		return this.stub.get(get(path)).getValue().getData();
	}

	private boolean delete(String path) {
		return this.stub.delete(DeleteRequest.newBuilder().setPath(path).build()).getFound();
	}

	private static SetRequest request(String path, String data) {
		return SetRequest.newBuilder().setPath(path).setValue(Value.newBuilder().setData(data)).build();
	}

	private static GetRequest get(String path) {
		return GetRequest.newBuilder().setPath(path).build();
	}

	private static StatusRuntimeException failure(Runnable call) {
		return catchThrowableOfType(StatusRuntimeException.class, call::run);
	}

	private static Status.Code refused(Runnable call) {
		StatusRuntimeException ex = failure(call);
		return (ex != null) ? ex.getStatus().getCode() : Status.Code.OK;
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(10))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

	/**
	 * A client that takes as many results as it asked for.
	 */
	private static final class Watcher extends ClientCall.Listener<WatchResponse> {

		private final ClientCall<WatchRequest, WatchResponse> call;

		private final List<WatchResponse> results = new CopyOnWriteArrayList<>();

		private final AtomicReference<Status> status = new AtomicReference<>();

		Watcher(ClientCall<WatchRequest, WatchResponse> call) {
			this.call = call;
		}

		@Override
		public void onMessage(WatchResponse result) {
			this.results.add(result);
		}

		@Override
		public void onClose(Status ended, Metadata trailers) {
			this.status.set(ended);
		}

		WatchResponse last() {
			return this.results.get(this.results.size() - 1);
		}

	}

}
