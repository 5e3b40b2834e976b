package mu.micro.autoconfigure;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

import mu.micro.core.StoreSync;
import mu.micro.remote.RemoteSync;
import mu.micro.spring.LeaderOnly;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;

import static org.assertj.core.api.Assertions.assertThat;

class SyncAutoConfigurationTests {

	@TempDir
	private Path data;

	@Test
	void locksAreInTheStoreByDefaultAndNothingIsOpenedBeforeTheFirst() {
		runner().run((context) -> {
			assertThat(this.data).isEmptyDirectory();
			Sync sync = context.getBean(Sync.class);
			assertThat(context.getBean("microSyncs")).isInstanceOf(StoreSync.class);
			try (Lock lock = sync.lock("one", Duration.ofSeconds(10), Duration.ZERO)) {
				assertThat(lock).isNotNull();
				runner().run((other) -> assertThat(
						other.getBean(Sync.class).lock("one", Duration.ofSeconds(10), Duration.ZERO))
					.isNull());
			}
		});
	}

	@Test
	void theProfileChoosesTheProvider() {
		runner().withPropertyValues("micro.profile=service")
			.run((context) -> assertThat(context.getBean("microSyncs")).isInstanceOf(RemoteSync.class));
	}

	@Test
	void scheduledWorkRunsOnTheLeaderAlone() {
		runner().withUserConfiguration(Scheduling.class).run((one) -> {
			Work first = one.getBean(Work.class);
			Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> first.runs() > 0);
			runner().withUserConfiguration(Scheduling.class).run((two) -> {
				int before = first.runs();
				Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> first.runs() > before + 20);
				assertThat(two.getBean(Work.class).runs()).isZero();
			});
		});
	}

	private ApplicationContextRunner runner() {
		return new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(StoreAutoConfiguration.class, SyncAutoConfiguration.class))
			.withInitializer(new ProfileDefaults())
			.withPropertyValues("micro.data-dir=" + this.data);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableScheduling
	@Import(Work.class)
	static class Scheduling {

	}

	static class Work {

		private final AtomicInteger runs = new AtomicInteger();

		@Scheduled(fixedDelay = 20)
		@LeaderOnly("work")
		void run() {
			this.runs.incrementAndGet();
		}

		int runs() {
			return this.runs.get();
		}

	}

}
