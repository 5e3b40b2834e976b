package mu.micro.jdbc;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.core.StoreSync;
import mu.micro.sync.Sync;
import mu.micro.tck.LockProcess;

/**
 * Locks in a file, with a view of that file of their own; and a process that holds one.
 */
public final class SqliteSync implements Scoped<Sync> {

	private final JdbcDatabases databases;

	private final StoreSync sync;

	SqliteSync(Path file) {
		this.databases = JdbcDatabases.sqlite(file, Duration.ofSeconds(20), Clock.systemUTC());
		this.sync = new StoreSync(this.databases, Clock.systemUTC());
	}

	public static void main(String[] args) throws IOException {
		try (SqliteSync sync = new SqliteSync(Path.of(args[0]))) {
			LockProcess.hold(sync, args);
		}
	}

	@Override
	public Sync in(String namespace) {
		return this.sync.in(namespace);
	}

	@Override
	public void close() {
		this.sync.close();
		this.databases.close();
	}

}
