package mu.micro.gateway;

import java.util.Map;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.UninitializedMessageException;
import mu.micro.MicroException;
import mu.micro.grpc.Json;
import mu.micro.grpc.Schema;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a request says: the fields in its body and those in its query. JSON is read
 * strictly: no comments, no text after the object, no name twice.
 */
final class Payload {

	private static final int DEEPEST = 100;

	/**
	 * Characters in a body whose wrong field is looked for.
	 */
	private static final int MOST_SEARCHED = 64 * 1024;

	private static final JsonMapper MAPPER = JsonMapper
		.builder(JsonFactory.builder()
			.streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(DEEPEST).build())
			.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
			.build())
		.enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
		.build();

	private final ObjectNode body;

	private final Query query;

	private Payload(ObjectNode body, Query query) {
		this.body = body;
		this.query = query;
	}

	/**
	 * Reads a request.
	 * @param body a JSON object in UTF-8, or nothing, which is an empty one
	 * @param query the query string, percent-encoded
	 * @return the payload
	 * @throws MicroException.Invalid if either is malformed; the message tells the place
	 */
	static Payload of(byte[] body, String query) {
		return new Payload((body.length == 0) ? JsonNodeFactory.instance.objectNode() : object(body), Query.of(query));
	}

	private static ObjectNode object(byte[] body) {
		JsonNode json;
		try {
			json = MAPPER.readTree(body);
		}
		catch (JacksonException ex) {
			TokenStreamLocation place = ex.getLocation();
			String where = (place != null) ? " at line " + place.getLineNr() + ", column " + place.getColumnNr() : "";
			throw new MicroException.Invalid("the body is malformed JSON" + where + ": " + ex.getOriginalMessage(), ex);
		}
		if (json instanceof ObjectNode object) {
			return object;
		}
		if (json.isMissingNode()) {
			return JsonNodeFactory.instance.objectNode();
		}
		throw new MicroException.Invalid("the body is not a JSON object; send one, as in {\"name\":\"Jane\"}");
	}

	/**
	 * Makes the message of a type.
	 * @param schema where the type comes from
	 * @param type the type
	 * @return the message
	 * @throws MicroException.Invalid if the payload does not fit the type; the message
	 * names the field
	 */
	DynamicMessage fit(Schema schema, Descriptor type) {
		ObjectNode json = this.body;
		if (!this.query.parameters().isEmpty()) {
			json = this.body.deepCopy();
			Query.merge(json, this.query.toJson(type), type, "");
		}
		String text = json.toString();
		try {
			return Json.parse(schema, type, text);
		}
		catch (MicroException.Invalid ex) {
			MicroException.Invalid placed = (text.length() <= MOST_SEARCHED) ? new Misfit(schema).find(type, json, "")
					: null;
			throw (placed != null) ? placed : new MicroException.Invalid(Misfit.reason(ex), ex);
		}
		catch (UninitializedMessageException ex) {
			throw new MicroException.Invalid("required fields are missing: " + Text.list(ex.getMissingFields()), ex);
		}
	}

	/**
	 * Ends work that nobody waits for any more.
	 * @throws MicroException.Cancelled if the thread was interrupted
	 */
	static void checkAwaited() {
		if (Thread.currentThread().isInterrupted()) {
			throw new MicroException.Cancelled("nobody waits for the answer any more", null);
		}
	}

	/**
	 * Finds the field that does not fit, by trying each alone, as long as it may.
	 */
	private static final class Misfit {

		private static final int MOST_TRIES = 200;

		private final Schema schema;

		private int tries;

		Misfit(Schema schema) {
			this.schema = schema;
		}

		private MicroException.@Nullable Invalid find(Descriptor type, ObjectNode json, String prefix) {
			for (Map.Entry<String, JsonNode> entry : json.properties()) {
				String path = prefix + entry.getKey();
				FieldDescriptor field = Fields.find(type, entry.getKey());
				if (field == null) {
					return Fields.unknown(Text.shortened(path), type);
				}
				MicroException.Invalid misfit = misfit(type, field, entry.getValue());
				if (misfit != null) {
					return within(type, field, entry.getValue(), path, misfit);
				}
			}
			return null;
		}

		private MicroException.Invalid within(Descriptor type, FieldDescriptor field, JsonNode value, String path,
				MicroException.Invalid misfit) {
			MicroException.Invalid inner = null;
			if (field.isMapField() && value.isObject()) {
				inner = inMap(type, field, (ObjectNode) value, path);
			}
			else if (field.isRepeated() && value.isArray()) {
				inner = inArray(type, field, value, path);
			}
			else if (value instanceof ObjectNode object && Fields.isPlainMessage(field)) {
				inner = find(field.getMessageType(), object, path + ".");
			}
			return (inner != null) ? inner
					: new MicroException.Invalid("field '" + Text.shortened(path) + "': " + reason(misfit), misfit);
		}

		private MicroException.@Nullable Invalid inMap(Descriptor type, FieldDescriptor field, ObjectNode map,
				String path) {
			for (Map.Entry<String, JsonNode> entry : map.properties()) {
				JsonNode alone = JsonNodeFactory.instance.objectNode().set(entry.getKey(), entry.getValue());
				MicroException.Invalid misfit = misfit(type, field, alone);
				if (misfit != null) {
					FieldDescriptor value = field.getMessageType().findFieldByNumber(2);
					return within(field.getMessageType(), value, entry.getValue(), path + "." + entry.getKey(), misfit);
				}
			}
			return null;
		}

		private MicroException.@Nullable Invalid inArray(Descriptor type, FieldDescriptor field, JsonNode array,
				String path) {
			for (int i = 0; i < array.size(); i++) {
				JsonNode element = array.get(i);
				MicroException.Invalid misfit = misfit(type, field, JsonNodeFactory.instance.arrayNode().add(element));
				if (misfit != null) {
					String place = path + "[" + i + "]";
					MicroException.Invalid inner = (element instanceof ObjectNode object
							&& Fields.isPlainMessage(field)) ? find(field.getMessageType(), object, place + ".") : null;
					return (inner != null) ? inner : new MicroException.Invalid(
							"field '" + Text.shortened(place) + "': " + reason(misfit), misfit);
				}
			}
			return null;
		}

		private MicroException.@Nullable Invalid misfit(Descriptor type, FieldDescriptor field, JsonNode value) {
			checkAwaited();
			if (this.tries++ >= MOST_TRIES) {
				return null;
			}
			try {
				Json.parse(this.schema, type,
						JsonNodeFactory.instance.objectNode().set(field.getJsonName(), value).toString());
				return null;
			}
			catch (MicroException.Invalid ex) {
				return ex;
			}
			catch (UninitializedMessageException ex) {
				return null;
			}
		}

		static String reason(MicroException.Invalid ex) {
			Throwable cause = ex.getCause();
			return Text.shortened(String.valueOf(((cause != null) ? cause : ex).getMessage()));
		}

	}

}
