package mu.micro.data;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import mu.micro.Limits;
import mu.micro.store.TableWrite;

/**
 * Writes of several entities that can be done together, with a fence.
 */
final class Batch {

	private final List<TableWrite> writes = new ArrayList<>();

	private final Set<Map.Entry<String, String>> keys = new HashSet<>();

	private long size;

	boolean isEmpty() {
		return this.writes.isEmpty();
	}

	int size() {
		return this.writes.size();
	}

	/**
	 * Whether writes can be done together with those that are here. The first always can.
	 * @param more the writes of one entity
	 * @return whether they can
	 */
	boolean fits(List<TableWrite> more) {
		return this.writes.isEmpty()
				|| (this.writes.size() + more.size() < Limits.BATCH && this.size + size(more) <= Limits.BATCH_BYTES
						&& more.stream().noneMatch((each) -> this.keys.contains(key(each))));
	}

	void add(List<TableWrite> more) {
		this.writes.addAll(more);
		more.forEach((each) -> this.keys.add(key(each)));
		this.size += size(more);
	}

	List<TableWrite> with(TableWrite fence) {
		List<TableWrite> all = new ArrayList<>(this.writes);
		all.add(fence);
		return all;
	}

	private static Map.Entry<String, String> key(TableWrite each) {
		return Map.entry(each.table(), each.write().key());
	}

	private static long size(List<TableWrite> writes) {
		return writes.stream().mapToLong((each) -> {
			byte[] value = each.write().value();
			return (value != null) ? value.length : 0;
		}).sum();
	}

}
