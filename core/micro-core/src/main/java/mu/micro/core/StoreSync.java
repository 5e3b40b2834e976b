package mu.micro.core;

import java.time.Clock;

import mu.micro.store.Databases;

/**
 * Locks and leaders on any store, by {@link StoreLocks}. Its shortest ttl is a second.
 * Processes whose clocks differ exclude each other all the same; only when a dead
 * holder's lock is free is told by the store's clock.
 */
public final class StoreSync extends LeasedSync {

	/**
	 * Sync over a store.
	 * @param databases the store; not closed by this
	 * @param clock this machine's time
	 */
	public StoreSync(Databases databases, Clock clock) {
		super(new StoreLocks(databases, clock), clock);
	}

}
