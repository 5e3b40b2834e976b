package mu.micro.core;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

import mu.micro.Scoped;
import mu.micro.config.Config;
import mu.micro.memory.MemoryDatabases;
import mu.micro.tck.ConfigContract;
import org.junit.jupiter.api.AfterEach;

class StoreConfigTests extends ConfigContract {

	private final List<MemoryDatabases> databases = new ArrayList<>(List.of(new MemoryDatabases()));

	private final Keyring keys = Keyring.of(List.of(Base64.getEncoder().encodeToString(new byte[32])));

	@AfterEach
	void closeDatabases() {
		this.databases.forEach(MemoryDatabases::close);
	}

	@Override
	protected Scoped<Config> open() {
		MemoryDatabases view = new MemoryDatabases(this.databases.get(0));
		this.databases.add(view);
		return new StoreConfig(view, this.keys);
	}

}
