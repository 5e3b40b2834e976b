package mu.micro.core;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import mu.micro.Scoped;
import mu.micro.memory.MemoryDatabases;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import mu.micro.tck.SyncContract;
import org.junit.jupiter.api.AfterEach;

import static org.assertj.core.api.Assertions.assertThat;

class StoreSyncTests extends SyncContract {

	private final MemoryDatabases databases = new MemoryDatabases();

	private final List<MemoryDatabases> views = new ArrayList<>();

	@AfterEach
	void closeDatabases() {
		this.views.forEach(MemoryDatabases::close);
		this.databases.close();
	}

	@Override
	protected Scoped<Sync> open() {
		return new StoreSync(databases(), Clock.systemUTC());
	}

	@Override
	protected Duration shortestTtl() {
		return Duration.ofSeconds(1);
	}

	@Override
	protected Node start(String namespace, String name, Duration ttl) {
		TroubledDatabases databases = new TroubledDatabases(databases());
		StoreSync sync = new StoreSync(databases, Clock.systemUTC());
		Lock lock = sync.in(namespace).lock(name, ttl, Duration.ZERO);
		assertThat(lock).isNotNull();
		return new CutOff(databases, sync, lock);
	}

	private MemoryDatabases databases() {
		MemoryDatabases view = new MemoryDatabases(this.databases);
		this.views.add(view);
		return view;
	}

	/**
	 * A holder whose store stands still or is away, which to all others is the same as if
	 * its process was stopped or killed.
	 */
	private static final class CutOff implements Node {

		private final TroubledDatabases databases;

		private final StoreSync sync;

		private final Lock lock;

		private final AtomicBoolean lost = new AtomicBoolean();

		CutOff(TroubledDatabases databases, StoreSync sync, Lock lock) {
			this.databases = databases;
			this.sync = sync;
			this.lock = lock;
			lock.onLost(() -> this.lost.set(true));
		}

		@Override
		public boolean held() {
			return this.lock.held();
		}

		@Override
		public boolean lost() {
			return this.lost.get();
		}

		@Override
		public void unlock() {
			this.lock.close();
		}

		@Override
		public void pause() {
			this.databases.stop();
		}

		@Override
		public void resume() {
			this.databases.go();
		}

		@Override
		public void kill() {
			this.databases.away(true);
			this.databases.go();
			this.sync.close();
		}

	}

}
