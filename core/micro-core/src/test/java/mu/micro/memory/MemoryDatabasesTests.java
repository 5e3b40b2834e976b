package mu.micro.memory;

import java.time.Duration;

import mu.micro.store.Databases;
import mu.micro.tck.StoreContract;
import mu.micro.tck.TestClock;
import org.junit.jupiter.api.AfterEach;

class MemoryDatabasesTests extends StoreContract {

	private final TestClock clock = new TestClock();

	private final MemoryDatabases databases = new MemoryDatabases(this.clock);

	@Override
	protected Databases open() {
		return new MemoryDatabases(this.databases);
	}

	@Override
	protected void pass(Duration time) {
		this.clock.advance(time);
	}

	@AfterEach
	void closeDatabases() {
		this.databases.close();
	}

}
