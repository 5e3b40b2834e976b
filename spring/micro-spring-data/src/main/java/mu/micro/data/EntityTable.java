package mu.micro.data;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.store.Database;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;

import org.springframework.dao.ConcurrencyFailureException;
import org.springframework.dao.DataRetrievalFailureException;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.InvalidDataAccessResourceUsageException;
import org.springframework.dao.NonTransientDataAccessException;
import org.springframework.dao.OptimisticLockingFailureException;

/**
 * The entities of one keyspace and the rows of their indexes. An entity and its rows are
 * written in one batch, on the condition that the entity is as it was when its old rows
 * were worked out, and that the indexes are the ones that were kept up.
 */
final class EntityTable {

	/**
	 * How often a write begins again because others were faster. One of them got through
	 * each time.
	 */
	static final int ATTEMPTS = 1000;

	/**
	 * How much longer rows stay than an entity that expires, so that it never is without
	 * them.
	 */
	static final Duration SLACK = Duration.ofSeconds(1);

	/**
	 * Different elements of a collection in an index, so that those of before and after
	 * fit into a batch.
	 */
	private static final int ELEMENTS = 400;

	private static final Log logger = LogFactory.getLog(EntityTable.class);

	private static final byte[] NOTHING = new byte[0];

	private final Database database;

	private final Store store;

	private final String keyspace;

	private final EntityType type;

	private final IndexCatalog catalog;

	private final Runnable missing;

	private final AtomicReference<@Nullable Upkeep> upkeep = new AtomicReference<>();

	private final ReentrantLock preparing = new ReentrantLock();

	private volatile boolean prepared;

	private volatile @Nullable RuntimeException failure;

	/**
	 * Reads nothing yet.
	 * @param database where the table is
	 * @param keyspace its name
	 * @param type what its entities are
	 * @param missing is called when an index that the type declares cannot be used
	 */
	EntityTable(Database database, String keyspace, EntityType type, Runnable missing) {
		this.database = database;
		this.store = database.table(keyspace);
		this.keyspace = keyspace;
		this.type = type;
		this.catalog = new IndexCatalog(database, keyspace);
		this.missing = missing;
	}

	EntityType type() {
		return this.type;
	}

	String keyspace() {
		return this.keyspace;
	}

	Store store() {
		return this.store;
	}

	Database database() {
		return this.database;
	}

	IndexCatalog catalog() {
		return this.catalog;
	}

	Store rows(IndexDefinition index) {
		return this.database.table(index.table(this.keyspace));
	}

	/**
	 * Makes sure that the indexes are as the type declares them. If that takes long and
	 * another thread is at it, this one goes on with what there is.
	 */
	private void prepare() {
		if (this.prepared) {
			return;
		}
		RuntimeException before = this.failure;
		if (before != null) {
			throw before;
		}
		rebuild();
	}

	/**
	 * Does so whether or not it was done, or failed, before.
	 */
	void rebuild() {
		if (!this.preparing.tryLock()) {
			return;
		}
		try {
			new IndexBuilder(this).run();
			this.prepared = true;
			this.failure = null;
		}
		catch (NonTransientDataAccessException | MicroException.Invalid ex) {
			this.failure = ex;
			throw ex;
		}
		finally {
			this.preparing.unlock();
		}
	}

	/**
	 * The indexes as far as this process knows.
	 * @return the last generation that it saw
	 */
	Upkeep upkeep() {
		prepare();
		return known();
	}

	/**
	 * The same while they are being prepared.
	 * @return the last generation that this process saw
	 */
	Upkeep known() {
		Upkeep known = this.upkeep.get();
		return (known != null) ? known : use(this.catalog.latest());
	}

	/**
	 * The indexes by which to write. What the running version cannot keep up it drops:
	 * queries scan then, and are right. Where that would give up that values are unique,
	 * it does not write.
	 * @return the last generation that this process saw
	 * @throws InvalidDataAccessResourceUsageException if a unique index cannot be kept up
	 */
	private Upkeep writable() {
		Upkeep known = upkeep();
		while (!known.foreign.isEmpty()) {
			List<String> paths = known.foreign.stream().map(IndexDefinition::path).toList();
			String what = "the index of '" + this.keyspace + "' on " + paths
					+ ", which another version declared, cannot be kept up: this version of "
					+ this.type.type().getName() + " does not have the property, or of another type";
			if (known.foreign.stream().anyMatch(IndexDefinition::unique)) {
				throw new InvalidDataAccessResourceUsageException(what
						+ ". Nothing is written, because values would not be unique any more. Update this instance");
			}
			logger.warn(what + ". It is dropped, and queries scan, until an instance that declares it builds it again");
			known = use(without(known));
		}
		if (!known.complete) {
			this.missing.run();
		}
		return known;
	}

	private Indexes without(Upkeep known) {
		try {
			return this.catalog.append(known.indexes,
					known.indexes.definitions()
						.stream()
						.map((each) -> known.foreign.contains(each) ? each.with(IndexDefinition.State.DROPPED) : each)
						.toList());
		}
		catch (MicroException.Conflict ex) {
			return this.catalog.latest();
		}
	}

	/**
	 * Takes over a generation, unless a later one is known.
	 * @param indexes the generation
	 * @return the last one known
	 */
	Upkeep use(Indexes indexes) {
		Upkeep next = Upkeep.of(indexes, this.type);
		Upkeep used = this.upkeep.accumulateAndGet(next, (known,
				given) -> (known != null && given != null && known.indexes.generation() >= given.indexes.generation())
						? known : given);
		return (used != null) ? used : next;
	}

	/**
	 * Looks whether indexes have changed, and takes over the change.
	 * @param known what was known
	 * @return whether they have
	 */
	boolean hasChanged(Upkeep known) {
		if (!this.catalog.isOver(known.indexes)) {
			return false;
		}
		use(this.catalog.latest());
		return true;
	}

	/**
	 * The index on a property, if queries may use it.
	 * @param known the indexes
	 * @param path the property
	 * @return its definition, or null
	 */
	@Nullable IndexDefinition index(Upkeep known, EntityPath path) {
		IndexDefinition index = known.indexes.ready(path);
		if (index == null && this.type.declares(path)) {
			this.missing.run();
		}
		return index;
	}

	/**
	 * The indexes by which a query reads.
	 * @param index the index whose rows it is going to read, or null
	 * @return the last generation that this process saw
	 * @throws IndexDroppedException if the index was dropped
	 */
	Upkeep using(@Nullable IndexDefinition index) {
		Upkeep known = upkeep();
		if (index != null && !known.indexes.definitions().contains(index)) {
			throw new IndexDroppedException(this.keyspace, index);
		}
		return known;
	}

	/**
	 * Makes sure, after rows were read, that they were all there.
	 * @param index whose rows
	 * @param known the indexes by which they were read
	 * @return the indexes as they are now
	 * @throws IndexDroppedException if the index was dropped meanwhile
	 */
	Upkeep check(IndexDefinition index, Upkeep known) {
		return hasChanged(known) ? using(index) : known;
	}

	@Nullable Stored get(String key) {
		Entry entry = this.store.get(key);
		return (entry != null) ? stored(entry) : null;
	}

	boolean contains(String key) {
		Limits.key(key);
		List<Entry> first = this.store.list(Query.prefix(key).withLimit(1).withKeysOnly()).entries();
		return !first.isEmpty() && first.get(0).key().equals(key);
	}

	/**
	 * An entry's entity.
	 * @param entry the entry
	 * @return the entity, with its version
	 */
	Stored stored(Entry entry) {
		return new Stored(entry.key(), this.type.withVersion(read(entry), entry.revision()), entry.revision());
	}

	Object read(Entry entry) {
		try {
			return this.type.read(entry.value());
		}
		catch (JacksonException ex) {
			throw new DataRetrievalFailureException("the entry '" + entry.key() + "' of table '" + this.keyspace
					+ "' cannot be read as " + this.type.type().getName() + ": " + ex.getOriginalMessage(), ex);
		}
	}

	/**
	 * Writes an entity and its rows.
	 * @param saving the entity
	 * @return its new revision
	 */
	long save(Saving saving) {
		Draft draft = draft(saving);
		Map<Row, Long> abandoned = new HashMap<>();
		for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
			Upkeep known = writable();
			List<TableWrite> writes = writes(draft, known, abandoned);
			writes.add(this.catalog.fence(known.indexes));
			try {
				return this.database.apply(writes).get(0);
			}
			catch (MicroException.Conflict ex) {
				if (!hasChanged(known)) {
					explain(draft, known, abandoned);
				}
			}
		}
		throw tooContended(saving.key);
	}

	/**
	 * Writes entities and their rows in as few batches as their number allows, in order.
	 * If one cannot be written, those before it are.
	 * @param savings the entities
	 * @return their new revisions
	 */
	List<Long> save(List<Saving> savings) {
		List<Long> revisions = new ArrayList<>(savings.size());
		Together batch = new Together(writable());
		for (Saving saving : savings) {
			try {
				Draft draft = draft(saving);
				List<TableWrite> writes = writes(draft, batch.known, Map.of());
				if (!batch.fits(writes)) {
					revisions.addAll(batch.apply());
					batch = new Together(writable());
					writes = writes(draft, batch.known, Map.of());
				}
				batch.add(writes, () -> save(saving));
			}
			catch (RuntimeException ex) {
				batch.apply();
				throw ex;
			}
		}
		revisions.addAll(batch.apply());
		return revisions;
	}

	private Draft draft(Saving saving) {
		EntityType.Content content = this.type.write(saving.entity);
		return new Draft(saving, content, this.type.ttl(saving.entity));
	}

	/*
	 * The entity comes first, its revision is asked for.
	 */
	private List<TableWrite> writes(Draft draft, Upkeep known, Map<Row, Long> abandoned) {
		String key = known.kept.isEmpty() ? draft.saving.key : IndexKey.checked(draft.saving.key);
		boolean fresh = draft.saving.mode == Mode.INSERT || known.kept.isEmpty();
		Entry before = fresh ? null : this.store.get(key);
		List<TableWrite> writes = new ArrayList<>();
		writes.add(new TableWrite(this.keyspace,
				Write.put(key, draft.content.json())
					.withWhen(condition(draft.saving, before, known))
					.withTtl(draft.ttl)
					.withMetadata(Map.of(EntityType.CONTENT_TYPE, EntityType.JSON))));
		Object old = (before != null) ? read(before) : null;
		boolean timed = draft.ttl != null || (before != null && before.expires() != null);
		for (Kept each : known.kept) {
			Set<Row> rows = newRows(each, draft.content.read(), key);
			Set<Row> oldRows = (old != null) ? rows(each, old, key) : Set.of();
			for (Row row : oldRows) {
				if (!rows.contains(row)) {
					remove(each, row, key, writes);
				}
			}
			for (Row row : rows) {
				boolean own = oldRows.contains(row) && each.index.isReady();
				if (!own || timed) {
					writes.add(put(row, key, own ? When.ALWAYS : condition(row, abandoned), draft.rowTtl()));
				}
			}
		}
		mark(known, key, writes);
		return writes;
	}

	private When condition(Saving saving, @Nullable Entry before, Upkeep known) {
		return switch (saving.mode) {
			case INSERT -> When.ABSENT;
			case UPDATE -> {
				if (!known.kept.isEmpty() && (before == null || before.revision() != saving.version)) {
					throw lost(saving.key, saving.version, before);
				}
				yield When.revision(saving.version);
			}
			case UPSERT -> {
				if (known.kept.isEmpty()) {
					yield When.ALWAYS;
				}
				yield (before != null) ? When.revision(before.revision()) : When.ABSENT;
			}
		};
	}

	private static When condition(Row row, Map<Row, Long> abandoned) {
		Long revision = abandoned.get(row);
		if (revision != null) {
			return When.revision(revision);
		}
		return row.unique ? When.ABSENT : When.ALWAYS;
	}

	/**
	 * The rows that an entity has in an index.
	 * @param kept the index
	 * @param entity the entity as it is read
	 * @param key its key
	 * @return the rows
	 */
	Set<Row> rows(Kept kept, Object entity, String key) {
		Set<Row> rows = new LinkedHashSet<>();
		String table = kept.index.table(this.keyspace);
		for (Object value : kept.path.values(entity)) {
			String begin = IndexKey.value((value != null) ? kept.index.form().text(value) : null);
			boolean unique = kept.index.unique() && value != null;
			rows.add(new Row(table, unique ? begin : begin + key, unique));
		}
		return rows;
	}

	/**
	 * The same for an entity that did not have them before.
	 * @param kept the index
	 * @param entity the entity as it is read
	 * @param key its key
	 * @return the rows
	 * @throws MicroException.Invalid if there are more than {@link #ELEMENTS}
	 */
	Set<Row> newRows(Kept kept, Object entity, String key) {
		Set<Row> rows = rows(kept, entity, key);
		if (rows.size() > ELEMENTS) {
			throw new MicroException.Invalid("'" + kept.path + "' of the entity with the id '" + key + "' has "
					+ rows.size() + " different elements, more than the limit of " + ELEMENTS + " in an index");
		}
		return rows;
	}

	/**
	 * Writes a row.
	 * @param row the row
	 * @param key the key of its entity
	 * @param when the condition
	 * @param ttl how long it stays
	 * @return the write
	 */
	static TableWrite put(Row row, String key, When when, @Nullable Duration ttl) {
		byte[] value = row.unique ? key.getBytes(StandardCharsets.UTF_8) : NOTHING;
		return new TableWrite(row.table, Write.put(row.key, value).withWhen(when).withTtl(ttl));
	}

	/*
	 * While a unique index is being built its row may be another entity's.
	 */
	private void remove(Kept kept, Row row, String key, List<TableWrite> writes) {
		Write delete = Write.delete(row.key);
		if (row.unique && kept.index.isBuilding()) {
			Entry entry = this.database.table(row.table).get(row.key);
			if (entry != null && !owner(entry).equals(key)) {
				return;
			}
			delete = delete.withWhen((entry != null) ? When.revision(entry.revision()) : When.ABSENT);
		}
		writes.add(new TableWrite(row.table, delete));
	}

	/*
	 * Tells those who build an index to leave this entity to its writer.
	 */
	private void mark(Upkeep known, String key, List<TableWrite> writes) {
		known.marks(this.keyspace).forEach((table) -> writes.add(new TableWrite(table, Write.put(key, NOTHING))));
	}

	/**
	 * The key of the entity that a unique row is of.
	 * @param row the row
	 * @return the key
	 */
	static String owner(Entry row) {
		return new String(row.value(), StandardCharsets.UTF_8);
	}

	/**
	 * Finds out who has a unique row.
	 * @param kept the index
	 * @param row the row
	 * @param entry its entry
	 * @param key the entity that wants it
	 * @return another entity that has it, or null if there is none
	 */
	@Nullable String holder(Kept kept, Row row, Entry entry, String key) {
		String owner = owner(entry);
		if (owner.equals(key)) {
			return null;
		}
		Entry other = this.store.get(owner);
		return (other != null && rows(kept, read(other), owner).contains(row)) ? owner : null;
	}

	/*
	 * Throws what cannot be helped. Rows that nobody has any more are taken over.
	 */
	private void explain(Draft draft, Upkeep known, Map<Row, Long> abandoned) {
		Saving saving = draft.saving;
		Entry entry = this.store.get(saving.key);
		if (saving.mode == Mode.INSERT && entry != null) {
			if (this.type.hasVersion(saving.entity)) {
				throw lost(saving.key, saving.version, entry);
			}
			throw new DuplicateKeyException("there is an entity with the id '" + saving.key + "' in '" + this.keyspace
					+ "' already; read and change it, or use another id");
		}
		if (saving.mode == Mode.UPDATE && (entry == null || entry.revision() != saving.version)) {
			throw lost(saving.key, saving.version, entry);
		}
		for (Kept each : known.kept) {
			for (Row row : rows(each, draft.content.read(), saving.key)) {
				Entry taken = row.unique ? this.database.table(row.table).get(row.key) : null;
				if (taken == null) {
					abandoned.remove(row);
					continue;
				}
				String holder = holder(each, row, taken, saving.key);
				if (holder != null) {
					throw new DuplicateKeyException(
							"'" + each.path + "' is unique in '" + this.keyspace + "', and the entity with the id '"
									+ holder + "' has the value of the one with the id '" + saving.key + "'");
				}
				abandoned.put(row, taken.revision());
			}
		}
	}

	private OptimisticLockingFailureException lost(String key, long version, @Nullable Entry now) {
		return new OptimisticLockingFailureException("the entity with the id '" + key + "' in '" + this.keyspace + "' "
				+ ((version > 0) ? "was read with version " + version : "is saved as a new one") + ", but "
				+ ((now != null) ? "has version " + now.revision() : "is not there")
				+ " by now; read it again and repeat the change");
	}

	private ConcurrencyFailureException tooContended(String key) {
		return new ConcurrencyFailureException("others changed the entity with the id '" + key + "' in '"
				+ this.keyspace + "' " + ATTEMPTS + " times meanwhile; try again later");
	}

	/**
	 * Deletes an entity and its rows.
	 * @param key its key
	 * @param version the version that it must have; 0 for any
	 * @param which whether to delete it as it is
	 * @return what was deleted, or null if there was nothing to delete
	 */
	@Nullable Stored delete(String key, long version, Predicate<Object> which) {
		for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
			Upkeep known = writable();
			Entry entry = this.store.get(key);
			if (version > 0 && (entry == null || entry.revision() != version)) {
				throw lost(key, version, entry);
			}
			if (entry == null) {
				return null;
			}
			Stored stored = stored(entry);
			if (!which.test(stored.entity())) {
				return null;
			}
			List<TableWrite> writes = deletes(entry, known);
			writes.add(this.catalog.fence(known.indexes));
			try {
				this.database.apply(writes);
				return stored;
			}
			catch (MicroException.Conflict ex) {
				hasChanged(known);
			}
		}
		throw tooContended(key);
	}

	private List<TableWrite> deletes(Entry entry, Upkeep known) {
		List<TableWrite> writes = new ArrayList<>();
		writes.add(new TableWrite(this.keyspace, Write.delete(entry.key()).withWhen(When.revision(entry.revision()))));
		if (!known.kept.isEmpty()) {
			Object old = read(entry);
			for (Kept each : known.kept) {
				rows(each, old, entry.key()).forEach((row) -> remove(each, row, entry.key(), writes));
			}
		}
		mark(known, entry.key(), writes);
		return writes;
	}

	/**
	 * Deletes all entities that are there when this begins, and their rows, in batches.
	 */
	void clear() {
		boolean keysOnly = writable().kept.isEmpty();
		Rows entries = new Rows(this.store, Interval.ALL, false, keysOnly, () -> {
		});
		Together batch = new Together(writable());
		while (entries.hasNext()) {
			Entry entry = entries.next();
			if (keysOnly && !batch.known.kept.isEmpty()) {
				delete(entry.key(), 0, (entity) -> true);
				continue;
			}
			List<TableWrite> writes = deletes(entry, batch.known);
			if (!batch.fits(writes)) {
				batch.apply();
				batch = new Together(writable());
			}
			batch.add(writes, () -> {
				Stored deleted = delete(entry.key(), 0, (entity) -> true);
				return (deleted != null) ? deleted.revision() : 0;
			});
		}
		batch.apply();
	}

	/**
	 * Writes of several entities, which are done one after the other where they cannot be
	 * done together.
	 */
	private final class Together {

		private final Upkeep known;

		private final Batch batch = new Batch();

		private final List<Integer> firsts = new ArrayList<>();

		private final List<LongSupplier> alone = new ArrayList<>();

		Together(Upkeep known) {
			this.known = known;
		}

		boolean fits(List<TableWrite> more) {
			return this.batch.fits(more);
		}

		void add(List<TableWrite> more, LongSupplier one) {
			this.firsts.add(this.batch.size());
			this.alone.add(one);
			this.batch.add(more);
		}

		List<Long> apply() {
			if (this.batch.isEmpty()) {
				return List.of();
			}
			try {
				List<Long> revisions = EntityTable.this.database
					.apply(this.batch.with(EntityTable.this.catalog.fence(this.known.indexes)));
				return this.firsts.stream().map(revisions::get).toList();
			}
			catch (MicroException.Conflict ex) {
				hasChanged(this.known);
				return this.alone.stream().map(LongSupplier::getAsLong).toList();
			}
		}

	}

	/**
	 * How an entity is to be written.
	 */
	enum Mode {

		/**
		 * As a new one.
		 */
		INSERT,

		/**
		 * In place of the version that was read.
		 */
		UPDATE,

		/**
		 * Whether or not there is one.
		 */
		UPSERT

	}

	/**
	 * An entity to write.
	 *
	 * @param key its key
	 * @param entity the entity
	 * @param mode how to write it
	 * @param version the version that was read, for an update
	 */
	record Saving(String key, Object entity, Mode mode, long version) {
	}

	private record Draft(Saving saving, EntityType.Content content, @Nullable Duration ttl) {

		@Nullable Duration rowTtl() {
			return (this.ttl != null) ? EntityType.within(this.ttl.plus(SLACK)) : null;
		}

	}

	/**
	 * A row of an index.
	 *
	 * @param table the index's table
	 * @param key the row's key
	 * @param unique whether the key is that of a value alone
	 */
	record Row(String table, String key, boolean unique) {
	}

	/**
	 * An index that is kept up.
	 *
	 * @param index the index
	 * @param path the property
	 */
	record Kept(IndexDefinition index, EntityPath path) {
	}

	/**
	 * A generation of indexes as the running version sees it.
	 *
	 * @param indexes the generation
	 * @param kept the indexes that it keeps up
	 * @param foreign the indexes that it cannot keep up
	 * @param complete whether all that it declares are kept up
	 */
	record Upkeep(Indexes indexes, List<Kept> kept, List<IndexDefinition> foreign, boolean complete) {

		static Upkeep of(Indexes indexes, EntityType type) {
			List<Kept> kept = new ArrayList<>();
			List<IndexDefinition> foreign = new ArrayList<>();
			for (IndexDefinition each : indexes.kept()) {
				EntityPath path = EntityPath.find(type.context(), type.type(), each.path());
				if (path != null && each.isOf(path)) {
					kept.add(new Kept(each, path));
				}
				else {
					foreign.add(each);
				}
			}
			boolean complete = type.declared()
				.stream()
				.allMatch((declared) -> kept.stream().anyMatch((each) -> each.index.isLike(declared)));
			return new Upkeep(indexes, List.copyOf(kept), List.copyOf(foreign), complete);
		}

		Set<String> marks(String keyspace) {
			Set<String> tables = new LinkedHashSet<>();
			for (Kept each : this.kept) {
				if (each.index.isBuilding()) {
					tables.add(each.index.marks(keyspace));
				}
			}
			return tables;
		}

	}

}
