package mu.micro.local;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.registry.Instance;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * One lease as others hear of it. Of two for the same key the newer one counts.
 *
 * @param node who announces
 * @param sequence the larger the newer
 * @param namespace the namespace
 * @param instance the instance
 */
record Announcement(Node node, long sequence, String namespace, Instance instance) {

	private static final JsonFactory JSON = new JsonFactory();

	/**
	 * A number that leaves room for the ones that follow it.
	 */
	private static final long MAX_SEQUENCE = Long.MAX_VALUE / 2;

	/**
	 * What makes two announcements the same instance.
	 * @return the key
	 */
	Key key() {
		return new Key(this.namespace, this.instance.service(), this.instance.id());
	}

	/**
	 * Whether this one counts and the other does not: all who compare agree.
	 * @param other an announcement with the same key
	 * @return whether this is the newer one
	 */
	boolean newerThan(Announcement other) {
		if (this.sequence != other.sequence) {
			return this.sequence > other.sequence;
		}
		return this.node.toString().compareTo(other.node.toString()) > 0;
	}

	/**
	 * Writes announcements as an array of JSON.
	 * @param announcements the announcements
	 * @return the text in UTF-8
	 */
	static byte[] write(Collection<Announcement> announcements) {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
			json.writeStartArray();
			for (Announcement announcement : announcements) {
				announcement.write(json);
			}
			json.writeEndArray();
		}
		return bytes.toByteArray();
	}

	/**
	 * Reads what {@link #write} wrote, and leaves out what this version does not know.
	 * @param bytes anything
	 * @return the announcements, none if the bytes are something else
	 */
	static List<Announcement> read(byte[] bytes) {
		List<Announcement> announcements = new ArrayList<>();
		try (JsonParser json = JSON.createParser(ObjectReadContext.empty(), bytes)) {
			if (json.nextToken() != JsonToken.START_ARRAY) {
				return List.of();
			}
			while (json.nextToken() == JsonToken.START_OBJECT) {
				Announcement announcement = read(json);
				if (announcement == null) {
					return List.of();
				}
				announcements.add(announcement);
			}
			return (json.currentToken() == JsonToken.END_ARRAY) ? announcements : List.of();
		}
		catch (JacksonException | MicroException.Invalid | NumberFormatException ex) {
			return List.of();
		}
	}

	private void write(JsonGenerator json) {
		json.writeStartObject();
		json.writeStringProperty("node", this.node.toString());
		json.writeNumberProperty("sequence", this.sequence);
		json.writeStringProperty("namespace", this.namespace);
		json.writeStringProperty("service", this.instance.service());
		json.writeStringProperty("version", this.instance.version());
		json.writeStringProperty("id", this.instance.id());
		json.writeStringProperty("host", this.instance.host());
		json.writeNumberProperty("port", this.instance.port());
		json.writeObjectPropertyStart("metadata");
		this.instance.metadata().forEach(json::writeStringProperty);
		json.writeEndObject();
		json.writeEndObject();
	}

	private static @Nullable Announcement read(JsonParser json) {
		Map<String, String> texts = new HashMap<>();
		Map<String, String> metadata = new HashMap<>();
		for (String name = json.nextName(); name != null; name = json.nextName()) {
			JsonToken token = json.nextToken();
			if (token.isScalarValue()) {
				texts.put(name, json.getString());
			}
			else if (name.equals("metadata") && token == JsonToken.START_OBJECT) {
				for (String key = json.nextName(); key != null; key = json.nextName()) {
					json.nextToken();
					metadata.put(key, json.getString());
				}
			}
			else {
				json.skipChildren();
			}
		}
		Node node = Node.parse(texts.getOrDefault("node", ""));
		long sequence = Long.parseLong(texts.getOrDefault("sequence", ""));
		if (node == null || sequence < 0 || sequence > MAX_SEQUENCE) {
			return null;
		}
		Instance instance = new Instance(texts.getOrDefault("service", ""), texts.getOrDefault("version", ""),
				texts.getOrDefault("id", ""), texts.getOrDefault("host", ""),
				Integer.parseInt(texts.getOrDefault("port", "")), metadata);
		return new Announcement(node, sequence, Limits.name("namespace", texts.getOrDefault("namespace", "")),
				instance);
	}

	/**
	 * What is announced at most once.
	 *
	 * @param namespace the namespace
	 * @param service the service
	 * @param id the instance
	 */
	record Key(String namespace, String service, String id) {

	}

}
