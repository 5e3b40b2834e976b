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
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import mu.micro.store.Entry;
import mu.micro.store.Store;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class StoreCommandsTests {

	private static final byte[] BINARY = { 0, (byte) 0xff, '\n', (byte) 0x9b };

	private Stage stage;

	@BeforeEach
	void start() throws IOException {
		this.stage = new Stage("store");
	}

	@AfterEach
	void stop() throws InterruptedException {
		this.stage.close();
	}

	@Test
	void whatIsWrittenIsRead() {
		assertThat(micro("store", "write", "name", "Jane Doé")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("store", "read", "name")).isEqualTo(Stage.Ran.of("Jane Doé\n"));
		assertThat(this.stage.header("micro-service")).isEqualTo("store");
		assertThat(micro("store", "write", "name", "-5")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("store", "read", "name")).isEqualTo(Stage.Ran.of("-5\n"));
		assertThat(micro("store", "write", "--", "--name", "--x")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("store", "read", "--", "--name")).isEqualTo(Stage.Ran.of("--x\n"));
	}

	@Test
	void theServiceCanBeCalledAsAnyOther() {
		micro("store", "write", "a", "x");
		assertThat(micro("call", "store", "Database.Tables", "{}"))
			.isEqualTo(Stage.Ran.of("{\"tables\":[\"micro\"]}\n"));
		assertThat(micro("--output", "json", "store", "list")).isEqualTo(Stage.Ran.of("[\"a\"]\n"));
	}

	@Test
	void callsCarryMetadata() {
		micro("store", "read", "x", "--metadata", "key=value");
		assertThat(this.stage.header("key")).isEqualTo("value");
	}

	@Test
	void bytesAreKeptAsTheyAre(@TempDir Path folder) throws IOException {
		Path file = Files.write(folder.resolve("value"), BINARY);
		assertThat(micro("store", "write", "file", "@" + file)).isEqualTo(Stage.Ran.of(""));
		assertThat(this.stage.micro(new ByteArrayInputStream(BINARY), "store", "write", "stream", "-"))
			.isEqualTo(Stage.Ran.of(""));
		for (String key : List.of("file", "stream")) {
			assertThat(get("micro", "micro", key).value()).isEqualTo(BINARY);
			ByteArrayOutputStream out = new ByteArrayOutputStream();
			int code = new Micro(this.stage.environment(), InputStream.nullInputStream(),
					new PrintStream(out, false, StandardCharsets.UTF_8), System.err)
				.run("store", "read", key, "--raw");
			assertThat(code).isZero();
			assertThat(out.toByteArray()).isEqualTo(BINARY);
		}
	}

	@Test
	void aValueThatIsNoPlainTextIsShownInBase64() {
		put("micro", "micro", Write.put("bytes", BINARY));
		put("micro", "micro", Write.put("steering", "a\u001b[31m".getBytes(StandardCharsets.UTF_8)));
		put("micro", "micro", Write.put("text", "one\r\n\ttwo\n".getBytes(StandardCharsets.UTF_8)));
		assertThat(micro("store", "read", "bytes")).isEqualTo(new Stage.Ran(0, "AP8Kmw==\n",
				"The value of 'bytes' is no plain text and is shown in base64: --raw writes it as it is.\n"));
		assertThat(micro("store", "read", "steering").out()).isEqualTo("YRtbMzFt\n");
		assertThat(micro("store", "read", "text")).isEqualTo(Stage.Ran.of("one\r\n\ttwo\n"));
		assertThat(micro("store", "read", "bytes", "-v").lines().get(1))
			.matches("bytes  AP8Kmw== \\(base64\\)  none .*");
		assertThat(json(micro("store", "read", "bytes", "--output=json")).get("base64").getAsString())
			.isEqualTo("AP8Kmw==");
		JsonObject steering = json(micro("store", "read", "steering", "--output=json"));
		assertThat(steering.get("value").getAsString()).isEqualTo("a\u001b[31m");
		assertThat(steering.has("base64")).isFalse();
	}

	@Test
	void verboseShowsKeysExpiriesAndRevisions() {
		put("micro", "micro", Write.put("a", "one\ntwo".getBytes(StandardCharsets.UTF_8)));
		long revision = put("micro", "micro",
				Write.put("a\u0000b", "x".repeat(100).getBytes(StandardCharsets.UTF_8)).withTtl(Duration.ofHours(2)));
		List<String> lines = micro("store", "read", "a", "--prefix", "--verbose").lines();
		assertThat(lines).hasSize(3);
		assertThat(lines.get(0)).matches("KEY +VALUE +EXPIRY +REVISION");
		assertThat(lines.get(1)).matches("a +one two +none +" + (revision - 1));
		assertThat(lines.get(2)).matches("a\\\\u0000b  x{40}\\.\\.\\. \\(100 bytes\\)  1h59m\\d+s +" + revision);
		assertThat(micro("store", "read", "a", "-v", "--output=table").lines()).hasSize(2);
	}

	@Test
	void jsonTellsEverything() {
		long revision = put("micro", "micro",
				Write.put("a", "x".getBytes(StandardCharsets.UTF_8)).withMetadata(Map.of("by", "Jane")));
		assertThat(micro("store", "read", "a", "--output", "json")).isEqualTo(Stage.Ran.of("{\"key\":\"a\","
				+ "\"value\":\"x\",\"revision\":" + revision + ",\"expires\":null,\"metadata\":{\"by\":\"Jane\"}}\n"));
		put("micro", "micro", Write.put("b", BINARY).withTtl(Duration.ofHours(1)));
		JsonArray all = JsonParser.parseString(micro("store", "read", "", "-p", "--output=json").out())
			.getAsJsonArray();
		assertThat(all).hasSize(2);
		assertThat(all.get(1).getAsJsonObject().get("expires").getAsString())
			.isEqualTo(String.valueOf(get("micro", "micro", "b").expires()));
		assertThat(micro("store", "read", "z", "-p", "--output=json")).isEqualTo(Stage.Ran.of("[]\n"));
		assertThat(json(micro("store", "write", "c", "x", "--output=json")).get("revision").getAsLong())
			.isEqualTo(get("micro", "micro", "c").revision());
	}

	@Test
	void manyAreReadByTheBeginningOrTheEndOfTheirKeys() {
		for (String key : List.of("a1", "a2", "a3", "b1", "aa")) {
			put("micro", "micro", Write.put(key, ("v-" + key).getBytes(StandardCharsets.UTF_8)));
		}
		assertThat(micro("store", "read", "a", "-p").lines()).containsExactly("v-a1", "v-a2", "v-a3", "v-aa");
		assertThat(micro("store", "read", "1", "--suffix").lines()).containsExactly("v-a1", "v-b1");
		assertThat(micro("store", "read", "a", "-p", "-s").lines()).containsExactly("v-aa");
		assertThat(micro("store", "read", "a", "-p", "-l", "2", "-o", "1").lines()).containsExactly("v-a2", "v-a3");
		assertThat(micro("store", "read", "a", "-p", "--order", "desc", "--limit=1").lines()).containsExactly("v-aa");
		assertThat(micro("store", "read", "z", "-p")).isEqualTo(Stage.Ran.of(""));
	}

	@Test
	void keysAreListed() {
		for (String key : List.of("a1", "a2", "b1", "line\nbreak")) {
			put("micro", "micro", Write.put(key, BINARY));
		}
		assertThat(micro("store", "list")).isEqualTo(Stage.Ran.of("a1\na2\nb1\nline\\u000abreak\n"));
		assertThat(micro("store", "list", "--prefix=a", "--order=desc").lines()).containsExactly("a2", "a1");
		assertThat(micro("store", "list", "-s", "1", "-o", "1").lines()).containsExactly("b1");
		assertThat(micro("store", "list", "--after", "a", "--limit", "2").lines()).containsExactly("a1", "a2");
		assertThat(micro("store", "list", "--limit=0").lines()).hasSize(4);
		assertThat(micro("store", "list", "--output=json", "-p", "a").out()).isEqualTo("[\"a1\",\n\"a2\"]\n");
		assertThat(micro("store", "list", "-t", "other", "--output=json").out()).isEqualTo("[]\n");
	}

	@Test
	void listingsAreAsLongAsThereAreEntries() {
		fill("micro", 2500);
		assertThat(micro("store", "list").lines()).hasSize(2500).startsWith("k00000").endsWith("k02499");
		assertThat(micro("store", "list", "--offset=1200", "--limit=1200").lines()).hasSize(1200)
			.startsWith("k01200")
			.endsWith("k02399");
		assertThat(micro("store", "read", "k", "--prefix").lines()).hasSize(2500).endsWith("2499");
		assertThat(micro("store", "read", "k", "--prefix", "-v").lines()).hasSize(2501);
		assertThat(JsonParser.parseString(micro("store", "read", "k", "-p", "--output=json").out()).getAsJsonArray())
			.hasSize(2500);
	}

	@Test
	void whoStopsReadingEndsAListing() {
		fill("micro", 2500);
		PrintStream closed = new PrintStream(OutputStream.nullOutputStream()) {

			@Override
			public boolean checkError() {
				return true;
			}

		};
		int before = this.stage.headers("micro-service").size();
		assertThat(new Micro(this.stage.environment(), InputStream.nullInputStream(), closed, System.err).run("store",
				"list"))
			.isZero();
		assertThat(this.stage.headers("micro-service")).hasSize(before + 1);
	}

	@Test
	void anEntryStaysForItsTime() {
		assertThat(micro("store", "write", "a", "x", "--expiry", "50ms").code()).isZero();
		Awaitility.await().until(() -> micro("store", "read", "a").code() == 127);
		micro("store", "write", "a", "x", "-e", "1h30m");
		assertThat(micro("store", "read", "a", "-v").out()).contains("  1h29m");
		micro("store", "write", "a", "x");
		assertThat(micro("store", "read", "a", "-v").out()).contains("  none");
	}

	@Test
	void aWriteMayHaveACondition() {
		assertThat(micro("store", "write", "a", "1", "--if-absent").code()).isZero();
		Stage.Ran there = micro("store", "write", "a", "2", "--if-absent");
		assertThat(there.code()).isEqualTo(127);
		assertThat(there.err()).contains("'a'").contains("is there already").hasLineCount(1);
		long revision = get("micro", "micro", "a").revision();
		assertThat(micro("store", "write", "a", "3", "--when-revision", "" + revision).code()).isZero();
		Stage.Ran changed = micro("store", "write", "a", "4", "--when-revision=" + revision);
		assertThat(changed.code()).isEqualTo(127);
		assertThat(changed.err()).contains("and not " + revision).hasLineCount(1);
		assertThat(micro("store", "read", "a").out()).isEqualTo("3\n");
	}

	@Test
	void anEntryIsDeleted() {
		micro("store", "write", "a", "1");
		assertThat(micro("store", "delete", "a")).isEqualTo(Stage.Ran.of(""));
		for (String command : List.of("read", "delete")) {
			assertThat(micro("store", command, "a"))
				.isEqualTo(new Stage.Ran(127, "", "There is no entry 'a' in the table 'micro' of 'micro'.\n"));
		}
		assertThat(micro("store", "read", "a", "-t", "x", "-d", "y").err())
			.isEqualTo("There is no entry 'a' in the table 'x' of 'y'.\n");
	}

	@Test
	void tablesAndNamespacesAreApart() {
		micro("store", "write", "a", "1");
		micro("store", "write", "a", "2", "--table", "other");
		micro("store", "write", "a", "3", "--database", "shop", "-t", "orders");
		micro("store", "write", "a", "4", "--namespace=shop");
		this.stage.environment().put("MICRO_NAMESPACE", "third");
		micro("store", "write", "a", "5");
		assertThat(micro("store", "read", "a").out()).isEqualTo("5\n");
		assertThat(micro("store", "read", "a", "-d", "micro").out()).isEqualTo("1\n");
		this.stage.environment().remove("MICRO_NAMESPACE");
		assertThat(micro("store", "read", "a").out()).isEqualTo("1\n");
		assertThat(micro("store", "read", "a", "-t", "other").out()).isEqualTo("2\n");
		assertThat(micro("store", "databases")).isEqualTo(Stage.Ran.of("micro\nshop\nthird\n"));
		assertThat(micro("store", "tables")).isEqualTo(Stage.Ran.of("micro\nother\n"));
		assertThat(micro("store", "tables", "-d", "shop", "--output=json").out())
			.isEqualTo("[\"micro\",\n\"orders\"]\n");
		assertThat(micro("store", "tables", "-d", "nobody")).isEqualTo(Stage.Ran.of(""));
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`',
			textBlock = """
							store | 'micro store' wants one more word; see 'micro help store'.
							store wrte a b | 'micro store' has no command 'wrte'; did you mean 'write'? See 'micro help store'.
					store nonsense | 'micro store' has no command 'nonsense'. See 'micro help store'.
							store read | Missing required parameter: 'KEY'; see 'micro help store read'.
							store read a --nope | Unknown option: '--nope'; see 'micro help store read'.
							store read a -p --order up | --order is 'asc' or 'desc', not 'up'.
							store read a -p --limit -1 | --limit wants a whole number from 0 up, not '-1'.
							store read a -p --offset x | --offset wants a whole number from 0 to 2147483647, not 'x'.
							store read a --limit 1 | --limit is for reading many entries: it goes with --prefix or --suffix.
							store read a --raw -v | --raw writes one value and nothing else: leave out --prefix,
							store list --offset 2147483648 | --offset wants a whole number from 0 to 2147483647, not '2147483648'.
							store write a | Missing required parameter: 'VALUE'; see 'micro help store write'.
							store write a b c | Unmatched argument at index 4: 'c'; see 'micro help store write'.
							store write a b --expiry 10 | --expiry wants a time such as 5s, 200ms or 1m30s, from 1ms to a hundred years,
							store write a b --expiry 1us | --expiry wants a time such as 5s, 200ms or 1m30s, from 1ms to a hundred years,
							store write a b --when-revision 0 | --when-revision wants a whole number from 1 up, not '0'.
							store write a b --when-revision 1 --if-absent | --if-absent and --when-revision exclude each other.
							store write a @/no/such/file | Cannot read '@/no/such/file': there is no such file.
							store write a @/ | Cannot read '@/': it is a directory.
							store snapshot | No file is given: name one, or '-' for the standard stream.
							store snapshot a --destination file:///b | Two files are given: leave out --destination.
							store snapshot --destination s3://x/y | --destination wants a file on this machine, such as
							store restore --source file://there/x | --source wants a file on this machine, such as
							store restore /no/such/file | Cannot read the snapshot in '/no/such/file': check that the file is there,
							""")
	void wrongUseExitsWith1AndSaysWhatIsRight(String args, String message) {
		Stage.Ran ran = micro(args.split(" "));
		assertThat(ran.err()).startsWith(message).hasLineCount(1);
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.out()).isEmpty();
	}

	@Test
	void whatIsOverALimitIsRefused(@TempDir Path folder) throws IOException {
		String longest = "k".repeat(1025);
		for (String[] args : new String[][] { { "store", "read", longest }, { "store", "delete", longest },
				{ "store", "write", longest, "x" }, { "store", "list", "--prefix", longest },
				{ "store", "read", longest, "-p" } }) {
			Stage.Ran ran = micro(args);
			assertThat(ran.code()).isEqualTo(1);
			assertThat(ran.err()).contains("is 1025 bytes, more than the limit of 1024").hasLineCount(1);
		}
		assertThat(micro("store", "read", "").err()).isEqualTo("Micro does not take this: the key is empty.\n");
		assertThat(micro("store", "read", "a", "-t", " ").err())
			.isEqualTo("Micro does not take this: the table's name is blank.\n");
		assertThat(micro("store", "tables", "-d", " ").err())
			.isEqualTo("' ' is no namespace: the namespace is blank.\n");
		Path file = Files.write(folder.resolve("large"), new byte[8 * 1024 * 1024]);
		assertThat(micro("store", "write", "a", "@" + file).code()).isZero();
		assertThat(get("micro", "micro", "a").value()).hasSize(8 * 1024 * 1024);
		Files.write(file, new byte[8 * 1024 * 1024 + 1]);
		assertThat(micro("store", "write", "a", "@" + file))
			.isEqualTo(new Stage.Ran(1, "", "The value in " + file + " is larger than 8 MB.\n"));
	}

	@Test
	void aStoreThatIsNotRunningExitsWith4() throws Exception {
		try (Stage without = new Stage()) {
			for (String[] args : new String[][] { { "store", "read", "a" }, { "store", "write", "a", "b" },
					{ "store", "list" }, { "store", "databases" }, { "store", "snapshot", "-" } }) {
				assertThat(without.micro(args)).isEqualTo(
						new Stage.Ran(4, "", "The service 'store' is not running: start it with 'micro server'.\n"));
			}
		}
	}

	@Test
	void aServiceThatIsNoStoreExitsWith5() throws Exception {
		try (Stage other = new Stage()) {
			other.register("store", "s-1");
			assertThat(other.micro("store", "read", "a")).isEqualTo(new Stage.Ran(5, "", "What runs as 'store' does"
					+ " not offer this: it is another service, or one of an older Micro.\n"));
		}
	}

	@Test
	void aProxyThatIsNotThereExitsWith4() throws InterruptedException {
		String address = "127.0.0.1:" + this.stage.port();
		this.stage.close();
		for (String[] args : new String[][] { { "store", "read", "a" }, { "store", "write", "a", "b" },
				{ "store", "snapshot", "-" } }) {
			assertThat(micro(args)).isEqualTo(new Stage.Ran(4, "", "Cannot reach Micro at " + address
					+ ": start it with 'micro server', or say where it is with --proxy_address.\n"));
		}
	}

	@Test
	void anAnswerThatDoesNotComeExitsWith1() {
		this.stage.answer(0);
		assertThat(micro("store", "read", "a", "--request_timeout=300ms")).isEqualTo(new Stage.Ran(1, "",
				"The service 'store' did not answer within 300 ms: try again, or give it longer with"
						+ " --request_timeout.\n"));
		assertThat(micro("store", "write", "a", "b", "--request_timeout=300ms")).isEqualTo(new Stage.Ran(1, "",
				"The service 'store' did not answer within 300 ms. It may have done all the same what was asked: look"
						+ " before trying again.\n"));
	}

	@Test
	void theCommandsHaveHelpPages() {
		assertThat(micro("help", "store").lines()).allMatch((line) -> line.length() <= 80)
			.anyMatch((line) -> line.startsWith("  snapshot "));
		for (String command : List.of("read", "write", "list", "delete", "databases", "tables", "snapshot",
				"restore")) {
			Stage.Ran help = micro("store", command, "--help");
			assertThat(help.code()).isZero();
			assertThat(help.lines()).allMatch((line) -> line.length() <= 80);
			assertThat(help).isEqualTo(micro("help", "store", command));
		}
		assertThat(micro("help", "store", "read").out()).contains("micro store read [OPTIONS] KEY")
			.containsPattern("(?s)--prefix.*--table.*--proxy_address");
	}

	private Stage.Ran micro(String... args) {
		return this.stage.micro(args);
	}

	private long put(String namespace, String table, Write write) {
		return this.stage.database(namespace).table(table).put(write);
	}

	private Entry get(String namespace, String table, String key) {
		Store store = this.stage.database(namespace).table(table);
		Entry entry = store.get(key);
		assertThat(entry).isNotNull();
		return entry;
	}

	private void fill(String table, int count) {
		for (int from = 0; from < count; from += 500) {
			this.stage.database("micro")
				.apply(IntStream.range(from, Math.min(count, from + 500))
					.mapToObj((i) -> new TableWrite(table,
							Write.put("k%05d".formatted(i), String.valueOf(i).getBytes(StandardCharsets.UTF_8))))
					.toList());
		}
	}

	private static JsonObject json(Stage.Ran ran) {
		return JsonParser.parseString(ran.out()).getAsJsonObject();
	}

}
