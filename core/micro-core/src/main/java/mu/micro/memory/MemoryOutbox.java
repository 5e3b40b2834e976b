package mu.micro.memory;

import java.util.List;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.events.Append;
import mu.micro.events.Outbox;
import mu.micro.store.TableWrite;

/**
 * Outboxes over databases and events within one JVM. What is written comes first, because
 * it may be refused; appending to memory cannot fail after that.
 */
public final class MemoryOutbox implements Scoped<Outbox> {

	private final MemoryDatabases databases;

	private final MemoryEvents events;

	private volatile boolean closed;

	/**
	 * Outboxes.
	 * @param databases where to write
	 * @param events where to append
	 */
	public MemoryOutbox(MemoryDatabases databases, MemoryEvents events) {
		this.databases = databases;
		this.events = events;
	}

	@Override
	public Outbox in(String namespace) {
		Limits.name("namespace", namespace);
		return (writes, appends) -> {
			if (this.closed) {
				throw new MicroException.Unavailable("the outbox is closed");
			}
			List<TableWrite> checked = writes.isEmpty() ? List.of() : TableWrite.batch(writes);
			return this.events.append(namespace, () -> {
				if (!checked.isEmpty()) {
					this.databases.in(namespace).apply(checked);
				}
			}, Append.batch(checked, appends));
		};
	}

	/**
	 * Ends the outboxes, not the databases and the events.
	 */
	@Override
	public void close() {
		this.closed = true;
	}

}
