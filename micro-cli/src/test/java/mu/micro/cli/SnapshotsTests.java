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
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import mu.micro.store.Database;
import mu.micro.store.Entry;
import mu.micro.store.TableWrite;
import mu.micro.store.Write;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class SnapshotsTests {

	private static final String FIRST = "{\"format\":\"micro-store-snapshot\",\"version\":1}\n";

	private static final String ENTRY = "{\"table\":\"t\",\"key\":\"a\",\"value\":\"eA==\"}\n";

	private static final byte[] BINARY = { 0, (byte) 0xff, '\n', (byte) 0x9b };

	@TempDir
	Path folder;

	private Stage stage;

	private Path file;

	@BeforeEach
	void start() throws IOException {
		this.stage = new Stage("store");
		this.file = this.folder.resolve("snapshot.jsonl");
	}

	@AfterEach
	void stop() throws InterruptedException {
		this.stage.close();
	}

	@Test
	void aSnapshotIsRestoredAsItWas() throws IOException {
		Database data = this.stage.database("micro");
		data.apply(List.of(new TableWrite("t", Write.put("bytes", BINARY).withMetadata(Map.of("by", "Jané"))),
				new TableWrite("t", Write.put("empty", new byte[0])),
				new TableWrite("t", Write.put("soon", BINARY).withTtl(Duration.ofHours(1))),
				new TableWrite("u", Write.put("🙂 \"\\\n\u0000\u2028</", BINARY))));
		assertThat(micro("store", "snapshot", this.file.toString()))
			.isEqualTo(Stage.Ran.of("Wrote 4 entries of 'micro' to '" + this.file + "'.\n"));
		assertThat(Files.readAllLines(this.file)).hasSize(6)
			.allMatch((line) -> JsonParser.parseString(line).isJsonObject())
			.first()
			.asString()
			.startsWith("{\"format\":\"micro-store-snapshot\",\"version\":1,\"namespace\":\"micro\",\"taken\":\"");
		assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(this.file))).isEqualTo("rw-------");
		assertThat(micro("store", "restore", this.file.toString(), "-d", "copy"))
			.isEqualTo(Stage.Ran.of("Restored 4 entries into 'copy'.\n"));
		List<Entry> before = entries("micro");
		List<Entry> after = entries("copy");
		assertThat(after).hasSameSizeAs(before);
		for (int i = 0; i < before.size(); i++) {
			assertThat(after.get(i).key()).isEqualTo(before.get(i).key());
			assertThat(after.get(i).value()).isEqualTo(before.get(i).value());
			assertThat(after.get(i).metadata()).isEqualTo(before.get(i).metadata());
			Instant expires = before.get(i).expires();
			if (expires != null) {
				assertThat(after.get(i).expires()).isBetween(expires.minusMillis(5), expires.plusSeconds(10));
			}
			else {
				assertThat(after.get(i).expires()).isNull();
			}
		}
	}

	@Test
	void standardStreamsAndMicroV3sOptionsServeToo() {
		put("micro", "a");
		String lines = micro("store", "snapshot", "-").out();
		assertThat(lines.lines()).hasSize(3);
		ByteArrayInputStream in = new ByteArrayInputStream(lines.getBytes(StandardCharsets.UTF_8));
		assertThat(this.stage.micro(in, "store", "restore", "-", "--namespace=two", "--output=json"))
			.isEqualTo(Stage.Ran.of("{\"namespace\":\"two\",\"entries\":1,\"expired\":0}\n"));
		JsonObject told = JsonParser
			.parseString(micro("store", "snapshot", "--destination", "file://" + this.file, "--output", "json").out())
			.getAsJsonObject();
		assertThat(told.get("entries").getAsInt()).isEqualTo(1);
		assertThat(told.get("revision").getAsLong()).isPositive();
		assertThat(micro("store", "restore", "--source=file://" + this.file, "-d", "three").code()).isZero();
		assertThat(entries("three")).hasSize(1);
	}

	@Test
	void manyAndLargeEntriesAreRestoredInBatches() {
		for (int from = 0; from < 2500; from += 500) {
			this.stage.database("micro").apply(writes(from, from + 500));
		}
		byte[] large = new byte[8 * 1024 * 1024];
		for (String key : List.of("large 1", "large 2", "large 3")) {
			this.stage.database("micro").table("t").put(key, large);
		}
		micro("store", "snapshot", this.file.toString());
		assertThat(micro("store", "restore", this.file.toString(), "-d", "copy").out())
			.isEqualTo("Restored 2503 entries into 'copy'.\n");
		assertThat(entries("copy")).hasSize(2503)
			.last()
			.extracting((entry) -> entry.value().length)
			.isEqualTo(large.length);
	}

	private static List<TableWrite> writes(int from, int to) {
		return IntStream.range(from, to)
			.mapToObj((i) -> new TableWrite("t", Write.put("k%05d".formatted(i), BINARY)))
			.toList();
	}

	@Test
	void aSnapshotIsOfOneMomentWhileOthersWrite() throws Exception {
		Database data = this.stage.database("micro");
		AtomicBoolean stop = new AtomicBoolean();
		Thread writer = new Thread(() -> {
			for (int i = 0; !stop.get(); i++) {
				byte[] value = String.valueOf(i).getBytes(StandardCharsets.UTF_8);
				data.apply(List.of(new TableWrite("a", Write.put("first", value)),
						new TableWrite("z", Write.put("last", value))));
			}
		});
		data.apply(writes(0, 1000));
		writer.start();
		try {
			for (int i = 0; i < 5; i++) {
				micro("store", "snapshot", this.file.toString());
				List<String> lines = Files.readAllLines(this.file);
				JsonObject first = JsonParser.parseString(lines.get(1)).getAsJsonObject();
				JsonObject last = JsonParser.parseString(lines.get(lines.size() - 2)).getAsJsonObject();
				assertThat(first.get("key").getAsString()).isEqualTo("first");
				assertThat(last.get("key").getAsString()).isEqualTo("last");
				assertThat(first.get("value")).isEqualTo(last.get("value"));
			}
		}
		finally {
			stop.set(true);
			writer.join();
		}
	}

	@Test
	void whatHasExpiredIsLeftOut() throws IOException {
		String expired = ENTRY.replace("}", ",\"expires\":\"" + Instant.now().minusSeconds(1) + "\"}");
		String fresh = ENTRY.replace("\"a\"", "\"b\"")
			.replace("}", ",\"expires\":\"" + Instant.now().plusSeconds(60) + "\"}");
		Files.writeString(this.file, FIRST + expired + fresh + "{\"entries\":2}\n");
		assertThat(micro("store", "restore", this.file.toString()))
			.isEqualTo(Stage.Ran.of("Restored 1 entry into 'micro'; left out 1 that had expired.\n"));
		assertThat(entries("micro")).singleElement()
			.satisfies((entry) -> assertThat(entry.expires()).isBefore(Instant.now().plusSeconds(61)));
	}

	@Test
	void otherKeysStayAsTheyAre() throws IOException {
		for (String key : List.of("a", "b")) {
			this.stage.database("micro").table("t").put(key, BINARY);
		}
		Files.writeString(this.file, FIRST + ENTRY + "{\"entries\":1}\n");
		assertThat(micro("store", "restore", this.file.toString()).code()).isZero();
		assertThat(entries("micro")).hasSize(2);
		assertThat(micro("store", "read", "a", "-t", "t").out()).isEqualTo("x\n");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "\n", "hello\n", "[1]\n", "null\n", "{}\n", "{\"format\":\"x\",\"version\":1}\n",
			"{\"format\":[\"micro-store-snapshot\"]}\n" })
	void whatIsNoSnapshotIsRefused(String content) throws IOException {
		Files.writeString(this.file, content);
		refused("There is no snapshot in '" + this.file + "': its first line would be");
	}

	@ParameterizedTest
	@ValueSource(strings = { "2", "\"1.5\"", "null", "{}" })
	void aVersionThatIsUnknownIsRefused(String version) throws IOException {
		Files.writeString(this.file, FIRST.replace(":1}", ":" + version + "}") + ENTRY + "{\"entries\":1}\n");
		refused("The snapshot in '" + this.file + "' has the version ");
	}

	@Test
	void aSnapshotThatIsNotWholeIsRefused() throws IOException {
		Files.writeString(this.file, FIRST + ENTRY);
		refused("The snapshot in '" + this.file + "' is not whole: it ends after 1 entry, without its last line.");
		Files.writeString(this.file, FIRST + ENTRY + ENTRY.substring(0, 20));
		refused("Line 3 of '" + this.file + "' is no JSON object: the file is damaged, or cut off there.");
		Files.writeString(this.file, FIRST + ENTRY + "{\"entries\":2}\n");
		refused("The snapshot in '" + this.file + "' is damaged: it has 1 entry, and its last line says 2.");
		Files.writeString(this.file, FIRST + ENTRY + "{\"entries\":\"x\"}\n");
		refused("The snapshot in '" + this.file + "' is damaged: it has 1 entry, and its last line says -1.");
		Files.writeString(this.file, FIRST + ENTRY + "{\"entries\":1}\n" + FIRST);
		refused("The snapshot in '" + this.file + "' is damaged: it goes on after its last line.");
	}

	@ParameterizedTest
	@ValueSource(strings = { "{}", "[]", "null", "{\"table\":\"t\",\"key\":\"a\"}",
			"{\"table\":\"t\",\"key\":\"a\",\"value\":\"***\"}", "{\"table\":\"t\",\"key\":\"\",\"value\":\"\"}",
			"{\"table\":\" \",\"key\":\"a\",\"value\":\"\"}", "{\"table\":\"t\",\"key\":[],\"value\":\"\"}",
			"{\"table\":\"t\",\"key\":\"a\",\"value\":\"\",\"expires\":\"soon\"}",
			"{\"table\":\"t\",\"key\":\"a\",\"value\":\"\",\"metadata\":1}",
			"{\"table\":\"t\",\"key\":\"a\",\"value\":\"\",\"metadata\":{\"x\":null}}" })
	void aLineThatIsNoEntryIsNamed(String line) throws IOException {
		Files.writeString(this.file, FIRST + ENTRY + line + "\n{\"entries\":2}\n");
		refused("Line 3 of '" + this.file + "' is no ");
	}

	@Test
	void textThatIsNoUtf8IsRefused() throws IOException {
		Files.writeString(this.file, FIRST);
		Files.write(this.file, new byte[] { (byte) 0xff, '\n' }, StandardOpenOption.APPEND);
		refused("Cannot read the snapshot in '" + this.file + "'");
	}

	private void refused(String message) throws IOException {
		Stage.Ran ran = micro("store", "restore", this.file.toString());
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.err()).startsWith(message).hasLineCount(1);
		Stage.Ran piped = this.stage.micro(Files.newInputStream(this.file), "store", "restore", "-");
		assertThat(piped.err()).isEqualTo(ran.err().replace("'" + this.file + "'", "standard input"));
		assertThat(this.stage.database("micro").tables()).isEmpty();
	}

	@Test
	void aRestoreThatFailsSaysHowFarItCame() throws IOException {
		List<String> lines = new ArrayList<>();
		lines.add(FIRST.strip());
		for (int i = 0; i < 2500; i++) {
			lines.add(ENTRY.strip().replace("\"a\"", "\"" + i + "\""));
		}
		lines.add("{\"entries\":2500}");
		Files.write(this.file, lines);
		this.stage.answer(2);
		Stage.Ran ran = micro("store", "restore", this.file.toString(), "--request_timeout=300ms");
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.out()).isEmpty();
		assertThat(ran.err().lines()).hasSize(2)
			.first()
			.isEqualTo("Before it failed, 2000 entries were restored; restoring all of it again does no harm.");
		this.stage.answer(Integer.MAX_VALUE);
		assertThat(micro("store", "restore", this.file.toString()).code()).isZero();
		assertThat(entries("micro")).hasSize(2500);
	}

	@Test
	void aSnapshotThatFailsLeavesWhatWasThere() throws IOException {
		Files.writeString(this.file, "before");
		this.stage.answer(0);
		assertThat(micro("store", "snapshot", this.file.toString(), "--request_timeout=300ms").code()).isEqualTo(1);
		assertThat(this.file).hasContent("before");
		try (Stream<Path> files = Files.list(this.folder)) {
			assertThat(files).containsExactly(this.file);
		}
	}

	@Test
	void whoStopsReadingIsToldThatItIsNotAll() {
		put("micro", "a");
		PrintStream closed = new PrintStream(OutputStream.nullOutputStream()) {

			@Override
			public boolean checkError() {
				return true;
			}

		};
		ByteArrayOutputStream err = new ByteArrayOutputStream();
		assertThat(new Micro(this.stage.environment(), InputStream.nullInputStream(), closed,
				new PrintStream(err, true, StandardCharsets.UTF_8))
			.run("store", "snapshot", "-")).isEqualTo(128);
		assertThat(err.toString(StandardCharsets.UTF_8))
			.isEqualTo("The snapshot is not whole: nobody took all that was written to standard output.\n");
	}

	@Test
	void whatIsNoPlainFileIsNotReplaced() throws IOException {
		put("micro", "a");
		Path link = Files.createSymbolicLink(this.folder.resolve("link"), this.file);
		Files.writeString(this.file, "before");
		assertThat(micro("store", "snapshot", link.toString()).code()).isZero();
		assertThat(link).isSymbolicLink();
		assertThat(Files.readAllLines(this.file)).hasSize(3);
		assertThat(micro("store", "snapshot", "/dev/null").code()).isZero();
		assertThat(Files.isRegularFile(Path.of("/dev/null"))).isFalse();
		for (Path wrong : List.of(this.folder, this.folder.resolve("gone/file"))) {
			Stage.Ran ran = micro("store", "snapshot", wrong.toString());
			assertThat(ran.code()).isEqualTo(128);
			assertThat(ran.err()).startsWith("Cannot write the snapshot to '" + wrong + "'").hasLineCount(1);
		}
	}

	@Test
	void aLineOfASnapshotIsReadWithoutThisProgram() throws IOException {
		this.stage.database("micro").table("t").put("a", BINARY);
		micro("store", "snapshot", this.file.toString());
		JsonObject line = JsonParser.parseString(Files.readAllLines(this.file).get(1)).getAsJsonObject();
		assertThat(line.keySet()).containsExactly("table", "key", "value");
		assertThat(Base64.getDecoder().decode(line.get("value").getAsString())).isEqualTo(BINARY);
	}

	private Stage.Ran micro(String... args) {
		return this.stage.micro(args);
	}

	private void put(String namespace, String key) {
		this.stage.database(namespace).table("micro").put(key, BINARY);
	}

	private List<Entry> entries(String namespace) {
		List<Entry> entries = new ArrayList<>();
		this.stage.database(namespace).snapshot((table, entry) -> entries.add(entry));
		return entries;
	}

}
