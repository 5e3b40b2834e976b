package mu.micro.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

import mu.micro.config.Json;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class ConfigCommandsTests {

	private Stage stage;

	@BeforeEach
	void start() throws IOException {
		this.stage = new Stage("config");
	}

	@AfterEach
	void stop() throws InterruptedException {
		this.stage.close();
	}

	@Test
	void whatIsSetIsRead() {
		assertThat(micro("config", "set", "db.host", "one.example")).isEqualTo(Stage.Ran.of(""));
		assertThat(this.stage.header("micro-service")).isEqualTo("config");
		assertThat(micro("config", "set", "db.pool.size", "10")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("config", "get", "db.host")).isEqualTo(Stage.Ran.of("one.example\n"));
		assertThat(micro("config", "get", "db.pool.size")).isEqualTo(Stage.Ran.of("10\n"));
		assertThat(micro("config", "get", "db.pool")).isEqualTo(Stage.Ran.of("{\n  \"size\": 10\n}\n"));
		assertThat(micro("config", "get").out())
			.isEqualTo("{\n  \"db\": {\n    \"host\": \"one.example\",\n    \"pool\": {\n      \"size\": 10\n"
					+ "    }\n  }\n}\n");
		assertThat(micro("config", "get", "db.host", "--output=json").out()).isEqualTo("\"one.example\"\n");
		assertThat(micro("config", "get", "--output=json").out())
			.isEqualTo("{\"db\":{\"host\":\"one.example\",\"pool\":{\"size\":10}}}\n");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
			10 | 10
			1.50 | 1.50
			-3 | -3
			123456789012345678901234567890 | 123456789012345678901234567890
			007 | "007"
			true | true
			null | null
			yes | "yes"
			"10" | "10"
			[1,"a"] | [1,"a"]
			[::1]:80 | "[::1]:80"
			a "b" <c> | "a \\"b\\" <c>"
			{"a":{"b":[]}} | {"a":{"b":[]}}
			""")
	void aValueIsJsonElseText(String written, String json) {
		assertThat(micro("config", "set", "a", written)).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("config", "get", "a", "--output=json")).isEqualTo(Stage.Ran.of(json + "\n"));
	}

	@Test
	void anObjectIsMergedAndAllElseReplaces() {
		micro("config", "set", "a", "{\"b\":1,\"c\":[1,2]}");
		micro("config", "set", "a", "{\"d\":{\"e\":\"x\"},\"c\":[3]}");
		assertThat(micro("config", "get", "a", "--output=json").out())
			.isEqualTo("{\"b\":1,\"c\":[3],\"d\":{\"e\":\"x\"}}\n");
		micro("config", "set", "a", "1");
		assertThat(micro("config", "get", "a").out()).isEqualTo("1\n");
		micro("config", "set", "", "{\"z\":2}");
		assertThat(micro("config", "get", "--output=json").out()).isEqualTo("{\"a\":1,\"z\":2}\n");
	}

	@Test
	void valuesComeFromFilesAndStandardInput(@TempDir Path folder) throws IOException {
		Path file = Files.writeString(folder.resolve("value"), "{\n\"b\": 1\n}\n");
		assertThat(micro("config", "set", "a", "@" + file).code()).isZero();
		assertThat(micro("config", "get", "a.b").out()).isEqualTo("1\n");
		assertThat(this.stage.micro(Stage.lines("one", "two", ""), "config", "set", "t", "-").code()).isZero();
		assertThat(this.stage.config("micro").get("t", false)).isEqualTo(Json.of("one\ntwo\n"));
		assertThat(micro("config", "get", "t")).isEqualTo(Stage.Ran.of("one\ntwo\n"));
		byte[] binary = { (byte) 0xff };
		assertThat(this.stage.micro(new ByteArrayInputStream(binary), "config", "set", "a", "-"))
			.isEqualTo(new Stage.Ran(1, "", "The value in - is no text in UTF-8.\n"));
		Files.write(file, new byte[1024 * 1024 + 1]);
		assertThat(micro("config", "set", "a", "@" + file))
			.isEqualTo(new Stage.Ran(1, "", "The value in " + file + " is larger than 1 MB.\n"));
	}

	@Test
	void secretsAreShownOnRequestOnly() {
		assertThat(micro("config", "set", "db.password", "hunter2", "--secret")).isEqualTo(Stage.Ran.of(""));
		micro("config", "set", "db.host", "h");
		assertThat(micro("config", "get", "db.password").out()).isEqualTo("[secret]\n");
		assertThat(micro("config", "get", "db", "--output=json").out())
			.isEqualTo("{\"host\":\"h\",\"password\":\"[secret]\"}\n");
		assertThat(micro("config", "get", "db.password", "-s").out()).isEqualTo("hunter2\n");
		assertThat(micro("config", "get", "--secret", "--output=json").out())
			.isEqualTo("{\"db\":{\"host\":\"h\",\"password\":\"hunter2\"}}\n");
		micro("config", "set", "db.password", "[secret]");
		assertThat(micro("config", "get", "db.password", "-s").out()).isEqualTo("hunter2\n");
		micro("config", "set", "db", "{\"password\":2}", "-s");
		assertThat(micro("config", "get", "db.password").out()).isEqualTo("[secret]\n");
		assertThat(micro("config", "get", "db.password", "-s").out()).isEqualTo("2\n");
	}

	@Test
	void whatIsNotThereIsNotFound() {
		for (String command : List.of("get", "del")) {
			assertThat(micro("config", command, "a.b"))
				.isEqualTo(new Stage.Ran(127, "", "Not found: nothing is set at 'a.b' in 'micro'.\n"));
		}
		assertThat(micro("config", "get")).isEqualTo(Stage.Ran.of("{}\n"));
		micro("config", "set", "a.b", "");
		assertThat(micro("config", "get", "a.b")).isEqualTo(Stage.Ran.of("\n"));
	}

	@Test
	void whatIsRemovedIsGoneAndNothingElse() {
		micro("config", "set", "a", "{\"b\":{\"c\":1,\"d\":2},\"e\":3}");
		assertThat(micro("config", "del", "a.b.c")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("config", "get", "--output=json").out()).isEqualTo("{\"a\":{\"b\":{\"d\":2},\"e\":3}}\n");
		assertThat(micro("config", "del", "a")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("config", "get").out()).isEqualTo("{}\n");
	}

	@Test
	void namespacesAreApart() {
		micro("config", "set", "a", "1");
		micro("config", "set", "a", "2", "--namespace", "shop");
		this.stage.environment().put("MICRO_NAMESPACE", "shop");
		assertThat(micro("config", "get", "a").out()).isEqualTo("2\n");
		assertThat(micro("config", "get", "a", "--namespace=micro").out()).isEqualTo("1\n");
		assertThat(micro("config", "get", "x").err()).isEqualTo("Not found: nothing is set at 'x' in 'shop'.\n");
	}

	@Test
	void nothingThatIsSetSteersTheTerminal() {
		this.stage.config("micro").set("a", Json.of("x\u001b[31m\u009b"), false);
		this.stage.config("micro").set("b", Json.of("one\ntwo"), false);
		assertThat(micro("config", "get", "a").out()).isEqualTo("\"x\\u001b[31m\\u009b\"\n");
		assertThat(micro("config", "get", "b").out()).isEqualTo("one\ntwo\n");
		assertThat(micro("config", "get").out()).contains("\"x\\u001b[31m\\u009b\"");
	}

	@Test
	void aWatchPrintsALineAtEachChange() throws InterruptedException {
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		AtomicInteger code = new AtomicInteger(-1);
		Thread watching = watching(new PrintStream(out, false, StandardCharsets.UTF_8), code, "config", "watch", "a");
		lines(out, "null");
		micro("config", "set", "a.b", "x");
		lines(out, "null", "{\"b\":\"x\"}");
		micro("config", "set", "other", "x");
		micro("config", "set", "a", "{\"c\":[1,2],\"s\":null}");
		lines(out, "null", "{\"b\":\"x\"}", "{\"b\":\"x\",\"c\":[1,2],\"s\":null}");
		micro("config", "del", "a");
		lines(out, "null", "{\"b\":\"x\"}", "{\"b\":\"x\",\"c\":[1,2],\"s\":null}", "null");
		watching.interrupt();
		watching.join();
		assertThat(code).hasValue(128);
	}

	@Test
	void aWatchEndsWhenNobodyReadsItAnyMore() throws InterruptedException {
		PrintStream closed = new PrintStream(OutputStream.nullOutputStream()) {

			@Override
			public boolean checkError() {
				return true;
			}

		};
		AtomicInteger code = new AtomicInteger(-1);
		watching(closed, code, "config", "watch").join();
		assertThat(code).hasValue(0);
	}

	@Test
	void aWatchEndsWithItsTime() {
		micro("config", "set", "a", "\"s\"", "--secret");
		assertThat(micro("config", "watch", "a", "--request_timeout=1s"))
			.isEqualTo(new Stage.Ran(1, "\"[secret]\"\n", "The time that --request_timeout gave is over.\n"));
		assertThat(micro("config", "watch", "a", "-s", "--request_timeout=1s").out()).isEqualTo("\"s\"\n");
	}

	private Thread watching(PrintStream out, AtomicInteger code, String... args) {
		Thread thread = new Thread(() -> code
			.set(new Micro(this.stage.environment(), InputStream.nullInputStream(), out, System.err).run(args)));
		thread.start();
		return thread;
	}

	private static void lines(ByteArrayOutputStream out, String... lines) {
		Awaitility.await()
			.untilAsserted(() -> assertThat(out.toString(StandardCharsets.UTF_8).lines()).containsExactly(lines));
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
			config | 'micro config' wants one more word; see 'micro help config'.
			config set a | Missing required parameter: 'VALUE'; see 'micro help config set'.
			config set a b c | Unmatched argument at index 4: 'c'; see 'micro help config set'.
			config get a b | Unmatched argument at index 3: 'b'; see 'micro help config get'.
			config get a..b | Micro does not take this:
			config set a {b:1} | The value begins as a JSON object does, but this is no JSON from line 1, column 2 on;
			config set a {"b":1,"b":2} | The value begins as a JSON object does, but
			config set a @/no/such/file | Cannot read '@/no/such/file': there is no such file.
			config set a {"b.c":1} | Micro does not take this:
			""")
	void wrongUseExitsWith1AndSaysWhatIsRight(String args, String message) {
		Stage.Ran ran = micro(args.split(" "));
		assertThat(ran.err()).startsWith(message).hasLineCount(1);
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.out()).isEmpty();
	}

	@Test
	void nobodyRemovesEverythingByAnEmptyVariable() {
		micro("config", "set", "a", "1");
		assertThat(micro("config", "del", "")).isEqualTo(
				new Stage.Ran(1, "", "The path is empty, which would remove everything: name what to remove.\n"));
		assertThat(this.stage.config("micro").get("", false)).isEqualTo(Json.of(Map.of("a", Json.of(1))));
	}

	@ParameterizedTest
	@ValueSource(strings = { "get a", "set a b", "del a", "watch" })
	void aConfigThatIsNotRunningExitsWith4(String command) throws Exception {
		try (Stage without = new Stage()) {
			assertThat(without.micro(("config " + command).split(" "))).isEqualTo(
					new Stage.Ran(4, "", "The service 'config' is not running: start it with 'micro server'.\n"));
		}
	}

	@Test
	void theCommandsHaveHelpPages() {
		for (String command : List.of("get", "set", "del", "watch")) {
			Stage.Ran help = micro("config", command, "--help");
			assertThat(help.code()).isZero();
			assertThat(help.lines()).allMatch((line) -> line.length() <= 80);
			assertThat(help).isEqualTo(micro("help", "config", command));
		}
		assertThat(micro("help", "config", "set").out()).contains("micro config set [OPTIONS] PATH VALUE");
	}

	private Stage.Ran micro(String... args) {
		return this.stage.micro(args);
	}

}
