package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

import com.google.protobuf.ByteString;
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
import mu.micro.Limits;
import mu.micro.grpc.Errors;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import mu.micro.tck.TestClock;
import mu.micro.wire.errors.Error;
import mu.micro.wire.store.Condition;
import mu.micro.wire.store.DatabasesRequest;
import mu.micro.wire.store.DeleteOptions;
import mu.micro.wire.store.DeleteRequest;
import mu.micro.wire.store.Field;
import mu.micro.wire.store.ListOptions;
import mu.micro.wire.store.ListRequest;
import mu.micro.wire.store.ListResponse;
import mu.micro.wire.store.ReadOptions;
import mu.micro.wire.store.ReadRequest;
import mu.micro.wire.store.Record;
import mu.micro.wire.store.StoreGrpc;
import mu.micro.wire.store.TablesRequest;
import mu.micro.wire.store.WriteOptions;
import mu.micro.wire.store.WriteRequest;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class StoreServiceTests {

	private final TestClock clock = new TestClock();

	private final CountedDatabases databases = new CountedDatabases(new MemoryDatabases(this.clock));

	private final Store table = this.databases.in("micro").table("micro");

	private Server server;

	private ManagedChannel channel;

	private StoreGrpc.StoreBlockingStub stub;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(new StoreService(this.databases, "micro", this.clock))
			.maxInboundMessageSize(StoreService.MOST_BYTES)
			.build()
			.start();
		this.channel = Grpc
			.newChannelBuilder("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.maxInboundMessageSize(StoreService.MOST_BYTES)
			.build();
		this.stub = StoreGrpc.newBlockingStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.databases.close();
	}

	@Test
	void whatIsWrittenIsRead() {
		long revision = write(record("a", "1").putMetadata("owner", field("string", "me")));
		assertThat(read("a")).containsExactly(
				record("a", "1").putMetadata("owner", field("string", "me")).setRevision(revision).build());
		write(record("a", "2"));
		assertThat(read("a").get(0).getMetadataMap()).isEmpty();
		assertThat(read("a").get(0).getRevision()).isGreaterThan(revision);
	}

	@Test
	void aKeyThatIsNotThereIsNotFound() {
		write(record("a", "1"));
		StatusRuntimeException ex = failure(() -> read("nobody"));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		Error error = Errors.read("", ex.getStatus(), ex.getTrailers());
		assertThat(error.getId()).isEqualTo("store");
		assertThat(error.getCode()).isEqualTo(404);
		assertThat(error.getDetail()).contains("'nobody' not found", "'micro'");
		assertThat(refused(() -> read(""))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(read("nobody", (options) -> options.setPrefix(true))).isEmpty();
	}

	@Test
	void aNameThatIsLeftOutIsTheServersNamespaceAndTheTableMicro() {
		write(record("a", "1"));
		assertThat(this.table.get("a")).isNotNull();
		this.stub.write(WriteRequest.newBuilder()
			.setRecord(record("b", "1"))
			.setOptions(WriteOptions.newBuilder().setDatabase("other").setTable("t"))
			.build());
		assertThat(this.databases.in("other").table("t").get("b")).isNotNull();
		assertThat(refused(() -> read("b"))).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(read("b", (options) -> options.setDatabase("other").setTable("t"))).hasSize(1);
		assertThat(this.stub.databases(DatabasesRequest.getDefaultInstance()).getDatabasesList())
			.containsExactly("micro", "other");
		assertThat(this.stub.tables(TablesRequest.getDefaultInstance()).getTablesList()).containsExactly("micro");
		assertThat(this.stub.tables(TablesRequest.newBuilder().setDatabase("other").build()).getTablesList())
			.containsExactly("t");
		assertThat(refused(() -> read("a", (options) -> options.setTable(" "))))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void readingMakesNothing() {
		assertThat(refused(() -> read("a", (options) -> options.setDatabase("made")))).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(list((options) -> options.setDatabase("made"))).isEmpty();
		assertThat(delete("a", null)).isFalse();
		assertThat(this.stub.databases(DatabasesRequest.getDefaultInstance()).getDatabasesList()).isEmpty();
	}

	@Test
	void aTtlIsSaidInSecondsOrInMilliseconds() {
		write(record("seconds", "1").setExpiry(2));
		write(record("milliseconds", "1").setExpiryMs(1500));
		write(record("both", "1").setExpiry(100).setExpiryMs(300));
		write(record("ever", "1"));
		assertThat(expiries()).containsExactly("both 1 300", "ever 0 0", "milliseconds 2 1500", "seconds 2 2000");
		this.clock.advance(Duration.ofMillis(299));
		assertThat(expiries()).containsExactly("both 1 1", "ever 0 0", "milliseconds 2 1201", "seconds 2 1701");
		this.clock.advance(Duration.ofMillis(701));
		assertThat(expiries()).containsExactly("ever 0 0", "milliseconds 1 500", "seconds 1 1000");
		this.clock.advance(Duration.ofMillis(999));
		assertThat(expiries()).containsExactly("ever 0 0", "seconds 1 1");
		this.clock.advance(Duration.ofMillis(1));
		assertThat(expiries()).containsExactly("ever 0 0");
	}

	@Test
	void aTtlOfLessThanAMillisecondThatIsLeftIsNotForEver() {
		write(record("a", "1").setExpiryMs(1));
		this.clock.advance(Duration.ofNanos(1));
		assertThat(expiries()).containsExactly("a 1 1");
	}

	@Test
	void aTtlThatIsNoneIsRefused() {
		for (Record.Builder record : List.of(record("a", "1").setExpiry(-1), record("a", "1").setExpiryMs(-1),
				record("a", "1").setExpiry(Long.MAX_VALUE), record("a", "1").setExpiryMs(Long.MAX_VALUE))) {
			assertThat(refused(() -> write(record))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
	}

	@Test
	void metadataOfEveryTypeIsKeptAsText() {
		write(record("a", "1").putMetadata("count", field("int", "5"))
			.putMetadata("ok", field("bool", "true"))
			.putMetadata("none", Field.getDefaultInstance()));
		assertThat(this.table.get("a").metadata()).isEqualTo(Map.of("count", "5", "ok", "true", "none", ""));
		assertThat(read("a").get(0).getMetadataMap()).isEqualTo(
				Map.of("count", field("string", "5"), "ok", field("string", "true"), "none", field("string", "")));
		assertThat(refused(() -> write(record("a", "1").putMetadata("k", field("string", "v".repeat(1024))))))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void recordsAreReadByWhatTheirKeysBeginAndEndWith() {
		for (String key : List.of("a", "a%", "a%/b", "ab", "b", "b/a%", "ca%")) {
			write(record(key, key));
		}
		assertThat(keys("a%", (options) -> options.setPrefix(true))).containsExactly("a%", "a%/b");
		assertThat(keys("a%", (options) -> options.setSuffix(true))).containsExactly("a%", "b/a%", "ca%");
		assertThat(keys("a%", (options) -> options.setPrefix(true).setSuffix(true))).containsExactly("a%");
		assertThat(keys("", (options) -> options.setPrefix(true))).hasSize(7);
		assertThat(keys("", (options) -> options.setPrefix(true).setOrder("desc").setOffset(1).setLimit(2)))
			.containsExactly("b/a%", "b");
		assertThat(keys("", (options) -> options.setPrefix(true).setOrder("asc").setAfter("a%").setLimit(2)))
			.containsExactly("a%/b", "ab");
		assertThat(keys("", (options) -> options.setPrefix(true).setOffset(7))).isEmpty();
		assertThat(keys("", (options) -> options.setPrefix(true).setLimit(-1))).hasSize(7);
	}

	@Test
	void keysAreReadWithoutValues() {
		long revision = write(record("a", "1").putMetadata("k", field("string", "v")).setExpiry(5));
		assertThat(read("", (options) -> options.setPrefix(true).setKeysOnly(true))).containsExactly(
				Record.newBuilder().setKey("a").setRevision(revision).setExpiry(5).setExpiryMs(5000).build());
	}

	@Test
	void whatIsNoOrderOrOffsetIsRefused() {
		for (Consumer<ReadOptions.Builder> wrong : List.<Consumer<ReadOptions.Builder>>of(
				(options) -> options.setOrder("up"), (options) -> options.setOffset(1L << 31),
				(options) -> options.setOffset(-1), (options) -> options.setAfter("k".repeat(Limits.KEY + 1)))) {
			StatusRuntimeException ex = failure(() -> read("", wrong.andThen((options) -> options.setPrefix(true))));
			assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		assertThat(refused(() -> list((options) -> options.setOrder("up")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(refused(() -> list((options) -> options.setTable(" ")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void moreThanAMessageHoldsIsReadInParts() {
		byte[] value = new byte[Limits.VALUE - 100];
		for (int i = 0; i < 5; i++) {
			this.table.put("key-" + i, value);
		}
		StatusRuntimeException ex = failure(() -> read("key", (options) -> options.setPrefix(true)));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(ex.getStatus().getDescription()).contains("33554432 bytes", "options.limit", "options.after");
		assertThat(keys("key", (options) -> options.setPrefix(true).setLimit(4))).containsExactly("key-0", "key-1",
				"key-2", "key-3");
		assertThat(keys("key", (options) -> options.setPrefix(true).setLimit(4).setAfter("key-3")))
			.containsExactly("key-4");
		assertThat(keys("key", (options) -> options.setPrefix(true).setKeysOnly(true))).hasSize(5);
	}

	@Test
	void moreRecordsThanAnAnswerHasAreReadInParts() {
		fill(StoreService.MOST_RECORDS + 1);
		StatusRuntimeException ex = failure(() -> read("key", (options) -> options.setPrefix(true)));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(ex.getStatus().getDescription()).contains("more than 100000", "options.limit");
		assertThat(read("key", (options) -> options.setPrefix(true).setLimit(StoreService.MOST_RECORDS)))
			.hasSize(StoreService.MOST_RECORDS);
	}

	@Test
	void aWriteMayHaveACondition() {
		Condition absent = Condition.newBuilder().setAbsent(true).build();
		long first = write(record("a", "1"), absent);
		StatusRuntimeException ex = failure(() -> write(record("a", "2"), absent));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.ALREADY_EXISTS);
		assertThat(Errors.read("", ex.getStatus(), ex.getTrailers()).getCode()).isEqualTo(409);
		long second = write(record("a", "2"), revision(first));
		assertThat(refused(() -> write(record("a", "3"), revision(first)))).isEqualTo(Status.Code.ALREADY_EXISTS);
		assertThat(read("a").get(0).getRevision()).isEqualTo(second);
		assertThat(refused(() -> delete("a", revision(first)))).isEqualTo(Status.Code.ALREADY_EXISTS);
		assertThat(delete("a", revision(second))).isTrue();
		assertThat(refused(() -> read("a"))).isEqualTo(Status.Code.NOT_FOUND);
	}

	@Test
	void aConditionThatAsksForNothingIsRefusedRatherThanIgnored() {
		write(record("a", "1"));
		for (Condition condition : List.of(Condition.getDefaultInstance(), revision(0), revision(-1),
				Condition.newBuilder().setAbsent(false).build())) {
			assertThat(refused(() -> write(record("a", "2"), condition))).isEqualTo(Status.Code.INVALID_ARGUMENT);
			assertThat(refused(() -> delete("a", condition))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		assertThat(read("a").get(0).getValue().toStringUtf8()).isEqualTo("1");
	}

	@Test
	void aDeleteSaysWhetherThereWasARecord() {
		write(record("a", "1"));
		assertThat(delete("a", null)).isTrue();
		assertThat(delete("a", null)).isFalse();
		assertThat(refused(() -> delete("", null))).isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void aWriteWithoutARecordIsRefused() {
		assertThat(refused(() -> this.stub.write(WriteRequest.getDefaultInstance())))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(refused(() -> write(record("", "1")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void allKeysAreListedInMessagesOfAThousand() {
		fill(2500);
		this.table.put("other", new byte[0]);
		List<ListResponse> messages = messages((options) -> options.setPrefix("key"));
		assertThat(messages).extracting(ListResponse::getKeysCount).containsExactly(1000, 1000, 500);
		List<String> keys = messages.stream().flatMap((message) -> message.getKeysList().stream()).toList();
		assertThat(keys).hasSize(2500).isSorted().doesNotHaveDuplicates();
		assertThat(messages((options) -> options.setPrefix("key").setLimit(1500)))
			.extracting(ListResponse::getKeysCount)
			.containsExactly(1000, 500);
		assertThat(list((options) -> options.setOffset(2499))).containsExactly("key-00002499", "other");
		assertThat(list((options) -> options.setSuffix("99").setOrder("desc").setLimit(2)))
			.containsExactly("key-00002499", "key-00002399");
		assertThat(list((options) -> options.setAfter("key-00002498"))).containsExactly("key-00002499", "other");
		assertThat(messages((options) -> options.setPrefix("nothing"))).isEmpty();
	}

	@Test
	void aListingIsReadAsFastAsItIsTaken() {
		List<TableWrite> writes = new ArrayList<>();
		for (int i = 0; i < 10_000; i++) {
			writes.add(new TableWrite("micro", Write.put("k".repeat(1000) + (10_000 + i), new byte[0])));
			if (writes.size() == Limits.BATCH) {
				this.databases.in("micro").apply(writes);
				writes.clear();
			}
		}
		ClientCall<ListRequest, ListResponse> call = this.channel.newCall(StoreGrpc.getListMethod(),
				CallOptions.DEFAULT);
		List<ListResponse> messages = new CopyOnWriteArrayList<>();
		call.start(new ClientCall.Listener<>() {

			@Override
			public void onMessage(ListResponse message) {
				messages.add(message);
			}

		}, new Metadata());
		call.sendMessage(ListRequest.getDefaultInstance());
		call.halfClose();
		call.request(1);
		Awaitility.await().until(() -> messages.size() == 1);
		// A page is a megabyte, which is what the connection holds.
		Awaitility.await()
			.during(Duration.ofMillis(300))
			.atMost(Duration.ofSeconds(10))
			.until(() -> this.databases.lists() <= 5);
		call.request(9);
		Awaitility.await().until(() -> messages.size() == 10);
		assertThat(this.databases.lists()).isEqualTo(10);
		call.cancel("over", null);
	}

	private void fill(int count) {
		List<TableWrite> writes = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			writes.add(new TableWrite("micro", Write.put(String.format("key-%08d", i), new byte[1])));
			if (writes.size() == Limits.BATCH || i == count - 1) {
				this.databases.in("micro").apply(writes);
				writes.clear();
			}
		}
	}

	private List<String> expiries() {
		return read("", (options) -> options.setPrefix(true)).stream()
			.map((record) -> record.getKey() + " " + record.getExpiry() + " " + record.getExpiryMs())
			.toList();
	}

	private long write(Record.Builder record) {
		return this.stub.write(WriteRequest.newBuilder().setRecord(record).build()).getRevision();
	}

	private long write(Record.Builder record, Condition condition) {
		return this.stub
			.write(WriteRequest.newBuilder()
				.setRecord(record)
				.setOptions(WriteOptions.newBuilder().setCondition(condition))
				.build())
			.getRevision();
	}

	private boolean delete(String key, Condition condition) {
		DeleteRequest.Builder request = DeleteRequest.newBuilder().setKey(key);
		if (condition != null) {
			request.setOptions(DeleteOptions.newBuilder().setCondition(condition));
		}
		return this.stub.delete(request.build()).getFound();
	}

	private List<Record> read(String key) {
		return read(key, (options) -> {
		});
	}

	private List<Record> read(String key, Consumer<ReadOptions.Builder> asked) {
		ReadOptions.Builder options = ReadOptions.newBuilder();
		asked.accept(options);
		return this.stub.read(ReadRequest.newBuilder().setKey(key).setOptions(options).build()).getRecordsList();
	}

	private List<String> keys(String key, Consumer<ReadOptions.Builder> asked) {
		return read(key, asked).stream().map(Record::getKey).toList();
	}

	private List<String> list(Consumer<ListOptions.Builder> asked) {
		return messages(asked).stream().flatMap((message) -> message.getKeysList().stream()).toList();
	}

	private List<ListResponse> messages(Consumer<ListOptions.Builder> asked) {
		ListOptions.Builder options = ListOptions.newBuilder();
		asked.accept(options);
		List<ListResponse> messages = new ArrayList<>();
		Iterator<ListResponse> answers = this.stub.list(ListRequest.newBuilder().setOptions(options).build());
		answers.forEachRemaining(messages::add);
		return messages;
	}

	private static Record.Builder record(String key, String value) {
		return Record.newBuilder().setKey(key).setValue(ByteString.copyFrom(value, StandardCharsets.UTF_8));
	}

	private static Field field(String type, String value) {
		return Field.newBuilder().setType(type).setValue(value).build();
	}

	private static Condition revision(long revision) {
		return Condition.newBuilder().setRevision(revision).build();
	}

	private static Status.Code refused(Runnable call) {
		return failure(call).getStatus().getCode();
	}

	private static StatusRuntimeException failure(Runnable call) {
		return catchThrowableOfType(StatusRuntimeException.class, call::run);
	}

}
