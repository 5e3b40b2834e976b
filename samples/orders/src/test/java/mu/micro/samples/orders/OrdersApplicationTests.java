package mu.micro.samples.orders;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import mu.micro.store.Database;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class OrdersApplicationTests {

	@TempDir
	private Path data;

	@Test
	void twoWorkersBillEachOrderOnceAndAViewThatComesLateKnowsAll(CapturedOutput output) {
		try (ConfigurableApplicationContext one = start("billing");
				ConfigurableApplicationContext two = start("billing")) {
			try (ConfigurableApplicationContext till = start("orders")) {
				await(() -> assertThat(orders(output, "placed ")).hasSizeGreaterThan(20));
			}
			List<String> placed = orders(output, "placed ");
			assertThat(one.getBean(Database.class).table("orders").get(placed).entries()).hasSameSizeAs(placed);
			await(() -> assertThat(orders(output, "billed ")).hasSameSizeAs(placed));
			await(() -> assertThat(orders(output, "mailed ")).hasSameSizeAs(placed));
			assertThat(orders(output, "billed ")).containsExactlyInAnyOrderElementsOf(placed);
			assertThat(orders(output, "mailed ")).containsExactlyInAnyOrderElementsOf(placed);
			try (ConfigurableApplicationContext view = start("view")) {
				await(() -> assertThat(output).contains(placed.size() + " orders, "));
			}
		}
		assertThat(output).doesNotContain("Exception");
	}

	private static List<String> orders(CapturedOutput output, String what) {
		return output.getOut()
			.lines()
			.filter((line) -> line.startsWith(what))
			.map((line) -> line.substring(what.length()).split(":")[0])
			.toList();
	}

	private static void await(ThrowingRunnable assertion) {
		Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(assertion);
	}

	private ConfigurableApplicationContext start(String profile) {
		return SpringApplication.run(OrdersApplication.class, "--spring.profiles.active=" + profile,
				"--micro.data-dir=" + this.data, "--micro.registry.type=memory", "--orders.pause=20ms");
	}

}
