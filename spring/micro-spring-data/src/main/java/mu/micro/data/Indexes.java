package mu.micro.data;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * One generation of the indexes of a table.
 *
 * @param generation counts them; 0 where none was ever recorded
 * @param revision the write that recorded this one
 * @param definitions the indexes
 */
record Indexes(long generation, long revision, List<IndexDefinition> definitions) {

	/**
	 * Copies the list.
	 */
	Indexes {
		definitions = List.copyOf(definitions);
	}

	/**
	 * The indexes that every write keeps up.
	 * @return their definitions
	 */
	List<IndexDefinition> kept() {
		return this.definitions.stream().filter(IndexDefinition::isKept).toList();
	}

	/**
	 * The index of a property that a query may use.
	 * @param property the property
	 * @return its definition, or null
	 */
	@Nullable IndexDefinition ready(EntityPath property) {
		return this.definitions.stream()
			.filter((each) -> each.isReady() && each.path().equals(property.name()) && each.isOf(property))
			.findFirst()
			.orElse(null);
	}

}
