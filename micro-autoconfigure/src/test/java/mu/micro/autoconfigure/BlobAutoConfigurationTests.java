package mu.micro.autoconfigure;

import java.io.InputStream;
import java.nio.file.Path;

import mu.micro.Scoped;
import mu.micro.blob.Blobs;
import mu.micro.local.FileBlobs;
import mu.micro.memory.MemoryBlobs;
import mu.micro.remote.RemoteBlobs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class BlobAutoConfigurationTests {

	@TempDir
	private Path data;

	@Test
	void blobsAreFilesByDefaultAndMadeByTheFirst() {
		runner().withPropertyValues("micro.namespace=orders").run((context) -> {
			Blobs blobs = context.getBean(Blobs.class);
			assertThat(context.getBean("microScopedBlobs")).isInstanceOf(FileBlobs.class);
			assertThat(blobs.list("", "", 10)).isEmpty();
			assertThat(this.data).isEmptyDirectory();
			blobs.put("key", "text/plain", InputStream.nullInputStream());
			assertThat(this.data.resolve("blobs/orders/key.blob")).isRegularFile();
		});
	}

	@Test
	void theProfileChoosesTheProvider() {
		runner().withPropertyValues("micro.profile=test")
			.run((context) -> assertThat(context.getBean("microScopedBlobs")).isInstanceOf(MemoryBlobs.class));
		runner().withPropertyValues("micro.profile=service")
			.run((context) -> assertThat(context.getBean("microScopedBlobs")).isInstanceOf(RemoteBlobs.class));
		runner().withPropertyValues("micro.blob.type=memory")
			.run((context) -> assertThat(context.getBean("microScopedBlobs")).isInstanceOf(MemoryBlobs.class));
	}

	@Test
	void theDirectoryCanBeElsewhere() {
		Path elsewhere = this.data.resolve("else/where");
		runner().withPropertyValues("micro.blob.directory=" + elsewhere).run((context) -> {
			context.getBean(Blobs.class).put("key", "text/plain", InputStream.nullInputStream());
			assertThat(elsewhere.resolve("micro/key.blob")).isRegularFile();
		});
	}

	@Test
	void theUsersOwnBlobsAreLeftAlone() {
		runner().withUserConfiguration(OwnBlobs.class).run((context) -> {
			context.getBean(Blobs.class).put("key", "text/plain", InputStream.nullInputStream());
			assertThat(context).hasBean("ownBlobs").doesNotHaveBean("microScopedBlobs");
			assertThat(this.data).isEmptyDirectory();
		});
	}

	@Test
	void aProviderThatIsNotOnTheClassPathIsNamed() {
		runner().withClassLoader(new FilteredClassLoader("mu.micro.local"))
			.run((context) -> assertThatThrownBy(() -> context.getBean(Blobs.class)).rootCause()
				.isInstanceOfSatisfying(MissingProviderException.class, (ex) -> {
					assertThat(ex.property()).isEqualTo("micro.blob.type");
					assertThat(ex.type().module()).isEqualTo("micro-local");
				}));
	}

	private ApplicationContextRunner runner() {
		return new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(BlobAutoConfiguration.class))
			.withInitializer(new ProfileDefaults())
			.withPropertyValues("micro.data-dir=" + this.data);
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnBlobs {

		@Bean
		Scoped<Blobs> ownBlobs() {
			return new MemoryBlobs();
		}

	}

}
