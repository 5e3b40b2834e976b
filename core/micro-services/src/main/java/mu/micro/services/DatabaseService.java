package mu.micro.services;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.core.Threads;
import mu.micro.grpc.Entries;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Watch;
import mu.micro.wire.store.ApplyRequest;
import mu.micro.wire.store.ApplyResponse;
import mu.micro.wire.store.DatabaseGrpc;
import mu.micro.wire.store.GetAllRequest;
import mu.micro.wire.store.GetRequest;
import mu.micro.wire.store.GetResponse;
import mu.micro.wire.store.NamesRequest;
import mu.micro.wire.store.NamesResponse;
import mu.micro.wire.store.PageRequest;
import mu.micro.wire.store.PageResponse;
import mu.micro.wire.store.SnapshotRequest;
import mu.micro.wire.store.SnapshotResponse;
import mu.micro.wire.store.Standing;
import mu.micro.wire.store.TableEntry;
import mu.micro.wire.store.TableNamesRequest;
import mu.micro.wire.store.TableNamesResponse;
import mu.micro.wire.store.WatchRequest;
import mu.micro.wire.store.WatchResponse;
import org.jspecify.annotations.Nullable;

/**
 * Databases on the wire, whole. Nothing is held for a client that is slow: a watch lags
 * as the provider's does, a snapshot waits; who takes nothing for a minute is given up
 * with {@code RESOURCE_EXHAUSTED}.
 * <p>
 * Handlers block and must not run on an event loop.
 *
 * @see StoreService
 */
public final class DatabaseService extends DatabaseGrpc.DatabaseImplBase implements WatchedService, AutoCloseable {

	/**
	 * How many watches there may be at a time; one more is {@code RESOURCE_EXHAUSTED}.
	 */
	public static final int MOST_WATCHES = 10_000;

	/**
	 * How many snapshots may be under way at a time; one more is
	 * {@code RESOURCE_EXHAUSTED}.
	 */
	public static final int MOST_SNAPSHOTS = 20;

	/**
	 * How long a client may take nothing while there is something to tell.
	 */
	public static final Duration PATIENCE = Duration.ofMinutes(1);

	private static final String NAME = StoreService.NAME;

	private final Databases databases;

	private final String namespace;

	private final Duration patience;

	private final OpenStreams watches;

	private final OpenStreams snapshots = new OpenStreams(NAME, "snapshots", MOST_SNAPSHOTS);

	private final ExecutorService executor = Threads.perTask("micro-store-snapshot");

	private final ScheduledThreadPoolExecutor timer = Threads.timer("micro-store-standing");

	/**
	 * Serves databases.
	 * @param databases where the data is; not closed by this
	 * @param namespace the namespace of calls that name none
	 */
	public DatabaseService(Databases databases, String namespace) {
		this(databases, namespace, PATIENCE, MOST_WATCHES);
	}

	DatabaseService(Databases databases, String namespace, Duration patience, int mostWatches) {
		this.databases = databases;
		this.namespace = Limits.name("namespace", namespace);
		this.patience = patience;
		this.watches = new OpenStreams(NAME, "watches", mostWatches);
	}

	@Override
	public void get(GetRequest request, StreamObserver<GetResponse> call) {
		Reply.with(NAME, call, () -> {
			Entry entry = in(request.getNamespace()).table(request.getTable()).get(Limits.key(request.getKey()));
			GetResponse.Builder answer = GetResponse.newBuilder();
			return ((entry != null) ? answer.setEntry(Entries.toMessage(entry)) : answer).build();
		});
	}

	@Override
	public void getAll(GetAllRequest request, StreamObserver<PageResponse> call) {
		Reply.with(NAME, call, () -> Entries
			.toMessage(in(request.getNamespace()).table(request.getTable()).get(request.getKeysList())));
	}

	@Override
	public void apply(ApplyRequest request, StreamObserver<ApplyResponse> call) {
		Reply.with(NAME, call, () -> {
			List<TableWrite> writes = request.getWritesList().stream().map(Entries::fromMessage).toList();
			return ApplyResponse.newBuilder().addAllRevisions(in(request.getNamespace()).apply(writes)).build();
		});
	}

	@Override
	public void list(PageRequest request, StreamObserver<PageResponse> call) {
		Reply.with(NAME, call, () -> Entries
			.toMessage(in(request.getNamespace()).table(request.getTable()).list(Entries.fromMessage(request))));
	}

	@Override
	public void tables(TableNamesRequest request, StreamObserver<TableNamesResponse> call) {
		Reply.with(NAME, call,
				() -> TableNamesResponse.newBuilder().addAllTables(in(request.getNamespace()).tables()).build());
	}

	@Override
	public void names(NamesRequest request, StreamObserver<NamesResponse> call) {
		Reply.with(NAME, call, () -> NamesResponse.newBuilder().addAllNamespaces(this.databases.names()).build());
	}

	@Override
	public void watch(WatchRequest request, StreamObserver<WatchResponse> observer) {
		ServerCallStreamObserver<WatchResponse> call = (ServerCallStreamObserver<WatchResponse>) observer;
		try {
			Store table = in(request.getNamespace()).table(request.getTable());
			long after = request.getAfterRevision();
			if (after < 0) {
				throw new MicroException.Invalid("the revision " + after + " is negative; give 0 to begin with");
			}
			long every = StandingTime.checked(request.getStandingMs());
			Feed feed = new Feed();
			this.watches.open(call, feed::next, (stream) -> {
				stream.add(feed.changes);
				Watch watch = table.watch(request.getPrefix(), after,
						(change) -> feed.changes.offer(stream, Entries.toMessage(change)));
				stream.add(watch);
				feed.stands(stream, 0);
				if (every > 0) {
					ScheduledFuture<?> again = this.timer.scheduleAtFixedRate(
							() -> feed.stands(stream, watch.revision()), every, every, TimeUnit.MILLISECONDS);
					stream.add(() -> again.cancel(false));
				}
			});
		}
		catch (RuntimeException ex) {
			Reply.error(NAME, call, ex);
		}
	}

	@Override
	public void snapshot(SnapshotRequest request, StreamObserver<SnapshotResponse> observer) {
		ServerCallStreamObserver<SnapshotResponse> call = (ServerCallStreamObserver<SnapshotResponse>) observer;
		try {
			Database database = in(request.getNamespace());
			Handover<SnapshotResponse> messages = new Handover<>(this.patience);
			this.snapshots.open(call, messages::take, (stream) -> {
				stream.add(messages);
				this.executor.execute(() -> send(database, messages, stream));
			});
		}
		catch (RuntimeException ex) {
			Reply.error(NAME, call, ex);
		}
	}

	private static void send(Database database, Handover<SnapshotResponse> messages,
			ResultStream<SnapshotResponse> stream) {
		try {
			Batch batch = new Batch((message) -> {
				if (!messages.offer(stream, message)) {
					throw new MicroException.Cancelled("the stream has ended", null);
				}
			});
			long revision = database.snapshot(batch::add);
			batch.last(revision);
			if (messages.awaitTaken(stream)) {
				stream.complete();
			}
		}
		catch (RuntimeException ex) {
			stream.end(ex);
		}
		catch (Error ex) {
			stream.end(new MicroException.Internal("the snapshot failed: " + ex, ex));
			throw ex;
		}
	}

	private Database in(String name) {
		return this.databases.in((name.isEmpty()) ? this.namespace : name);
	}

	@Override
	public void endWatches() {
		this.watches.end();
	}

	@Override
	public void resumeWatches() {
		this.watches.resume();
	}

	/**
	 * Ends all watches and snapshots for good.
	 */
	@Override
	public void close() {
		this.watches.close();
		this.snapshots.close();
		this.timer.shutdownNow();
		this.executor.shutdownNow();
	}

	/**
	 * What one watch has to tell. Called by its stream, but for the changes.
	 */
	private final class Feed {

		private final Handover<WatchResponse> changes = new Handover<>(DatabaseService.this.patience);

		private boolean begun;

		private long revision = -1;

		void stands(ResultStream<WatchResponse> stream, long revision) {
			stream.update(() -> this.revision = revision);
		}

		@Nullable WatchResponse next() {
			// The first word is that the watch stands, though the provider may be faster.
			// Later that comes after all that was told when the revision was read.
			WatchResponse change = (this.begun) ? this.changes.take() : null;
			if (change != null && change.hasLagged()) {
				// How far it was before counts no more.
				this.revision = -1;
			}
			if (change != null || this.revision < 0) {
				return change;
			}
			WatchResponse stands = WatchResponse.newBuilder()
				.setStanding(Standing.newBuilder().setRevision(this.revision))
				.build();
			this.begun = true;
			this.revision = -1;
			return stands;
		}

	}

	/**
	 * Entries in messages of some size.
	 */
	private static final class Batch {

		private static final int ENOUGH = 256 * 1024;

		private final Consumer<SnapshotResponse> sink;

		private SnapshotResponse.Builder message = SnapshotResponse.newBuilder();

		private long bytes;

		Batch(Consumer<SnapshotResponse> sink) {
			this.sink = sink;
		}

		void add(String table, Entry entry) {
			TableEntry added = TableEntry.newBuilder().setTable(table).setEntry(Entries.toMessage(entry)).build();
			this.message.addEntries(added);
			this.bytes += added.getSerializedSize();
			if (this.bytes >= ENOUGH) {
				this.sink.accept(this.message.build());
				this.message = SnapshotResponse.newBuilder();
				this.bytes = 0;
			}
		}

		void last(long revision) {
			this.sink.accept(this.message.setRevision(revision).build());
		}

	}

}
