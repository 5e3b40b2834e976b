package mu.micro.autoconfigure;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

import mu.micro.jdbc.JdbcDatabases;
import mu.micro.memory.MemoryDatabases;
import mu.micro.remote.RemoteDatabases;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Store;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class StoreAutoConfigurationTests {

	@TempDir
	private Path data;

	@Test
	void theStoreIsAFileByDefaultAndOpenedByItsFirstUse() {
		runner().withPropertyValues("spring.application.name=orders").run((context) -> {
			assertThat(this.data).isEmptyDirectory();
			Store store = context.getBean(Store.class);
			store.put("key", "value".getBytes(StandardCharsets.UTF_8));
			assertThat(context.getBean(Databases.class)).isInstanceOf(JdbcDatabases.class);
			assertThat(this.data.resolve("store.db")).isRegularFile();
			assertThat(context.getBean(Database.class).tables()).containsExactly("orders");
		});
	}

	@Test
	void theProfileChoosesTheStore() {
		runner().withPropertyValues("micro.profile=test")
			.run((context) -> assertThat(context.getBean(Databases.class)).isInstanceOf(MemoryDatabases.class));
		runner().withPropertyValues("micro.profile=service")
			.run((context) -> assertThat(context.getBean(Databases.class)).isInstanceOf(RemoteDatabases.class));
	}

	@Test
	void theFileCanBeElsewhere() {
		Path file = this.data.resolve("elsewhere/data.db");
		runner().withPropertyValues("micro.sqlite.file=" + file).run((context) -> {
			context.getBean(Store.class).put("key", new byte[0]);
			assertThat(file).isRegularFile();
		});
	}

	@Test
	void theUsersOwnStoreIsLeftAlone() {
		runner().withUserConfiguration(OwnDatabases.class).run((context) -> {
			context.getBean(Store.class).put("key", new byte[0]);
			assertThat(context).hasSingleBean(Databases.class).hasBean("ownDatabases");
			assertThat(this.data).isEmptyDirectory();
		});
	}

	@Test
	void aProviderThatIsNotOnTheClassPathIsNamed() {
		runner().withClassLoader(new FilteredClassLoader("mu.micro.jdbc"))
			.run((context) -> assertThatThrownBy(() -> context.getBean(Database.class)).rootCause()
				.isInstanceOfSatisfying(MissingProviderException.class, (ex) -> {
					assertThat(ex.property()).isEqualTo("micro.store.type");
					assertThat(ex.type().module()).isEqualTo("micro-jdbc");
				}));
	}

	@Test
	void aFileThatIsNoStoreIsNamed() throws Exception {
		Files.writeString(this.data.resolve("store.db"), "this is no database, and was never one\n".repeat(100));
		runner().run((context) -> assertThatThrownBy(() -> context.getBean(Store.class).get("key"))
			.hasStackTraceContaining("mu.micro.MicroException")
			.hasStackTraceContaining(this.data.resolve("store.db").toString()));
	}

	private ApplicationContextRunner runner() {
		return new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(StoreAutoConfiguration.class))
			.withInitializer(new ProfileDefaults())
			.withPropertyValues("micro.data-dir=" + this.data);
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnDatabases {

		@Bean
		Databases ownDatabases() {
			return new MemoryDatabases();
		}

	}

}
