package mu.micro.jdbc;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import mu.micro.Scoped;
import mu.micro.config.Config;
import mu.micro.core.Keyring;
import mu.micro.core.StoreConfig;
import mu.micro.tck.ConfigContract;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

class SqliteConfigTests extends ConfigContract {

	@TempDir
	private Path data;

	private final List<JdbcDatabases> databases = new ArrayList<>();

	@AfterEach
	void closeDatabases() {
		this.databases.forEach(JdbcDatabases::close);
	}

	@Override
	protected Scoped<Config> open() {
		JdbcDatabases view = JdbcDatabases.sqlite(this.data.resolve("store.db"), Duration.ofSeconds(20),
				Clock.systemUTC());
		this.databases.add(view);
		return new StoreConfig(view, Keyring.file(this.data.resolve("config-keys")));
	}

}
