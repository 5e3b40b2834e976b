package mu.micro.data;

import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Database;
import org.junit.jupiter.api.Test;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.data.keyvalue.core.KeyValueOperations;
import org.springframework.data.keyvalue.core.mapping.context.KeyValueMappingContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Repositories in an application context.
 */
class EnableMicroRepositoriesTests {

	@Test
	void anInterfaceIsAllThatIsNeeded() {
		try (MemoryDatabases databases = new MemoryDatabases()) {
			Account saved;
			try (AnnotationConfigApplicationContext context = start(databases)) {
				Accounts accounts = context.getBean(Accounts.class);
				saved = accounts.save(new Account(null, 0, "a@x", 1));
				assertThatExceptionOfType(DuplicateKeyException.class)
					.isThrownBy(() -> accounts.save(new Account(null, 0, "a@x", 2)));
				assertThat(context.getBean(KeyValueOperations.class)).isInstanceOf(DatabaseTemplate.class);
			}
			try (AnnotationConfigApplicationContext context = start(databases)) {
				assertThat(context.getBean(Accounts.class).findAll()).as("what outlived the application")
					.containsExactly(saved);
			}
		}
	}

	@Test
	void aTemplateOfOnesOwnIsUsed() {
		try (MemoryDatabases databases = new MemoryDatabases();
				AnnotationConfigApplicationContext context = context(databases)) {
			context.registerBean(MicroRepositoryConfigurationExtension.TEMPLATE, DatabaseTemplate.class,
					() -> new DatabaseTemplate(databases.in("own"), new KeyValueMappingContext<>()));
			context.register(Repositories.class);
			context.refresh();
			context.getBean(Books.class).save(new Book(1, "a"));
			assertThat(databases.in("own").table("mu.micro.data.Book").get(EntityKey.of(1))).isNotNull();
			assertThat(databases.in("app").tables()).doesNotContain("mu.micro.data.Book");
		}
	}

	private static AnnotationConfigApplicationContext start(MemoryDatabases databases) {
		AnnotationConfigApplicationContext context = context(databases);
		context.register(Repositories.class);
		context.refresh();
		return context;
	}

	private static AnnotationConfigApplicationContext context(MemoryDatabases databases) {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.registerBean(Database.class, () -> databases.in("app"));
		return context;
	}

	@Configuration(proxyBeanMethods = false)
	@EnableMicroRepositories
	static class Repositories {

	}

}
