package mu.micro.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import mu.micro.blob.Blob;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class BlobCommandsTests {

	private static final byte[] BINARY = bytes(3_000_000);

	@TempDir
	private Path folder;

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
	void whatIsPutIsGot() throws IOException {
		Path file = Files.write(this.folder.resolve("picture.png"), BINARY);
		assertThat(micro("blob", "put", "pictures/one", file.toString())).isEqualTo(Stage.Ran.of(""));
		assertThat(this.stage.header("micro-service")).isEqualTo("store");
		assertThat(found("micro", "pictures/one").contentType()).isEqualTo("image/png");
		Path got = this.folder.resolve("got");
		Files.writeString(got, "what was there");
		assertThat(micro("blob", "get", "pictures/one", got.toString())).isEqualTo(Stage.Ran.of(""));
		assertThat(got).hasBinaryContent(BINARY);
		for (String[] standard : new String[][] { { "blob", "get", "pictures/one" },
				{ "blob", "get", "pictures/one", "-" } }) {
			ByteArrayOutputStream out = new ByteArrayOutputStream();
			int code = new Micro(this.stage.environment(), InputStream.nullInputStream(),
					new PrintStream(out, false, StandardCharsets.UTF_8), System.err)
				.run(standard);
			assertThat(code).isZero();
			assertThat(out.toByteArray()).isEqualTo(BINARY);
		}
	}

	@Test
	void standardInputIsPut() {
		assertThat(this.stage.micro(new ByteArrayInputStream(BINARY), "blob", "put", "notes.txt", "-"))
			.isEqualTo(Stage.Ran.of(""));
		assertThat(found("micro", "notes.txt").contentType()).isEqualTo("text/plain");
		assertThat(found("micro", "notes.txt").size()).isEqualTo(BINARY.length);
		assertThat(this.stage.micro(InputStream.nullInputStream(), "blob", "put", "empty", "-"))
			.isEqualTo(Stage.Ran.of(""));
		assertThat(found("micro", "empty").contentType()).isEqualTo("application/octet-stream");
		assertThat(micro("blob", "get", "empty")).isEqualTo(Stage.Ran.of(""));
	}

	@Test
	void theContentTypeCanBeSaid() {
		micro("blob", "put", "a.png", "-", "--content-type", "image/webp");
		assertThat(found("micro", "a.png").contentType()).isEqualTo("image/webp");
		Stage.Ran ran = micro("blob", "put", "a.png", "-", "--content-type", " ");
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.err()).contains("content type");
	}

	@Test
	void keysAreListed() {
		for (String key : List.of("a", "a/b", "b", "a\u0007")) {
			micro("blob", "put", key, "-");
		}
		assertThat(micro("blob", "list").lines()).containsExactly("a", "a\\u0007", "a/b", "b");
		assertThat(micro("blob", "list", "a").lines()).containsExactly("a", "a\\u0007", "a/b");
		assertThat(micro("blob", "list", "--limit", "1").lines()).containsExactly("a");
		assertThat(micro("blob", "list", "--after", "a/b").lines()).containsExactly("b");
		assertThat(micro("blob", "list", "none")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("blob", "list", "b", "--output=json")).isEqualTo(Stage.Ran.of("[\"b\"]\n"));
		assertThat(micro("blob", "list", "none", "--output=json")).isEqualTo(Stage.Ran.of("[]\n"));
		List<String> lines = micro("blob", "list", "b", "-v").lines();
		assertThat(lines.get(0)).matches("KEY +SIZE +TYPE +TIME");
		assertThat(lines.get(1)).matches("b +0 +application/octet-stream +20.*Z");
	}

	@Test
	void aListIsOfAnyLength() throws IOException {
		for (int i = 0; i < 1_200; i++) {
			this.stage.blobs("micro").put("key-" + (1_000 + i), "text/plain", InputStream.nullInputStream());
		}
		assertThat(micro("blob", "list").lines()).hasSize(1_200).doesNotHaveDuplicates();
		assertThat(micro("blob", "list", "--limit", "1100").lines()).hasSize(1_100);
	}

	@Test
	void jsonTellsEverything() {
		JsonObject json = json(micro("blob", "put", "a.txt", "-", "--output=json"));
		Blob blob = found("micro", "a.txt");
		assertThat(json.get("key").getAsString()).isEqualTo("a.txt");
		assertThat(json.get("contentType").getAsString()).isEqualTo("text/plain");
		assertThat(json.get("size").getAsLong()).isZero();
		assertThat(json.get("sha256").getAsString()).isEqualTo(blob.sha256());
		assertThat(json.get("time").getAsString()).isEqualTo(blob.time().toString());
		assertThat(json(micro("blob", "get", "a.txt", this.folder.resolve("f").toString(), "--output=json")))
			.isEqualTo(json);
		Stage.Ran ran = micro("blob", "get", "a.txt", "--output=json");
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.err()).contains("name a file");
	}

	@Test
	void whatIsDeletedIsGone() {
		micro("blob", "put", "a", "-");
		assertThat(micro("blob", "delete", "a")).isEqualTo(Stage.Ran.of(""));
		assertThat(this.stage.blobs("micro").find("a")).isNull();
		Stage.Ran missing = new Stage.Ran(127, "", "There is no blob 'a' in 'micro'.\n");
		assertThat(micro("blob", "delete", "a")).isEqualTo(missing);
		assertThat(micro("blob", "get", "a")).isEqualTo(missing);
		Path file = this.folder.resolve("file");
		assertThat(micro("blob", "get", "a", file.toString())).isEqualTo(missing);
		assertThat(file).doesNotExist();
	}

	@Test
	void namespacesAreChosen() {
		micro("blob", "put", "a", "-", "--namespace", "other");
		assertThat(this.stage.blobs("other").find("a")).isNotNull();
		assertThat(micro("blob", "list")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("blob", "list", "-d", "other").lines()).containsExactly("a");
		this.stage.environment().put("MICRO_NAMESPACE", "other");
		assertThat(micro("blob", "list").lines()).containsExactly("a");
	}

	@Test
	void aFileThatCannotBeReadOrWrittenIsNamed() {
		Path missing = this.folder.resolve("missing/file");
		Stage.Ran put = micro("blob", "put", "a", missing.toString());
		assertThat(put.code()).isEqualTo(1);
		assertThat(put.err()).isEqualTo("Cannot read '" + missing + "': there is no such file.\n");
		Stage.Ran folder = micro("blob", "put", "a", this.folder.toString());
		assertThat(folder.code()).isEqualTo(1);
		assertThat(folder.err()).isEqualTo("Cannot read '" + this.folder + "': it is a directory.\n");
		assertThat(this.stage.blobs("micro").find("a")).isNull();
		micro("blob", "put", "a", "-");
		Stage.Ran get = micro("blob", "get", "a", missing.toString());
		assertThat(get.code()).isEqualTo(128);
		assertThat(get.err()).startsWith("Cannot write the blob to '" + missing + "'");
	}

	@Test
	void whatIsNoKeyIsUsedWrongly() {
		Stage.Ran ran = micro("blob", "put", "", "-");
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.err()).contains("the key is empty");
	}

	@Test
	void anOlderMicroIsNamed() throws Exception {
		try (Stage older = new Stage()) {
			older.register("store", "store-1");
			Stage.Ran ran = older.micro("blob", "list");
			assertThat(ran.code()).isEqualTo(5);
			assertThat(ran.err()).contains("older Micro");
		}
	}

	private Blob found(String namespace, String key) {
		return Objects.requireNonNull(this.stage.blobs(namespace).find(key));
	}

	private static JsonObject json(Stage.Ran ran) {
		return JsonParser.parseString(ran.out()).getAsJsonObject();
	}

	private Stage.Ran micro(String... args) {
		return this.stage.micro(args);
	}

	private static byte[] bytes(int count) {
		byte[] bytes = new byte[count];
		new Random(1).nextBytes(bytes);
		return bytes;
	}

}
