package mu.micro.data;

import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import mu.micro.store.Database;
import mu.micro.store.Entry;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;

/**
 * A real database at which batches meet with mishaps.
 */
final class FaultyDatabase implements Database {

	private final Database real;

	private final Consumer<List<TableWrite>> mishap;

	/**
	 * A database.
	 * @param real does the work
	 * @param mishap is told of each batch before it is done, and may throw
	 */
	FaultyDatabase(Database real, Consumer<List<TableWrite>> mishap) {
		this.real = real;
		this.mishap = mishap;
	}

	@Override
	public Store table(String name) {
		return this.real.table(name);
	}

	@Override
	public Set<String> tables() {
		return this.real.tables();
	}

	@Override
	public List<Long> apply(List<TableWrite> writes) {
		this.mishap.accept(writes);
		return this.real.apply(writes);
	}

	@Override
	public long snapshot(BiConsumer<String, Entry> sink) {
		return this.real.snapshot(sink);
	}

}
