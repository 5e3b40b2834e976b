package mu.micro.core;

import java.util.ArrayList;
import java.util.List;

import mu.micro.Scoped;
import mu.micro.auth.Rules;
import mu.micro.memory.MemoryDatabases;
import mu.micro.tck.RulesContract;
import org.junit.jupiter.api.AfterEach;

class StoreRulesTests extends RulesContract {

	private final List<MemoryDatabases> databases = new ArrayList<>(List.of(new MemoryDatabases()));

	@AfterEach
	void closeDatabases() {
		this.databases.forEach(MemoryDatabases::close);
	}

	@Override
	protected Scoped<Rules> open() {
		MemoryDatabases view = new MemoryDatabases(this.databases.get(0));
		this.databases.add(view);
		return new StoreRules(view);
	}

}
