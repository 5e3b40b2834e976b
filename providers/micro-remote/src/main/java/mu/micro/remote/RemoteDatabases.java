package mu.micro.remote;

import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import io.grpc.ManagedChannel;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.core.ChangeFeed;
import mu.micro.grpc.Entries;
import mu.micro.store.Change;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import mu.micro.wire.store.ApplyRequest;
import mu.micro.wire.store.DatabaseGrpc;
import mu.micro.wire.store.GetAllRequest;
import mu.micro.wire.store.GetRequest;
import mu.micro.wire.store.GetResponse;
import mu.micro.wire.store.NamesRequest;
import mu.micro.wire.store.SnapshotRequest;
import mu.micro.wire.store.TableNamesRequest;
import mu.micro.wire.store.WatchRequest;
import mu.micro.wire.store.WatchResponse;
import org.jspecify.annotations.Nullable;

/**
 * The databases of a Micro server.
 * <p>
 * <strong>Reads</strong> end within the timeout, and are
 * {@link MicroException.Unavailable} if the server has not answered by then. A snapshot
 * may last: it is each part of it that has to come within the timeout.
 * <p>
 * <strong>Writes</strong> end within the timeout too. One that did not reach the server
 * is {@link MicroException.Unavailable}; one that did, and was not answered, is
 * {@link MicroException.OutcomeUnknown}, be it that the server went away, the time was
 * over, the caller gave up or its thread was interrupted.
 * <p>
 * <strong>Watches</strong> outlive the server. They begin when it can be reached, keep
 * silent while it is away, and go on where they were when it is back: nothing is told
 * twice and nothing left out, but where the server has forgotten what changed meanwhile,
 * which is {@link Change.Lagged}. Opening one never fails because the server is away.
 */
public final class RemoteDatabases implements Databases {

	/**
	 * A watch is asked for again after this, so that the server need not keep those of
	 * clients that are no more.
	 */
	private static final Duration WATCH = Duration.ofHours(1);

	private final Connection server;

	private final Duration silence;

	private final Set<Watch> watches = ConcurrentHashMap.newKeySet();

	/**
	 * The databases of the server at an address. Nothing is asked before the first call.
	 * @param address the server's {@code host:port}; a host of several addresses is tried
	 * at each
	 * @param timeout how long one call may take
	 * @throws MicroException.Invalid if the address is none
	 */
	public RemoteDatabases(String address, Duration timeout) {
		this(address, timeout, LastingCall.SILENCE);
	}

	RemoteDatabases(String address, Duration timeout, Duration silence) {
		this.server = new Connection(address, timeout);
		this.silence = silence;
	}

	/**
	 * The databases of the server behind a channel.
	 * @param address where the channel leads, for messages
	 * @param timeout how long one call may take
	 * @param channel the channel, closed by this
	 */
	public RemoteDatabases(String address, Duration timeout, ManagedChannel channel) {
		this.server = new Connection(address, timeout, channel);
		this.silence = LastingCall.SILENCE;
	}

	@Override
	public Database in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public Set<String> names() {
		return names(
				this.server.read(DatabaseGrpc.getNamesMethod(), NamesRequest.getDefaultInstance()).getNamespacesList());
	}

	@Override
	public void close() {
		if (!this.server.leave()) {
			return;
		}
		this.watches.forEach((watch) -> watch.feed.close());
		this.server.close();
	}

	private static Set<String> names(List<String> sorted) {
		return Collections.unmodifiableSet(new LinkedHashSet<>(sorted));
	}

	/**
	 * A watch that outlives the server. It holds one change at most that the listener has
	 * not heard of: while that waits the server is not asked for more.
	 */
	private final class Watch implements ChangeFeed.Source {

		private final ChangeFeed feed;

		private final LastingCall<WatchRequest, WatchResponse> call;

		private final AtomicReference<@Nullable Told> told = new AtomicReference<>();

		Watch(WatchRequest request, Consumer<Change> listener) {
			this.feed = new ChangeFeed(RemoteDatabases.this.server.executor(), this, request.getAfterRevision(),
					listener, this::end);
			this.call = new LastingCall<>(RemoteDatabases.this.server, DatabaseGrpc.getWatchMethod(), WATCH,
					RemoteDatabases.this.silence, () -> {
						this.told.set(null);
						return request.toBuilder().setAfterRevision(this.feed.revision()).build();
					}, (answer, more) -> {
						this.told.set(new Told(answer, more));
						this.feed.look();
					});
		}

		@Override
		public ChangeFeed.Step after(long revision) {
			Told next = this.told.getAndSet(null);
			if (next == null) {
				return new ChangeFeed.Step(List.of(), revision, false);
			}
			Change change = Entries.fromMessage(next.answer);
			next.more.run();
			return (change != null) ? new ChangeFeed.Step(List.of(change), change.revision(), false)
					: new ChangeFeed.Step(List.of(), next.answer.getStanding().getRevision(), false);
		}

		private void end() {
			RemoteDatabases.this.watches.remove(this);
			this.call.close();
		}

		private record Told(WatchResponse answer, Runnable more) {
		}

	}

	private final class View implements Database {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public Store table(String name) {
			return new Table(this, Limits.name("table's name", name));
		}

		@Override
		public Set<String> tables() {
			TableNamesRequest request = TableNamesRequest.newBuilder().setNamespace(this.namespace).build();
			return names(RemoteDatabases.this.server.read(DatabaseGrpc.getTablesMethod(), request).getTablesList());
		}

		@Override
		public List<Long> apply(List<TableWrite> writes) {
			ApplyRequest.Builder request = ApplyRequest.newBuilder().setNamespace(this.namespace);
			TableWrite.batch(writes).forEach((write) -> request.addWrites(Entries.toMessage(write)));
			return List.copyOf(RemoteDatabases.this.server.write(DatabaseGrpc.getApplyMethod(), request.build())
				.getRevisionsList());
		}

		@Override
		public long snapshot(BiConsumer<String, Entry> sink) {
			AtomicLong revision = new AtomicLong(-1);
			SnapshotRequest request = SnapshotRequest.newBuilder().setNamespace(this.namespace).build();
			RemoteDatabases.this.server.each(DatabaseGrpc.getSnapshotMethod(), request, (answer) -> {
				answer.getEntriesList()
					.forEach((entry) -> sink.accept(entry.getTable(), Entries.fromMessage(entry.getEntry())));
				if (answer.hasRevision()) {
					revision.set(answer.getRevision());
				}
			});
			if (revision.get() < 0) {
				throw new MicroException.Internal("the server ended the snapshot before it was whole", null);
			}
			return revision.get();
		}

	}

	private final class Table implements Store {

		private final View database;

		private final String name;

		Table(View database, String name) {
			this.database = database;
			this.name = name;
		}

		@Override
		public @Nullable Entry get(String key) {
			GetRequest request = GetRequest.newBuilder()
				.setNamespace(this.database.namespace)
				.setTable(this.name)
				.setKey(Limits.key(key))
				.build();
			GetResponse answer = RemoteDatabases.this.server.read(DatabaseGrpc.getGetMethod(), request);
			return (answer.hasEntry()) ? Entries.fromMessage(answer.getEntry()) : null;
		}

		@Override
		public Page get(Collection<String> keys) {
			GetAllRequest request = GetAllRequest.newBuilder()
				.setNamespace(this.database.namespace)
				.setTable(this.name)
				.addAllKeys(Limits.keys(keys))
				.build();
			return Entries.fromMessage(RemoteDatabases.this.server.read(DatabaseGrpc.getGetAllMethod(), request));
		}

		@Override
		public long put(Write write) {
			if (write.value() == null) {
				throw new MicroException.Invalid("the write of '" + write.key() + "' has no value; delete it instead");
			}
			return apply(write);
		}

		@Override
		public boolean delete(String key, When when) {
			return apply(Write.delete(key).withWhen(when)) != 0;
		}

		private long apply(Write write) {
			return this.database.apply(List.of(new TableWrite(this.name, write))).get(0);
		}

		@Override
		public Page list(Query query) {
			return Entries.fromMessage(RemoteDatabases.this.server.read(DatabaseGrpc.getListMethod(),
					Entries.toMessage(this.database.namespace, this.name, query)));
		}

		@Override
		public ChangeFeed watch(String prefix, long afterRevision, Consumer<Change> listener) {
			if (afterRevision < 0) {
				throw new MicroException.Invalid("the revision " + afterRevision + " is negative");
			}
			WatchRequest request = WatchRequest.newBuilder()
				.setNamespace(this.database.namespace)
				.setTable(this.name)
				.setPrefix(Limits.text("prefix", prefix, Limits.KEY))
				.setAfterRevision(afterRevision)
				.setStandingMs(RemoteDatabases.this.silence.dividedBy(3).toMillis())
				.build();
			Watch watch = new Watch(request, listener);
			RemoteDatabases.this.server.keep(RemoteDatabases.this.watches, watch);
			watch.call.open();
			return watch.feed;
		}

	}

}
