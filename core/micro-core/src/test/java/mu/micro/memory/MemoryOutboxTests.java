package mu.micro.memory;

import mu.micro.events.Retention;
import mu.micro.tck.OutboxContract;
import org.junit.jupiter.api.AfterEach;

class MemoryOutboxTests extends OutboxContract {

	private final MemoryDatabases databases = new MemoryDatabases();

	private final MemoryEvents events = new MemoryEvents();

	@Override
	protected View open() {
		MemoryDatabases view = new MemoryDatabases(this.databases);
		MemoryEvents viewed = new MemoryEvents(this.events, Retention.DEFAULT);
		return new View(new MemoryOutbox(view, viewed), view, viewed);
	}

	@AfterEach
	void closeAll() {
		this.events.close();
		this.databases.close();
	}

}
