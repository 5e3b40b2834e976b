package mu.micro.jdbc;

import java.nio.charset.StandardCharsets;

/**
 * Where a table or a topic is. Names are kept and compared as UTF-8, made once.
 *
 * @param namespace the namespace
 * @param table the table, or the topic
 */
record Place(byte[] namespace, byte[] table) {

	static Place of(String namespace, String table) {
		return new Place(utf8(namespace), utf8(table));
	}

	static byte[] utf8(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

	static String text(byte[] utf8) {
		return new String(utf8, StandardCharsets.UTF_8);
	}

}
