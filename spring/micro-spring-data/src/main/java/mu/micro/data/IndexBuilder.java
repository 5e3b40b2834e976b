package mu.micro.data;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

import mu.micro.MicroException;
import mu.micro.data.EntityTable.Kept;
import mu.micro.data.EntityTable.Row;
import mu.micro.data.EntityTable.Upkeep;
import mu.micro.data.IndexDefinition.State;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.dao.ConcurrencyFailureException;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.NonTransientDataAccessException;

/**
 * Makes the indexes of a table what its type declares, while others read and write.
 * <p>
 * First the new definitions are recorded. From then on every writer keeps them up, and
 * marks each entity that it writes. Then the entities that were there before get their
 * rows, in batches that ask that nobody has marked the entity: who marked it has written
 * its rows. Several instances may do this at once, and one that dies leaves nothing that
 * the next cannot go on with.
 */
final class IndexBuilder {

	private static final Log logger = LogFactory.getLog(IndexBuilder.class);

	private final EntityTable table;

	IndexBuilder(EntityTable table) {
		this.table = table;
	}

	/**
	 * Does it.
	 * @throws DuplicateKeyException if values are to be unique and are not
	 * @throws NonTransientDataAccessException if there is an entity that cannot have an
	 * index; what was begun is dropped again
	 * @throws MicroException.Invalid if the key of one is too long for that
	 */
	void run() {
		declare();
		List<Kept> building = building();
		for (int attempt = 0; !building.isEmpty(); attempt++) {
			if (attempt == EntityTable.ATTEMPTS) {
				throw contended();
			}
			try {
				build(building);
			}
			catch (NonTransientDataAccessException | MicroException.Invalid ex) {
				List<IndexDefinition> failed = building.stream().map(Kept::index).toList();
				change((each) -> failed.contains(each) ? each.with(State.DROPPED) : each);
				throw ex;
			}
			building = building();
		}
		clear();
	}

	private List<Kept> building() {
		return this.table.known().kept().stream().filter((each) -> each.index().isBuilding()).toList();
	}

	private void declare() {
		for (int attempt = 0; attempt < EntityTable.ATTEMPTS; attempt++) {
			Indexes last = this.table.catalog().latest();
			List<IndexDefinition> declared = declared(last);
			if (declared.equals(last.definitions())) {
				this.table.use(last);
				return;
			}
			try {
				this.table.use(this.table.catalog().append(last, declared));
				return;
			}
			catch (MicroException.Conflict ex) {
				logger.debug("Another instance changed the indexes of '" + this.table.keyspace() + "' meanwhile");
			}
		}
		throw contended();
	}

	private List<IndexDefinition> declared(Indexes last) {
		List<IndexDefinition> next = new ArrayList<>();
		for (IndexDefinition each : last.definitions()) {
			boolean wanted = this.table.type().declared().stream().anyMatch(each::isLike);
			next.add((wanted || !each.isKept()) ? each : each.with(State.DROPPED));
		}
		for (IndexDefinition each : this.table.type().declared()) {
			if (next.stream().noneMatch((one) -> one.isKept() && one.isLike(each))) {
				next.add(each.since(last.generation() + 1));
			}
		}
		return next;
	}

	private void build(List<Kept> building) {
		logger.info("Building " + names(building) + " of '" + this.table.keyspace() + "'");
		long count = 0;
		Upkeep known = this.table.known();
		Rows entries = new Rows(this.table.store(), Interval.ALL, false, false, () -> {
		});
		List<String> keys = new ArrayList<>();
		Batch batch = new Batch();
		while (entries.hasNext() && isBuilding(known, building)) {
			Entry entry = entries.next();
			count++;
			if (entry.revision() > known.indexes().revision()) {
				continue;
			}
			List<TableWrite> more = writes(entry, building);
			if (!batch.fits(more)) {
				known = apply(known, building, keys, batch);
				keys.clear();
				batch = new Batch();
			}
			keys.add(entry.key());
			batch.add(more);
		}
		known = apply(known, building, keys, batch);
		if (finish(known, building)) {
			logger.info("Built " + names(building) + " of '" + this.table.keyspace() + "' from " + count + " entities");
		}
	}

	private static String names(List<Kept> building) {
		return building.stream()
			.map((each) -> "the index on '" + each.index().path() + "'")
			.collect(Collectors.joining(" and "));
	}

	private static boolean isBuilding(Upkeep known, List<Kept> building) {
		return known.indexes().definitions().containsAll(building.stream().map(Kept::index).toList());
	}

	private List<TableWrite> writes(Entry entry, List<Kept> building) {
		String key = IndexKey.checked(entry.key());
		List<TableWrite> writes = new ArrayList<>();
		marks(building).forEach((marks) -> writes.add(unmarked(marks, key)));
		Object entity = this.table.read(entry);
		for (Kept each : building) {
			for (Row row : this.table.newRows(each, entity, key)) {
				writes.add(EntityTable.put(row, key, row.unique() ? When.ABSENT : When.ALWAYS, ttl(entry)));
			}
		}
		return writes;
	}

	private @Nullable Duration ttl(Entry entry) {
		return this.table.type().until(entry.expires(), EntityTable.SLACK);
	}

	private Set<String> marks(List<Kept> building) {
		Set<String> tables = new LinkedHashSet<>();
		building.forEach((each) -> tables.add(each.index().marks(this.table.keyspace())));
		return tables;
	}

	private static TableWrite unmarked(String marks, String key) {
		return new TableWrite(marks, Write.delete(key).withWhen(When.ABSENT));
	}

	private Upkeep apply(Upkeep known, List<Kept> building, List<String> keys, Batch batch) {
		if (batch.isEmpty()) {
			return known;
		}
		try {
			this.table.database().apply(batch.with(this.table.catalog().fence(known.indexes())));
			return known;
		}
		catch (MicroException.Conflict ex) {
			Upkeep now = known;
			for (String key : keys) {
				now = apply(now, building, key);
			}
			return now;
		}
	}

	/*
	 * One entity, with a look at what is in the way.
	 */
	private Upkeep apply(Upkeep known, List<Kept> building, String key) {
		Upkeep now = known;
		for (int attempt = 0; attempt < EntityTable.ATTEMPTS; attempt++) {
			if (this.table.hasChanged(now)) {
				now = this.table.known();
			}
			Entry entry = this.table.store().get(key);
			boolean marked = marks(building).stream().anyMatch((marks) -> isThere(marks, key));
			if (entry == null || marked || !isBuilding(now, building)) {
				return now;
			}
			List<TableWrite> batch = new ArrayList<>();
			marks(building).forEach((marks) -> batch.add(unmarked(marks, key)));
			Object entity = this.table.read(entry);
			for (Kept each : building) {
				for (Row row : this.table.newRows(each, entity, key)) {
					batch.add(EntityTable.put(row, key, condition(each, row, key), ttl(entry)));
				}
			}
			batch.add(this.table.catalog().fence(now.indexes()));
			try {
				this.table.database().apply(batch);
				return now;
			}
			catch (MicroException.Conflict ex) {
				logger.debug("The entity '" + key + "' of '" + this.table.keyspace() + "' was written meanwhile");
			}
		}
		throw contended();
	}

	private boolean isThere(String marks, String key) {
		return this.table.database().table(marks).get(key) != null;
	}

	private When condition(Kept kept, Row row, String key) {
		Entry taken = row.unique() ? this.table.database().table(row.table()).get(row.key()) : null;
		if (taken == null) {
			return row.unique() ? When.ABSENT : When.ALWAYS;
		}
		String holder = this.table.holder(kept, row, taken, key);
		if (holder != null) {
			throw new DuplicateKeyException("'" + kept.path() + "' cannot be unique in '" + this.table.keyspace()
					+ "': the entities with the ids '" + holder + "' and '" + key
					+ "' have the same value. Change one of them, or declare the index without 'unique'");
		}
		return When.revision(taken.revision());
	}

	private boolean finish(Upkeep known, List<Kept> building) {
		List<IndexDefinition> built = building.stream().map(Kept::index).toList();
		return isBuilding(known, building) && change((each) -> built.contains(each) ? each.with(State.READY) : each);
	}

	/*
	 * Whoever reads by a dropped index looks at the catalog after each page, and whoever
	 * wrote to it cannot any more.
	 */
	private void clear() {
		List<IndexDefinition> dropped = new ArrayList<>();
		for (IndexDefinition each : this.table.known().indexes().definitions()) {
			if (!each.isBuilding()) {
				empty(each.marks(this.table.keyspace()));
			}
			if (!each.isKept()) {
				empty(each.table(this.table.keyspace()));
				dropped.add(each);
			}
		}
		if (!dropped.isEmpty()) {
			change((each) -> dropped.contains(each) ? null : each);
		}
	}

	private void empty(String name) {
		Store store = this.table.database().table(name);
		List<Entry> entries = store.list(Query.ALL.withKeysOnly()).entries();
		while (!entries.isEmpty()) {
			this.table.database()
				.apply(entries.stream().map((each) -> new TableWrite(name, Write.delete(each.key()))).toList());
			entries = store.list(Query.ALL.withKeysOnly()).entries();
		}
	}

	/*
	 * What another instance has changed already stays so.
	 */
	private boolean change(Function<IndexDefinition, @Nullable IndexDefinition> change) {
		for (int attempt = 0; attempt < EntityTable.ATTEMPTS; attempt++) {
			Indexes last = this.table.catalog().latest();
			List<IndexDefinition> next = last.definitions().stream().map(change).filter(Objects::nonNull).toList();
			if (next.equals(last.definitions())) {
				this.table.use(last);
				return false;
			}
			try {
				this.table.use(this.table.catalog().append(last, next));
				return true;
			}
			catch (MicroException.Conflict ex) {
				logger.debug("Another instance changed the indexes of '" + this.table.keyspace() + "' meanwhile");
			}
		}
		throw contended();
	}

	private ConcurrencyFailureException contended() {
		return new ConcurrencyFailureException("others changed '" + this.table.keyspace() + "' " + EntityTable.ATTEMPTS
				+ " times while its indexes were being built; try again later");
	}

}
