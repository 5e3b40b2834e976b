package mu.micro.gateway;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.UninitializedMessageException;
import mu.micro.MicroException;
import mu.micro.grpc.Json;
import mu.micro.grpc.Schema;
import mu.micro.grpc.Text;
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
		try {
			return Json.parse(schema, type, json.toString());
		}
		catch (MicroException.Invalid ex) {
			checkAwaited();
			throw ex;
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

}
