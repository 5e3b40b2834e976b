package mu.micro.jdbc;

import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * An entry's metadata, or an event's headers, as JSON, for whoever opens the database
 * with other tools.
 */
final class Metadata {

	private static final JsonFactory JSON = new JsonFactory();

	private Metadata() {
	}

	/**
	 * Writes metadata as an object of texts.
	 * @param metadata the metadata
	 * @return text in UTF-8; null where there is none
	 */
	static byte @Nullable [] write(Map<String, String> metadata) {
		if (metadata.isEmpty()) {
			return null;
		}
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
			json.writeStartObject();
			metadata.forEach(json::writeStringProperty);
			json.writeEndObject();
		}
		return bytes.toByteArray();
	}

	/**
	 * Reads what {@link #write} wrote.
	 * @param bytes what it returned
	 * @return the metadata
	 */
	static Map<String, String> read(byte @Nullable [] bytes) {
		if (bytes == null) {
			return Map.of();
		}
		Map<String, String> metadata = new HashMap<>();
		try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), bytes)) {
			if (json.nextToken() == JsonToken.START_OBJECT) {
				for (String name = json.nextName(); name != null; name = json.nextName()) {
					json.nextToken();
					metadata.put(name, json.getString());
				}
			}
		}
		return metadata;
	}

}
