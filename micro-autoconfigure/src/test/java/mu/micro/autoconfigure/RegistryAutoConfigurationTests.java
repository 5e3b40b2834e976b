package mu.micro.autoconfigure;

import java.nio.file.Files;
import java.nio.file.Path;

import mu.micro.Scoped;
import mu.micro.local.LocalRegistry;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Registry;
import mu.micro.remote.RemoteRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

class RegistryAutoConfigurationTests {

	@TempDir
	private Path data;

	@Test
	void theRegistryIsLocalByDefault() {
		runner().run((context) -> {
			assertThat(context).hasSingleBean(LocalRegistry.class).hasSingleBean(Registry.class);
			assertThat(context.getBean(MicroProperties.class).profile()).isEqualTo(MicroProfile.LOCAL);
		});
	}

	@Test
	void aSpringProfileChoosesAndSoDoesTheProperty() {
		runner().withPropertyValues("spring.profiles.active=blue,test")
			.run((context) -> assertThat(context).hasSingleBean(MemoryRegistry.class));
		runner().withPropertyValues("spring.profiles.active=test", "micro.profile=service")
			.run((context) -> assertThat(context).hasSingleBean(RemoteRegistry.class));
	}

	@Test
	void oneNounCanBeChosenAlone() {
		runner().withPropertyValues("micro.registry.type=memory").run((context) -> {
			assertThat(context).hasSingleBean(MemoryRegistry.class);
			assertThat(context.getBean(MicroProperties.class).profile()).isEqualTo(MicroProfile.LOCAL);
		});
	}

	@Test
	void theUsersOwnRegistryIsLeftAlone() {
		runner().withUserConfiguration(OwnRegistry.class).run((context) -> {
			assertThat(context).doesNotHaveBean(LocalRegistry.class).hasSingleBean(Registry.class);
			assertThat(context).hasBean("ownRegistry");
		});
	}

	@Test
	void aProviderThatIsNotOnTheClassPathIsNamed() {
		runner().withClassLoader(new FilteredClassLoader("mu.micro.remote"))
			.withPropertyValues("micro.registry.type=remote")
			.run((context) -> {
				FailureAnalysis analysis = analyze(new MissingProviderFailureAnalyzer(), context.getStartupFailure());
				assertThat(analysis.getDescription()).contains("micro.registry.type is 'remote'");
				assertThat(analysis.getAction()).contains("mu.micro:micro-remote").contains("micro.registry.type");
			});
	}

	@Test
	void aDataDirectoryThatIsNoneIsNamed() throws Exception {
		Path file = Files.writeString(this.data.resolve("file"), "in the way");
		runner().withPropertyValues("micro.data-dir=" + file).run((context) -> {
			FailureAnalysis analysis = analyze(new MicroFailureAnalyzer(), context.getStartupFailure());
			assertThat(analysis.getDescription()).contains(file.toString()).contains("micro.data-dir");
		});
	}

	private ApplicationContextRunner runner() {
		return new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(RegistryAutoConfiguration.class))
			.withInitializer(new ProfileDefaults())
			.withPropertyValues("micro.data-dir=" + this.data);
	}

	private static FailureAnalysis analyze(FailureAnalyzer analyzer, Throwable failure) {
		assertThat(failure).isNotNull();
		FailureAnalysis analysis = analyzer.analyze(failure);
		assertThat(analysis).isNotNull();
		return analysis;
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnRegistry {

		@Bean
		Scoped<Registry> ownRegistry() {
			return new MemoryRegistry();
		}

	}

}
