package mu.micro.remote;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import mu.micro.Limits;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import mu.micro.tck.StoreContract;
import mu.micro.tck.TestClock;
import org.junit.jupiter.api.AfterEach;

class RemoteDatabasesTests extends StoreContract {

	private final TestClock clock = new TestClock();

	private final TestServer server = new TestServer(0, new MemoryDatabases(this.clock));

	@AfterEach
	void endServer() {
		this.server.close();
	}

	@Override
	protected Databases open() {
		return new RemoteDatabases(this.server.address(), Duration.ofSeconds(10));
	}

	@Override
	protected void pass(Duration time) {
		this.clock.advance(time);
	}

	/*
	 * What is on its way to a client is not forgotten by the server, and that is up to a
	 * megabyte.
	 */
	@Override
	protected void forget(Database database, String name) {
		String filler = "x".repeat(Limits.KEY / 2);
		for (int round = 0; round < 12; round++) {
			List<TableWrite> puts = new ArrayList<>();
			List<TableWrite> deletes = new ArrayList<>();
			for (int i = 0; i < Limits.BATCH; i++) {
				String key = "forgotten-" + filler + round + "-" + i;
				puts.add(new TableWrite(name, Write.put(key, new byte[0])));
				deletes.add(new TableWrite(name, Write.delete(key)));
			}
			database.apply(puts);
			database.apply(deletes);
		}
	}

}
