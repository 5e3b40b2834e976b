package mu.micro.services;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import com.google.protobuf.CodedOutputStream;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.core.Pages;
import mu.micro.grpc.Entries;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.When;
import mu.micro.store.Write;
import mu.micro.wire.store.Condition;
import mu.micro.wire.store.DatabasesRequest;
import mu.micro.wire.store.DatabasesResponse;
import mu.micro.wire.store.DeleteRequest;
import mu.micro.wire.store.DeleteResponse;
import mu.micro.wire.store.Field;
import mu.micro.wire.store.ListOptions;
import mu.micro.wire.store.ListRequest;
import mu.micro.wire.store.ListResponse;
import mu.micro.wire.store.ReadOptions;
import mu.micro.wire.store.ReadRequest;
import mu.micro.wire.store.ReadResponse;
import mu.micro.wire.store.Record;
import mu.micro.wire.store.StoreGrpc;
import mu.micro.wire.store.TablesRequest;
import mu.micro.wire.store.TablesResponse;
import mu.micro.wire.store.WriteRequest;
import mu.micro.wire.store.WriteResponse;
import org.jspecify.annotations.Nullable;

/**
 * The store on the wire as Micro v3 has it: a database is a namespace. Reading makes
 * nothing. An answer has at most {@value #MOST_RECORDS} records and {@value #MOST_BYTES}
 * bytes; what would be more is {@code INVALID_ARGUMENT}, and read in parts.
 * <p>
 * Handlers block and must not run on an event loop.
 *
 * @see DatabaseService
 */
public final class StoreService extends StoreGrpc.StoreImplBase {

	/**
	 * The name of the core service.
	 */
	public static final String NAME = "store";

	/**
	 * The table of requests that name none.
	 */
	public static final String TABLE = "micro";

	/**
	 * How many records one answer has at most.
	 */
	public static final int MOST_RECORDS = 100_000;

	/**
	 * How many bytes one answer has at most: 32 MB.
	 */
	public static final int MOST_BYTES = 32 * 1024 * 1024;

	private static final String TEXT = "string";

	private final Databases databases;

	private final String namespace;

	private final Clock clock;

	/**
	 * Serves databases.
	 * @param databases where the data is; not closed by this
	 * @param namespace the namespace of calls that name none
	 * @param clock the time, by which records have so long to stay
	 */
	public StoreService(Databases databases, String namespace, Clock clock) {
		this.databases = databases;
		this.namespace = Limits.name("namespace", namespace);
		this.clock = clock;
	}

	@Override
	public void read(ReadRequest request, StreamObserver<ReadResponse> call) {
		Reply.with(NAME, call, () -> {
			ReadOptions options = request.getOptions();
			Store table = table(options.getDatabase(), options.getTable());
			ReadResponse.Builder answer = ReadResponse.newBuilder();
			if (!options.getPrefix() && !options.getSuffix()) {
				return answer.addRecords(record(one(table, request))).build();
			}
			Query query = new Query((options.getPrefix()) ? request.getKey() : "",
					(options.getSuffix()) ? request.getKey() : "", options.getAfter(), offset(options.getOffset()),
					Limits.PAGE, descending(options.getOrder()), options.getKeysOnly());
			// Unsigned: what is negative here is more than there can be.
			Pages pages = new Pages(table, query, options.getLimit());
			long bytes = 0;
			for (List<Entry> page = pages.next(); !page.isEmpty(); page = pages.next()) {
				for (Entry entry : page) {
					Record record = record(entry);
					bytes += CodedOutputStream.computeMessageSize(ReadResponse.RECORDS_FIELD_NUMBER, record);
					if (bytes > MOST_BYTES || answer.getRecordsCount() == MOST_RECORDS) {
						throw new MicroException.Invalid("the records are more than " + MOST_RECORDS + ", or "
								+ MOST_BYTES + " bytes, the limits of one answer; set options.limit and go on with"
								+ " options.after as the last key");
					}
					answer.addRecords(record);
				}
			}
			return answer.build();
		});
	}

	private Entry one(Store table, ReadRequest request) {
		Entry entry = table.get(Limits.key(request.getKey()));
		if (entry == null) {
			ReadOptions options = request.getOptions();
			throw new MicroException.NotFound("key '" + request.getKey() + "' not found in table '"
					+ table(options.getTable()) + "' of database '" + database(options.getDatabase()) + "'");
		}
		return entry;
	}

	@Override
	public void write(WriteRequest request, StreamObserver<WriteResponse> call) {
		Reply.with(NAME, call, () -> {
			if (!request.hasRecord()) {
				throw new MicroException.Invalid("there is no record; set 'record' with at least its key");
			}
			Record record = request.getRecord();
			Write write = new Write(record.getKey(), record.getValue().toByteArray(),
					when(request.getOptions().hasCondition(), request.getOptions().getCondition()), ttl(record),
					metadata(record));
			long revision = table(request.getOptions().getDatabase(), request.getOptions().getTable()).put(write);
			return WriteResponse.newBuilder().setRevision(revision).build();
		});
	}

	@Override
	public void delete(DeleteRequest request, StreamObserver<DeleteResponse> call) {
		Reply.with(NAME, call, () -> {
			boolean found = table(request.getOptions().getDatabase(), request.getOptions().getTable()).delete(
					Limits.key(request.getKey()),
					when(request.getOptions().hasCondition(), request.getOptions().getCondition()));
			return DeleteResponse.newBuilder().setFound(found).build();
		});
	}

	@Override
	public void list(ListRequest request, StreamObserver<ListResponse> call) {
		ListOptions options = request.getOptions();
		Pages pages;
		try {
			Query query = new Query(options.getPrefix(), options.getSuffix(), options.getAfter(),
					offset(options.getOffset()), Limits.PAGE, descending(options.getOrder()), true);
			pages = new Pages(table(options.getDatabase(), options.getTable()), query, options.getLimit());
		}
		catch (RuntimeException ex) {
			Reply.error(NAME, call, ex);
			return;
		}
		new Keys(pages, (ServerCallStreamObserver<ListResponse>) call);
	}

	@Override
	public void databases(DatabasesRequest request, StreamObserver<DatabasesResponse> call) {
		Reply.with(NAME, call, () -> DatabasesResponse.newBuilder().addAllDatabases(this.databases.names()).build());
	}

	@Override
	public void tables(TablesRequest request, StreamObserver<TablesResponse> call) {
		Reply.with(NAME, call, () -> {
			Database database = this.databases.in(database(request.getDatabase()));
			return TablesResponse.newBuilder().addAllTables(database.tables()).build();
		});
	}

	private Store table(String database, String table) {
		return this.databases.in(database(database)).table(table(table));
	}

	private String database(String name) {
		return (name.isEmpty()) ? this.namespace : name;
	}

	private static String table(String name) {
		return (name.isEmpty()) ? TABLE : name;
	}

	private static When when(boolean given, Condition condition) {
		return (given) ? Entries.when(condition) : When.ALWAYS;
	}

	private static @Nullable Duration ttl(Record record) {
		if (record.getExpiryMs() < 0 || record.getExpiry() < 0) {
			throw new MicroException.Invalid("the record's expiry is negative; set seconds from now on, or 0 for ever");
		}
		if (record.getExpiryMs() > 0) {
			return Duration.ofMillis(record.getExpiryMs());
		}
		return (record.getExpiry() > 0) ? Duration.ofSeconds(record.getExpiry()) : null;
	}

	private static Map<String, String> metadata(Record record) {
		Map<String, String> metadata = new TreeMap<>();
		record.getMetadataMap().forEach((name, field) -> metadata.put(name, field.getValue()));
		return metadata;
	}

	private Record record(Entry entry) {
		Record.Builder record = Record.newBuilder()
			.setKey(entry.key())
			.setValue(Entries.bytes(entry.value()))
			.setRevision(entry.revision());
		entry.metadata()
			.forEach((name, value) -> record.putMetadata(name,
					Field.newBuilder().setType(TEXT).setValue(value).build()));
		Instant expires = entry.expires();
		if (expires != null) {
			// Rounded up, and 0 would be for ever.
			long left = Math.max(1, expires.toEpochMilli() - this.clock.millis());
			record.setExpiryMs(left).setExpiry((left + 999) / 1000);
		}
		return record.build();
	}

	private static int offset(long offset) {
		if (offset < 0 || offset > Integer.MAX_VALUE) {
			throw new MicroException.Invalid("the offset " + Long.toUnsignedString(offset) + " is more than "
					+ Integer.MAX_VALUE + "; go on with options.after as the last key");
		}
		return (int) offset;
	}

	private static boolean descending(String order) {
		return switch (order) {
			case "", "asc" -> false;
			case "desc" -> true;
			default -> throw new MicroException.Invalid("the order '" + order + "' is neither asc nor desc");
		};
	}

	/**
	 * One call that lists keys, a page in each message.
	 */
	private static final class Keys {

		private final Pages pages;

		private final ResultStream<ListResponse> stream;

		Keys(Pages pages, ServerCallStreamObserver<ListResponse> call) {
			this.pages = pages;
			this.stream = new ResultStream<>(NAME, call, this::next, () -> {
			});
		}

		private @Nullable ListResponse next() {
			try {
				List<Entry> page = this.pages.next();
				if (!page.isEmpty()) {
					return ListResponse.newBuilder().addAllKeys(page.stream().map(Entry::key).toList()).build();
				}
				this.stream.complete();
			}
			catch (RuntimeException ex) {
				this.stream.end(ex);
			}
			return null;
		}

	}

}
