package mu.micro.core;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;

import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

import mu.micro.MicroException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class KeyringTests {

	private static final byte[] SECRET = "sésame".getBytes(StandardCharsets.UTF_8);

	@TempDir
	private Path directory;

	@Test
	void whatIsSealedOpens() {
		Keyring ring = Keyring.of(List.of(key(1)));
		for (byte[] secret : List.of(SECRET, new byte[0], new byte[1_000_000])) {
			String sealed = ring.seals("micro").seal("a.b", secret);
			assertThat(Keyring.of(List.of(" " + key(1) + "\n")).seals("micro").open("a.b", sealed)).isEqualTo(secret);
		}
	}

	/**
	 * What is kept has to open with every later version, and with anybody's tools.
	 */
	@Test
	void theFormatIsWhatTheDocumentationSays() throws Exception {
		byte[] root = Base64.getDecoder().decode(key(1));
		byte[] id = Hkdf.derive(root, new byte[0], "micro config 1 id".getBytes(StandardCharsets.UTF_8), 8);
		byte[] key = Hkdf.derive(root, new byte[0], "micro config 1 namespace micro".getBytes(StandardCharsets.UTF_8),
				32);
		String sealed = Keyring.of(List.of(key(1))).seals("micro").seal("a.b", SECRET);
		assertThat(sealed).startsWith(HexFormat.of().formatHex(id) + ":");
		byte[] whole = Base64.getDecoder().decode(sealed.substring(17));
		Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
		cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new GCMParameterSpec(128, whole, 0, 12));
		cipher.updateAAD("micro\0a.b".getBytes(StandardCharsets.UTF_8));
		assertThat(cipher.doFinal(whole, 12, whole.length - 12)).isEqualTo(SECRET);
	}

	@Test
	void noTwoSealsAreAlike() {
		Keyring.Seals seals = Keyring.of(List.of(key(1))).seals("micro");
		assertThat(seals.seal("a", SECRET)).isNotEqualTo(seals.seal("a", SECRET));
	}

	@Test
	void whatWasMovedDoesNotOpen() {
		Keyring ring = Keyring.of(List.of(key(1)));
		String sealed = ring.seals("ab").seal("c", SECRET);
		for (List<String> place : List.of(List.of("ab", "d"), List.of("ab", ""), List.of("ac", "c"), List.of("a", "bc"),
				List.of("abc", ""))) {
			assertThatExceptionOfType(MicroException.Internal.class)
				.isThrownBy(() -> ring.seals(place.get(0)).open(place.get(1), sealed))
				.withMessageContainingAll("'" + place.get(1) + "'", "'" + place.get(0) + "'", "set it again")
				.withNoCause();
		}
	}

	@Test
	void whatWasChangedDoesNotOpen() {
		Keyring.Seals seals = Keyring.of(List.of(key(1), key(2))).seals("micro");
		String sealed = seals.seal("a", SECRET);
		int colon = sealed.indexOf(':');
		byte[] bytes = Base64.getDecoder().decode(sealed.substring(colon + 1));
		for (int i = 0; i < bytes.length; i++) {
			byte[] changed = bytes.clone();
			changed[i] ^= 1;
			damaged(seals, sealed.substring(0, colon + 1) + Base64.getEncoder().encodeToString(changed));
		}
		for (int length = 0; length < bytes.length; length++) {
			damaged(seals,
					sealed.substring(0, colon + 1) + Base64.getEncoder().encodeToString(Arrays.copyOf(bytes, length)));
		}
		for (String text : List.of("", ":", sealed.substring(colon), sealed.substring(colon + 1), sealed + "!",
				sealed.substring(0, colon), sealed.substring(0, colon + 1))) {
			damaged(seals, text);
		}
		String other = Keyring.of(List.of(key(2))).seals("micro").seal("a", SECRET);
		damaged(seals, other.substring(0, other.indexOf(':')) + sealed.substring(colon));
	}

	private static void damaged(Keyring.Seals seals, String sealed) {
		assertThatExceptionOfType(MicroException.Internal.class).as(sealed)
			.isThrownBy(() -> seals.open("a", sealed))
			.withMessageContaining("'a'")
			.withNoCause();
	}

	@Test
	void allKeysOpenAndTheFirstOneSeals() {
		Keyring old = Keyring.of(List.of(key(1)));
		Keyring both = Keyring.of(List.of(key(2), key(1)));
		Keyring renewed = Keyring.of(List.of(key(2)));
		String sealed = old.seals("micro").seal("a", SECRET);
		assertThat(both.seals("micro").open("a", sealed)).isEqualTo(SECRET);
		assertThat(both.seals("micro").current(sealed)).isFalse();
		String again = both.seals("micro").seal("a", SECRET);
		assertThat(both.seals("micro").current(again)).isTrue();
		assertThat(renewed.seals("micro").open("a", again)).isEqualTo(SECRET);
		String id = sealed.substring(0, sealed.indexOf(':'));
		assertThatExceptionOfType(MicroException.Internal.class)
			.isThrownBy(() -> renewed.seals("micro").open("a", sealed))
			.withMessageContainingAll("'a'", "'micro'", id, "key ring");
	}

	@Test
	void keysThatAreNoneAreRefusedAndNotQuoted() {
		String shorter = Base64.getEncoder().encodeToString(new byte[31]);
		String longer = Base64.getEncoder().encodeToString(new byte[33]);
		for (String key : List.of("", "hunter2hunter2", shorter, longer, key(1) + key(1), "é")) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Keyring.of(List.of(key(1), key)))
				.withMessageContainingAll("key 2", "base64", "openssl")
				.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain("hunter2").doesNotContain(shorter))
				.withNoCause();
		}
		for (int count : new int[] { 0, 17 }) {
			assertThatExceptionOfType(MicroException.Invalid.class)
				.isThrownBy(() -> Keyring.of(Collections.nCopies(count, key(1))))
				.withMessageContaining("1 to 16");
		}
		Keyring.of(Collections.nCopies(16, key(1)));
	}

	@Test
	void aRingTellsNothingOfItsKeys() {
		assertThat(Keyring.of(List.of(key(1))).toString()).doesNotContain(key(1));
		String sealed = Keyring.of(List.of(key(1))).seals("micro").seal("a", SECRET);
		assertThat(sealed).doesNotContain(key(1).substring(0, 10));
	}

	@Test
	void aFileIsMadeByTheFirstSecretOnly() {
		Path file = this.directory.resolve("keys");
		Keyring ring = Keyring.file(file);
		String foreign = Keyring.of(List.of(key(1))).seals("micro").seal("a", SECRET);
		Keyring.Seals seals = ring.seals("micro");
		assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(() -> seals.open("a", foreign));
		assertThat(seals.current(foreign)).isFalse();
		assertThat(file).doesNotExist();
		String sealed = seals.seal("a", SECRET);
		assertThat(file).exists();
		assertThat(seals.open("a", sealed)).isEqualTo(SECRET);
		assertThat(Keyring.file(file).seals("micro").open("a", sealed)).isEqualTo(SECRET);
	}

	@Test
	@DisabledOnOs(OS.WINDOWS)
	void onlyTheUserMayReadTheFile() throws IOException {
		Path file = this.directory.resolve("keys");
		Keyring.file(file).seals("micro").seal("a", SECRET);
		assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo("rw-------");
		assertThat(this.directory.toFile().list()).containsExactly("keys");
	}

	@Test
	void theFirstLineOfTheFileSealsAndAllOpen() throws IOException {
		Path file = this.directory.resolve("keys");
		Keyring ring = Keyring.file(file);
		String sealed = ring.seals("micro").seal("a", SECRET);
		String made = Files.readString(file);
		Files.writeString(file, key(2) + "\r\n\n" + made);
		assertThat(ring.seals("micro").open("a", sealed)).isEqualTo(SECRET);
		assertThat(ring.seals("micro").current(sealed)).isFalse();
		String again = ring.seals("micro").seal("a", SECRET);
		assertThat(Keyring.of(List.of(key(2))).seals("micro").open("a", again)).isEqualTo(SECRET);
		assertThat(Keyring.of(List.of(made)).seals("micro").open("a", sealed)).isEqualTo(SECRET);
	}

	@Test
	void aFileThatHoldsNoKeysIsNamed() throws IOException {
		Path file = this.directory.resolve("keys");
		Keyring ring = Keyring.file(file);
		for (String content : List.of("", "\n", "hunter2\n", key(1) + "\nhunter2", "\u0000".repeat(10_000))) {
			Files.writeString(file, content);
			assertThatExceptionOfType(MicroException.Internal.class)
				.isThrownBy(() -> ring.seals("micro").seal("a", SECRET))
				.withMessageContainingAll(file.toString(), "openssl")
				.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain("hunter2").doesNotContain(key(1)));
			assertThat(Files.readString(file)).isEqualTo(content);
		}
		Files.delete(file);
		Files.createDirectory(file);
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> ring.seals("micro").seal("a", SECRET))
			.withMessageContainingAll(file.toString(), "read and write");
		Path nowhere = Files.createFile(this.directory.resolve("in-the-way")).resolve("keys");
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> Keyring.file(nowhere).seals("micro").seal("a", SECRET))
			.withMessageContaining(nowhere.toString());
	}

	private static String key(int filler) {
		byte[] key = new byte[32];
		Arrays.fill(key, (byte) filler);
		return Base64.getEncoder().encodeToString(key);
	}

}
