package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import mu.micro.Limits;
import mu.micro.grpc.Errors;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Databases;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.tck.TestClock;
import mu.micro.wire.store.ApplyRequest;
import mu.micro.wire.store.Condition;
import mu.micro.wire.store.DatabaseGrpc;
import mu.micro.wire.store.Entry;
import mu.micro.wire.store.GetRequest;
import mu.micro.wire.store.NamesRequest;
import mu.micro.wire.store.PageRequest;
import mu.micro.wire.store.PageResponse;
import mu.micro.wire.store.SnapshotRequest;
import mu.micro.wire.store.SnapshotResponse;
import mu.micro.wire.store.TableNamesRequest;
import mu.micro.wire.store.WatchRequest;
import mu.micro.wire.store.WatchResponse;
import mu.micro.wire.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class DatabaseServiceTests {

	private static final int MAX_MESSAGE = 32 * 1024 * 1024;

	private final TestClock clock = new TestClock();

	private final MemoryDatabases memory = new MemoryDatabases(this.clock);

	private final CountedDatabases databases = new CountedDatabases(this.memory);

	private final Store table = this.databases.in("micro").table("t");

	private final List<ClientCall<?, ?>> calls = new ArrayList<>();

	private DatabaseService service = new DatabaseService(this.databases, "micro", Duration.ofSeconds(30), 3);

	private Server server;

	private ManagedChannel channel;

	private DatabaseGrpc.DatabaseBlockingStub stub;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(this.service)
			.maxInboundMessageSize(MAX_MESSAGE)
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.maxInboundMessageSize(MAX_MESSAGE)
			.build();
		this.stub = DatabaseGrpc.newBlockingStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.calls.forEach((call) -> call.cancel("over", null));
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.databases.close();
	}

	private void serve(Databases served, Duration patience) throws Exception {
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.service = new DatabaseService(served, "micro", patience, 3);
		startServer();
	}

	@Test
	void whatIsAppliedIsGot() {
		long revision = apply(put("a", "1").setTtlMs(1500).putMetadata("k", "v").putMetadata("ü", "€")).get(0);
		Entry entry = this.stub.get(get("a")).getEntry();
		assertThat(entry).isEqualTo(Entry.newBuilder()
			.setKey("a")
			.setValue(ByteString.copyFromUtf8("1"))
			.setRevision(revision)
			.putMetadata("k", "v")
			.putMetadata("ü", "€")
			.setExpires(this.clock.millis() + 1500)
			.build());
		assertThat(this.stub.get(get("b")).hasEntry()).isFalse();
		apply(put("a", "2"));
		assertThat(this.stub.get(get("a")).getEntry().getExpires()).isZero();
	}

	@Test
	void aBatchIsDoneWholeOrNotAtAll() {
		List<Long> revisions = apply(put("a", "1"), put("b", "1").setTable("other"), delete("c"));
		assertThat(revisions.get(1)).isGreaterThan(revisions.get(0));
		assertThat(revisions.get(2)).isZero();
		StatusRuntimeException ex = failure(() -> apply(put("d", "1"),
				put("a", "2").setCondition(Condition.newBuilder().setRevision(revisions.get(0) + 1))));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.ALREADY_EXISTS);
		assertThat(Errors.read("", ex.getStatus(), ex.getTrailers()).getId()).isEqualTo("store");
		assertThat(this.stub.get(get("d")).hasEntry()).isFalse();
		apply(put("d", "1").setCondition(Condition.newBuilder().setAbsent(true)),
				delete("a").setCondition(Condition.newBuilder().setRevision(revisions.get(0))));
		assertThat(this.stub.get(get("a")).hasEntry()).isFalse();
		assertThat(this.stub.tables(TableNamesRequest.getDefaultInstance()).getTablesList()).containsExactly("other",
				"t");
	}

	@Test
	void aWriteThatDoesNotSayWhatItIsIsRefused() {
		apply(put("a", "1"));
		for (Write.Builder wrong : List.of(Write.newBuilder().setTable("t").setKey("a"), delete("a").setDelete(false),
				put("a", "2").setCondition(Condition.getDefaultInstance()),
				put("a", "2").setCondition(Condition.newBuilder().setAbsent(false)),
				put("a", "2").setCondition(Condition.newBuilder().setRevision(0)), put("a", "2").setTtlMs(-1),
				put("a", "2").setTtlMs(Long.MAX_VALUE), delete("a").setTtlMs(1), delete("a").putMetadata("k", "v"),
				put("a", "2").setTable(""), put("", "2"), put("k".repeat(Limits.KEY + 1), "2"),
				put("a", "2").putMetadata("k", "v".repeat(Limits.METADATA)))) {
			assertThat(refused(() -> apply(wrong))).as(wrong.toString()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		assertThat(refused(() -> apply(put("a", "2"), put("a", "3")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(refused(() -> apply())).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(this.stub.get(get("a")).getEntry().getValue().toStringUtf8()).isEqualTo("1");
	}

	@Test
	void aValueAtItsLimitPasses() {
		byte[] value = new byte[Limits.VALUE];
		value[value.length - 1] = 1;
		apply(put("a", "").setValue(ByteString.copyFrom(value)), put("b", "").setValue(ByteString.copyFrom(value)));
		assertThat(this.stub.get(get("b")).getEntry().getValue().toByteArray()).isEqualTo(value);
		assertThat(this.stub.list(page()).getEntriesCount()).isEqualTo(2);
	}

	@Test
	void aPageIsWhatItsQuerySays() {
		for (String key : List.of("a%1", "a%2", "a%3", "ab", "b1")) {
			apply(put(key, key).putMetadata("k", "v"));
		}
		PageResponse all = this.stub.list(page());
		assertThat(keys(all)).containsExactly("a%1", "a%2", "a%3", "ab", "b1");
		assertThat(all.getMore()).isFalse();
		assertThat(all.getRevision()).isEqualTo(all.getEntries(4).getRevision());
		PageResponse some = this.stub.list(page().toBuilder().setPrefix("a%").setLimit(2).build());
		assertThat(keys(some)).containsExactly("a%1", "a%2");
		assertThat(some.getMore()).isTrue();
		assertThat(keys(this.stub.list(page().toBuilder().setPrefix("a%").setAfter("a%2").build())))
			.containsExactly("a%3");
		assertThat(keys(this.stub.list(page().toBuilder().setDescending(true).setOffset(1).setLimit(2).build())))
			.containsExactly("ab", "a%3");
		Entry entry = this.stub.list(page().toBuilder().setSuffix("1").setKeysOnly(true).build()).getEntries(0);
		assertThat(entry.getKey()).isEqualTo("a%1");
		assertThat(entry.getValue().isEmpty()).isTrue();
		assertThat(entry.getMetadataMap()).isEmpty();
		assertThat(entry.getRevision()).isPositive();
		for (PageRequest wrong : List.of(page().toBuilder().setLimit(Limits.PAGE + 1).build(),
				page().toBuilder().setLimit(-1).build(), page().toBuilder().setOffset(-1).build(),
				page().toBuilder().setTable("").build())) {
			assertThat(refused(() -> this.stub.list(wrong))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
	}

	@Test
	void aNamespaceThatIsLeftOutIsTheServersOwn() {
		apply(put("a", "1"));
		this.stub.apply(ApplyRequest.newBuilder().setNamespace("other").addWrites(put("b", "1")).build());
		assertThat(this.stub.get(get("b")).hasEntry()).isFalse();
		assertThat(this.stub.get(get("b").toBuilder().setNamespace("other").build()).hasEntry()).isTrue();
		assertThat(keys(this.stub.list(page().toBuilder().setNamespace("other").build()))).containsExactly("b");
		assertThat(this.stub.tables(TableNamesRequest.newBuilder().setNamespace("no").build()).getTablesList())
			.isEmpty();
		assertThat(this.stub.names(NamesRequest.getDefaultInstance()).getNamespacesList()).containsExactly("micro",
				"other");
		assertThat(refused(() -> this.stub.get(get("b").toBuilder().setNamespace(" ").build())))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void aWatchStandsFirstAndThenTellsTheChanges() {
		long first = apply(put("a", "1")).get(0);
		Taker<WatchResponse> watch = watch(WatchRequest.newBuilder().setTable("t").setPrefix("a").build());
		watch.take(Integer.MAX_VALUE);
		await(() -> watch.messages.size() == 2);
		assertThat(watch.messages.get(0).getToldCase()).isEqualTo(WatchResponse.ToldCase.STANDING);
		assertThat(watch.messages.get(1).getPut()).isEqualTo(this.stub.get(get("a")).getEntry());
		apply(put("b", "1"), put("a", "1").setTable("other"));
		long second = apply(put("aa", "1").setTtlMs(10)).get(0);
		await(() -> watch.messages.size() == 3);
		assertThat(watch.messages.get(2).getPut().getRevision()).isEqualTo(second);
		long third = apply(delete("a")).get(0);
		await(() -> watch.messages.size() == 4);
		assertThat(watch.messages.get(3).getDeleted().getKey()).isEqualTo("a");
		assertThat(watch.messages.get(3).getDeleted().getRevision()).isEqualTo(third).isGreaterThan(first);
		this.clock.advance(Duration.ofMillis(10));
		await(() -> watch.messages.size() == 5);
		assertThat(watch.messages.get(4).getExpired().getKey()).isEqualTo("aa");
		assertThat(watch.messages.get(4).getExpired().getRevision()).isGreaterThan(third);
	}

	@Test
	void aWatchBeginsAfterItsRevision() {
		long first = apply(put("a", "1")).get(0);
		apply(put("b", "1"));
		Taker<WatchResponse> watch = watch(WatchRequest.newBuilder().setTable("t").setAfterRevision(first).build());
		watch.take(Integer.MAX_VALUE);
		await(() -> watch.messages.size() == 2);
		assertThat(watch.messages.get(1).getPut().getKey()).isEqualTo("b");
		for (WatchRequest wrong : List.of(WatchRequest.newBuilder().setTable("t").setAfterRevision(-1).build(),
				WatchRequest.getDefaultInstance(), WatchRequest.newBuilder().setTable("t").setStandingMs(999).build(),
				WatchRequest.newBuilder().setTable("t").setStandingMs(600_001).build(),
				WatchRequest.newBuilder().setTable("t").setPrefix("k".repeat(Limits.KEY + 1)).build())) {
			assertThat(refused(() -> this.stub.watch(wrong).next())).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		assertThat(this.databases.watches()).isEqualTo(1);
	}

	@Test
	void aWatchThatBeginsTooFarBackHasLagged() {
		Taker<WatchResponse> watch = watch(WatchRequest.newBuilder().setTable("t").setAfterRevision(1).build());
		watch.take(Integer.MAX_VALUE);
		await(() -> watch.messages.size() == 2);
		assertThat(watch.messages.get(1).getLagged().getRevision()).isGreaterThan(1);
	}

	@Test
	void aWatchSaysAgainThatItStandsAndHowFarItIs() {
		long before = apply(put("other", "1")).get(0);
		Taker<WatchResponse> watch = watch(
				WatchRequest.newBuilder().setTable("t").setPrefix("quiet").setStandingMs(1000).build());
		watch.take(Integer.MAX_VALUE);
		await(() -> watch.messages.size() == 1);
		assertThat(watch.messages.get(0).getStanding().getRevision()).isZero();
		await(() -> watch.messages.size() == 3);
		assertThat(watch.messages).allMatch(WatchResponse::hasStanding);
		assertThat(watch.messages.get(2).getStanding().getRevision()).isEqualTo(before);
	}

	@Test
	void nothingIsHeldForAClientThatIsSlow() {
		Taker<WatchResponse> watch = watch(WatchRequest.newBuilder().setTable("t").setStandingMs(1000).build());
		watch.take(1);
		await(() -> watch.messages.size() == 1);
		byte[] large = new byte[256 * 1024];
		for (int i = 0; i < 200; i++) {
			this.table.put("key-" + (i % 100), large);
		}
		long last = this.table.put("last", new byte[0]);
		// The connection holds a megabyte.
		Awaitility.await()
			.during(Duration.ofSeconds(1))
			.atMost(Duration.ofSeconds(15))
			.until(() -> this.databases.told() < 10);
		watch.take(Integer.MAX_VALUE);
		await(() -> watch.messages.get(watch.messages.size() - 1).getPut().getRevision() == last);
		List<Long> revisions = watch.messages.stream()
			.filter(WatchResponse::hasPut)
			.map((message) -> message.getPut().getRevision())
			.toList();
		assertThat(revisions).isSorted().doesNotHaveDuplicates().hasSizeLessThan(120);
		this.table.list(Query.ALL).entries().forEach((entry) -> assertThat(revisions).contains(entry.revision()));
	}

	@Test
	void aClientThatTakesNothingIsGivenUp() throws Exception {
		serve(this.databases, Duration.ofMillis(300));
		Taker<WatchResponse> watch = watch(WatchRequest.newBuilder().setTable("t").build());
		Taker<WatchResponse> quiet = watch(WatchRequest.newBuilder().setTable("quiet").build());
		watch.take(1);
		quiet.take(1);
		await(() -> this.databases.watches() == 2);
		byte[] large = new byte[1024 * 1024];
		for (int i = 0; i < 20; i++) {
			this.table.put("key-" + i, large);
		}
		await(() -> this.databases.watches() == 1);
		watch.take(Integer.MAX_VALUE);
		await(() -> watch.status.get() != null);
		assertThat(watch.status.get().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(watch.status.get().getDescription()).contains("300 ms", "read as it comes");
		assertThat(quiet.status.get()).isNull();
	}

	@Test
	void aWatchThatWaitsForAClientWhoHasGoneIsClosed() {
		Taker<WatchResponse> watch = watch(WatchRequest.newBuilder().setTable("t").build());
		watch.take(1);
		await(() -> watch.messages.size() == 1);
		this.table.put("a", new byte[Limits.VALUE]);
		this.table.put("b", new byte[Limits.VALUE]);
		this.table.put("c", new byte[Limits.VALUE]);
		this.table.put("d", new byte[Limits.VALUE]);
		watch.call.cancel("enough", null);
		await(() -> this.databases.watches() == 0);
	}

	@Test
	void watchesAreBounded() {
		List<Taker<WatchResponse>> watches = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			Taker<WatchResponse> watch = watch(WatchRequest.newBuilder().setTable("t").build());
			watch.take(1);
			await(() -> watch.messages.size() == 1);
			watches.add(watch);
		}
		WatchRequest request = WatchRequest.newBuilder().setTable("t").build();
		assertThat(refused(() -> this.stub.watch(request).next())).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(this.databases.watches()).isEqualTo(3);
		watches.get(0).call.cancel("enough", null);
		await(() -> this.databases.watches() == 2);
		Taker<WatchResponse> another = watch(request);
		another.take(1);
		await(() -> another.messages.size() == 1);
	}

	@Test
	void whileTheServerDrainsThereAreNoWatches() {
		WatchRequest request = WatchRequest.newBuilder().setTable("t").build();
		Taker<WatchResponse> watch = watch(request);
		watch.take(Integer.MAX_VALUE);
		await(() -> watch.messages.size() == 1);
		this.service.endWatches();
		this.service.endWatches();
		await(() -> watch.status.get() != null);
		assertThat(watch.status.get().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		assertThat(watch.status.get().getDescription()).contains("store is shutting down");
		assertThat(this.databases.watches()).isZero();
		assertThat(refused(() -> this.stub.watch(request).next())).isEqualTo(Status.Code.UNAVAILABLE);
		apply(put("a", "1"));
		this.service.resumeWatches();
		Taker<WatchResponse> again = watch(request);
		again.take(Integer.MAX_VALUE);
		await(() -> again.messages.size() == 2);
		this.service.close();
		this.service.close();
		await(() -> again.status.get() != null);
		this.service.resumeWatches();
		assertThat(refused(() -> this.stub.watch(request).next())).isEqualTo(Status.Code.UNAVAILABLE);
	}

	@Test
	void aSnapshotHasEveryEntryOfEveryTableAndTheRevisionAtItsEnd() {
		long last = fill(3000, 100);
		apply(put("a", "1").setTable("s").putMetadata("k", "v"));
		List<SnapshotResponse> messages = new ArrayList<>();
		this.stub.snapshot(SnapshotRequest.getDefaultInstance()).forEachRemaining(messages::add);
		assertThat(messages.size()).isGreaterThan(1);
		List<String> keys = messages.stream()
			.flatMap((message) -> message.getEntriesList().stream())
			.map((entry) -> entry.getTable() + " " + entry.getEntry().getKey())
			.toList();
		assertThat(keys).hasSize(3001).isSorted();
		assertThat(messages.get(0).getEntries(0).getEntry().getMetadataMap()).isEqualTo(Map.of("k", "v"));
		assertThat(messages.subList(0, messages.size() - 1)).noneMatch(SnapshotResponse::hasRevision);
		assertThat(messages.get(messages.size() - 1).getRevision()).isGreaterThan(last);
		Iterator<SnapshotResponse> none = this.stub
			.snapshot(SnapshotRequest.newBuilder().setNamespace("empty").build());
		assertThat(none.next().hasRevision()).isTrue();
		assertThat(none.hasNext()).isFalse();
		assertThat(refused(() -> this.stub.snapshot(SnapshotRequest.newBuilder().setNamespace(" ").build()).next()))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void aSnapshotIsReadAsFastAsItIsTaken() {
		fill(2000, 20_000);
		Taker<SnapshotResponse> snapshot = call(DatabaseGrpc.getSnapshotMethod(), SnapshotRequest.getDefaultInstance());
		snapshot.take(1);
		await(() -> snapshot.messages.size() == 1);
		// Of 40 MB the connection holds one.
		Awaitility.await()
			.during(Duration.ofMillis(500))
			.atMost(Duration.ofSeconds(15))
			.until(() -> this.databases.handedOver() < 200);
		snapshot.take(Integer.MAX_VALUE);
		await(() -> snapshot.status.get() != null);
		assertThat(snapshot.status.get().isOk()).isTrue();
		assertThat(snapshot.messages.stream().mapToInt(SnapshotResponse::getEntriesCount).sum()).isEqualTo(2000);
		assertThat(snapshot.messages.get(snapshot.messages.size() - 1).hasRevision()).isTrue();
	}

	@Test
	void aSnapshotThatNobodyTakesIsGivenUp() throws Exception {
		fill(2000, 20_000);
		serve(this.databases, Duration.ofMillis(300));
		Taker<SnapshotResponse> snapshot = call(DatabaseGrpc.getSnapshotMethod(), SnapshotRequest.getDefaultInstance());
		snapshot.take(1);
		await(() -> snapshot.messages.size() == 1 && this.databases.snapshots() == 0);
		snapshot.take(Integer.MAX_VALUE);
		await(() -> snapshot.status.get() != null);
		assertThat(snapshot.status.get().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(snapshot.messages).noneMatch(SnapshotResponse::hasRevision);
	}

	@Test
	void aSnapshotWhoseClientHasGoneEnds() {
		fill(2000, 20_000);
		Taker<SnapshotResponse> snapshot = call(DatabaseGrpc.getSnapshotMethod(), SnapshotRequest.getDefaultInstance());
		snapshot.take(1);
		await(() -> snapshot.messages.size() == 1);
		assertThat(this.databases.snapshots()).isEqualTo(1);
		snapshot.call.cancel("enough", null);
		await(() -> this.databases.snapshots() == 0);
	}

	@Test
	void snapshotsAreBoundedAndEndWithTheService() {
		fill(2000, 20_000);
		for (int i = 0; i < DatabaseService.MOST_SNAPSHOTS; i++) {
			Taker<SnapshotResponse> snapshot = call(DatabaseGrpc.getSnapshotMethod(),
					SnapshotRequest.getDefaultInstance());
			snapshot.take(1);
			await(() -> snapshot.messages.size() == 1);
		}
		assertThat(refused(() -> this.stub.snapshot(SnapshotRequest.getDefaultInstance()).next()))
			.isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		this.service.close();
		await(() -> this.databases.snapshots() == 0);
	}

	private long fill(int count, int size) {
		byte[] value = new byte[size];
		List<TableWrite> writes = new ArrayList<>();
		List<Long> revisions = List.of();
		for (int i = 0; i < count; i++) {
			writes.add(new TableWrite("t", mu.micro.store.Write.put(String.format("key-%08d", i), value)));
			if (writes.size() == 500 || i == count - 1) {
				revisions = this.databases.in("micro").apply(writes);
				writes.clear();
			}
		}
		return revisions.get(revisions.size() - 1);
	}

	private List<Long> apply(Write.Builder... writes) {
		ApplyRequest.Builder request = ApplyRequest.newBuilder();
		for (Write.Builder write : writes) {
			request.addWrites(write);
		}
		return this.stub.apply(request.build()).getRevisionsList();
	}

	private static Write.Builder put(String key, String value) {
		return Write.newBuilder().setTable("t").setKey(key).setValue(ByteString.copyFromUtf8(value));
	}

	private static Write.Builder delete(String key) {
		return Write.newBuilder().setTable("t").setKey(key).setDelete(true);
	}

	private static GetRequest get(String key) {
		return GetRequest.newBuilder().setTable("t").setKey(key).build();
	}

	private static PageRequest page() {
		return PageRequest.newBuilder().setTable("t").build();
	}

	private static List<String> keys(PageResponse page) {
		return page.getEntriesList().stream().map(Entry::getKey).toList();
	}

	private Taker<WatchResponse> watch(WatchRequest request) {
		return call(DatabaseGrpc.getWatchMethod(), request);
	}

	private <Q, A> Taker<A> call(MethodDescriptor<Q, A> method, Q request) {
		ClientCall<Q, A> call = this.channel.newCall(method, CallOptions.DEFAULT);
		this.calls.add(call);
		Taker<A> taker = new Taker<>(call);
		call.start(taker, new Metadata());
		call.sendMessage(request);
		call.halfClose();
		return taker;
	}

	private static Status.Code refused(Runnable call) {
		return failure(call).getStatus().getCode();
	}

	private static StatusRuntimeException failure(Runnable call) {
		return catchThrowableOfType(StatusRuntimeException.class, call::run);
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(15))
			.pollInterval(Duration.ofMillis(20))
			.until(condition::getAsBoolean);
	}

	/**
	 * A client that takes as many messages as it is told to.
	 */
	private static final class Taker<A> extends ClientCall.Listener<A> {

		private final ClientCall<?, A> call;

		private final List<A> messages = new CopyOnWriteArrayList<>();

		private final AtomicReference<Status> status = new AtomicReference<>();

		Taker(ClientCall<?, A> call) {
			this.call = call;
		}

		void take(int count) {
			this.call.request(count);
		}

		@Override
		public void onMessage(A message) {
			this.messages.add(message);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			this.status.set(status);
		}

	}

}
