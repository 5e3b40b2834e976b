package mu.micro.cli;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import mu.micro.MicroException;
import mu.micro.grpc.Json;
import mu.micro.grpc.Schema;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Requests written in JSON.
 */
final class Requests {

	/**
	 * Where what lacks its end began, told without the line and the column.
	 */
	private static final String STARTED = " \\(start marker at .*";

	private Requests() {
	}

	/**
	 * Reads a request.
	 * @param schema where the type comes from
	 * @param type the request's type
	 * @param json a JSON object
	 * @param place where it stands, as the beginning of a message; may be empty
	 * @return the request
	 * @throws Failure if it is something else, naming the place or the field
	 */
	static DynamicMessage parse(Schema schema, Descriptor type, String json, String place) {
		try {
			return Json.parse(schema, type, json);
		}
		catch (MicroException.Invalid ex) {
			String malformed = malformed(json);
			throw Failure.told(Failure.USAGE, place + ((malformed != null) ? malformed : ex.getMessage()), ex);
		}
	}

	// Protobuf's parser does not say where.
	private static @Nullable String malformed(String json) {
		try (JsonParser parser = new JsonFactory().createParser(ObjectReadContext.empty(), json)) {
			if (parser.nextToken() != JsonToken.START_OBJECT) {
				return "the request is not a JSON object; send one, as in {\"name\":\"Jane\"}";
			}
			parser.skipChildren();
			return null;
		}
		catch (JacksonException ex) {
			String line = (json.strip().indexOf('\n') >= 0) ? "line " + ex.getLocation().getLineNr() + ", " : "";
			return "the request is malformed JSON at " + line + "column " + ex.getLocation().getColumnNr() + ": "
					+ ex.getOriginalMessage().replaceFirst(STARTED, "");
		}
	}

}
