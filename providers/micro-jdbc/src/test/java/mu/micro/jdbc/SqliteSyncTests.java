package mu.micro.jdbc;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.sync.Sync;
import mu.micro.tck.LockProcess;
import mu.micro.tck.SyncContract;
import org.junit.jupiter.api.io.TempDir;

/**
 * Locks of views and processes that share nothing but a file.
 */
class SqliteSyncTests extends SyncContract {

	@TempDir
	private Path directory;

	@Override
	protected Scoped<Sync> open() {
		return new SqliteSync(file());
	}

	@Override
	protected Duration shortestTtl() {
		return Duration.ofSeconds(1);
	}

	@Override
	protected Node start(String namespace, String name, Duration ttl) throws IOException {
		return LockProcess.start(SqliteSync.class, namespace, name, ttl, file().toString());
	}

	private Path file() {
		return this.directory.resolve("store.db");
	}

}
