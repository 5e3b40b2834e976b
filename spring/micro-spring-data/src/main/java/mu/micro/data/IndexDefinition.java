package mu.micro.data;

/**
 * An index, as it is recorded.
 *
 * @param path the property
 * @param form how its values stand in keys
 * @param unique whether a value has one row at most
 * @param many whether the property has many values
 * @param since the generation that it began with
 * @param state how far it is
 */
record IndexDefinition(String path, ValueForm form, boolean unique, boolean many, long since, State state) {

	/**
	 * How far an index is.
	 */
	enum State {

		/**
		 * All writers keep it up, but entities from before may have no rows.
		 */
		BUILDING,

		/**
		 * It has the rows of all entities.
		 */
		READY,

		/**
		 * Nobody keeps it up, and its rows are to be cleared away.
		 */
		DROPPED

	}

	/**
	 * Whether another definition is of the same index, whenever it began and how far it
	 * is.
	 * @param other the other
	 * @return whether it is
	 */
	boolean isLike(IndexDefinition other) {
		return this.path.equals(other.path) && this.form == other.form && this.unique == other.unique
				&& this.many == other.many;
	}

	/**
	 * Whether this index can be kept up from a property.
	 * @param property the property as the running version has it
	 * @return whether it can
	 */
	boolean isOf(EntityPath property) {
		return property.form() == this.form && property.isMany() == this.many;
	}

	boolean isKept() {
		return this.state != State.DROPPED;
	}

	boolean isReady() {
		return this.state == State.READY;
	}

	boolean isBuilding() {
		return this.state == State.BUILDING;
	}

	/**
	 * The table of the index's rows. Each incarnation has one of its own.
	 * @param keyspace the entities' table
	 * @return its name
	 */
	String table(String keyspace) {
		return keyspace + ":" + this.path + ":" + this.since;
	}

	/**
	 * The table in which writers mark the entities that they wrote while the index was
	 * being built.
	 * @param keyspace the entities' table
	 * @return its name
	 */
	String marks(String keyspace) {
		return keyspace + "::" + this.since;
	}

	IndexDefinition with(State next) {
		return new IndexDefinition(this.path, this.form, this.unique, this.many, this.since, next);
	}

	IndexDefinition since(long generation) {
		return new IndexDefinition(this.path, this.form, this.unique, this.many, generation, State.BUILDING);
	}

}
