package mu.micro.samples.notes;

import java.nio.file.Path;
import java.time.Duration;

import mu.micro.config.Config;
import mu.micro.config.Json;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class NotesApplicationTests {

	@TempDir
	private Path data;

	@Test
	void twoInstancesShareNotesSettingsAndOneReminder(CapturedOutput output) {
		try (ConfigurableApplicationContext one = start()) {
			said(output, "You have: nothing yet");
			try (ConfigurableApplicationContext two = start("--add=milk", "--add=bread", "--greet=Think of")) {
				said(output, "Think of: bread, milk");
				one.close();
				two.getBean(Notes.class).save(new Note(null, "salt"));
				said(output, "Think of: bread, milk, salt");
				two.getBean(Config.class).set("notes.greeting", Json.of("Bring"), false);
				said(output, "Bring: bread, milk, salt");
			}
		}
		assertThat(output).doesNotContain("Exception");
	}

	private static void said(CapturedOutput output, String line) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(30))
			.untilAsserted(() -> assertThat(output.getOut().lines()).contains(line));
	}

	private ConfigurableApplicationContext start(String... arguments) {
		String[] all = new String[arguments.length + 2];
		all[0] = "--micro.data-dir=" + this.data;
		all[1] = "--micro.registry.type=memory";
		System.arraycopy(arguments, 0, all, 2, arguments.length);
		return SpringApplication.run(NotesApplication.class, all);
	}

}
