package mu.micro.core;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HexFormat;

import mu.micro.blob.Blob;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class BlobBytesTests {

	@Test
	void whatIsAsItWasPutIsRead() throws IOException {
		assertThat(bytes("content", "content").readAllBytes()).isEqualTo(utf8("content"));
		assertThat(bytes("content", "content and more").readAllBytes()).isEqualTo(utf8("content"));
		assertThat(bytes("", "").read()).isEqualTo(-1);
	}

	@Test
	void anotherContentIsSaidBeforeItsLastByte() throws IOException {
		BlobBytes bytes = bytes("content", "kontent");
		assertThat(bytes.readNBytes(6)).isEqualTo(utf8("konten"));
		assertThatExceptionOfType(IOException.class).isThrownBy(bytes::read)
			.withMessageContainingAll("'key'", "the shelf", "damaged");
		// And goes on being said.
		assertThatExceptionOfType(IOException.class).isThrownBy(bytes::read);
	}

	@Test
	void aContentThatIsTooShortIsSaid() throws IOException {
		BlobBytes bytes = bytes("content", "con");
		assertThat(bytes.readNBytes(3)).isEqualTo(utf8("con"));
		assertThatExceptionOfType(IOException.class).isThrownBy(bytes::read)
			.withMessageContainingAll("'key'", "the shelf", "4 bytes before its end");
	}

	@Test
	void whatIsClosedIsNotRead() throws IOException {
		BlobBytes bytes = bytes("content", "content");
		bytes.close();
		assertThatExceptionOfType(IOException.class).isThrownBy(bytes::read).withMessage("the blob 'key' is closed");
	}

	private static BlobBytes bytes(String put, String kept) {
		String sha256 = HexFormat.of().formatHex(BlobBytes.sha256().digest(utf8(put)));
		Blob blob = new Blob("key", "text/plain", utf8(put).length, Instant.EPOCH, sha256);
		return new BlobBytes(new ByteArrayInputStream(utf8(kept)), blob, "the shelf");
	}

	private static byte[] utf8(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
