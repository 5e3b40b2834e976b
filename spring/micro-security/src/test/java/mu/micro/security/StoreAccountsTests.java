package mu.micro.security;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import mu.micro.Scoped;
import mu.micro.auth.Accounts;
import mu.micro.jdbc.JdbcDatabases;
import mu.micro.tck.AccountsContract;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;

class StoreAccountsTests extends AccountsContract {

	@TempDir
	private Path data;

	private final List<JdbcDatabases> databases = new ArrayList<>();

	@AfterEach
	void closeDatabases() {
		this.databases.forEach(JdbcDatabases::close);
	}

	@Override
	protected Scoped<Accounts> open() {
		JdbcDatabases view = JdbcDatabases.sqlite(this.data.resolve("store.db"), Duration.ofSeconds(20),
				Clock.systemUTC());
		this.databases.add(view);
		return new StoreAccounts(view);
	}

}
