package mu.micro.grpc;

import java.util.Map;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * Messages as JSON, by the
 * <a href="https://protobuf.dev/programming-guides/json/">ProtoJSON</a> mapping: fields
 * in lowerCamelCase (both spellings are read), fields without presence left out at their
 * default, 64-bit integers as strings, {@code <}, {@code >} and {@code &} as they are.
 */
public final class Json {

	// What the printer escapes for the sake of HTML, and nothing else.
	private static final Map<String, String> FOR_HTML = Map.of("u003c", "<", "u003e", ">", "u0026", "&", "u003d", "=",
			"u0027", "'");

	private static final int ESCAPE = 5;

	/**
	 * Characters in a text whose wrong field is looked for.
	 */
	private static final int MOST_SEARCHED = 64 * 1024;

	private Json() {
	}

	/**
	 * Reads a message.
	 * @param schema where the type comes from
	 * @param type the message's type
	 * @param json a JSON object
	 * @return the message
	 * @throws MicroException.Invalid if it is no JSON, does not fit the type, or has a
	 * field that the type does not; the message names the field, of JSON up to
	 * {@value #MOST_SEARCHED} characters with those that it is in
	 */
	public static DynamicMessage parse(Schema schema, Descriptor type, String json) {
		try {
			return merge(schema, type, json).build();
		}
		catch (InvalidProtocolBufferException ex) {
			MicroException.Invalid placed = (json.length() <= MOST_SEARCHED) ? misfit(schema, type, json) : null;
			throw (placed != null) ? placed : new MicroException.Invalid(
					"not a " + type.getFullName() + ": " + Text.shortened(String.valueOf(ex.getMessage())), ex);
		}
	}

	static DynamicMessage.Builder merge(Schema schema, Descriptor type, String json)
			throws InvalidProtocolBufferException {
		DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
		JsonFormat.parser().usingTypeRegistry(schema.types()).merge(json, message);
		return message;
	}

	private static MicroException.@Nullable Invalid misfit(Schema schema, Descriptor type, String json) {
		try {
			return (JsonParser.parseString(json) instanceof JsonObject object)
					? new Misfit(schema).find(type, object, "") : null;
		}
		catch (JsonParseException ex) {
			return null;
		}
	}

	/**
	 * Writes a message.
	 * @param schema where the type comes from
	 * @param message the message
	 * @param indented whether for people, over several lines
	 * @return a JSON object
	 * @throws MicroException.Internal if an {@code Any} holds a type that the schema does
	 * not know
	 */
	public static String print(Schema schema, MessageOrBuilder message, boolean indented) {
		JsonFormat.Printer printer = JsonFormat.printer().usingTypeRegistry(schema.types());
		try {
			return plain(((indented) ? printer : printer.omittingInsignificantWhitespace()).print(message));
		}
		catch (InvalidProtocolBufferException ex) {
			throw new MicroException.Internal(
					"cannot write " + message.getDescriptorForType().getFullName() + " as JSON: " + ex.getMessage(),
					ex);
		}
	}

	private static String plain(String json) {
		if (json.indexOf('\\') < 0) {
			return json;
		}
		StringBuilder plain = new StringBuilder(json.length());
		for (int i = 0; i < json.length(); i++) {
			char c = json.charAt(i);
			if (c != '\\') {
				plain.append(c);
				continue;
			}
			String character = FOR_HTML.get(json.substring(i + 1, Math.min(i + 1 + ESCAPE, json.length())));
			if (character != null) {
				plain.append(character);
				i += ESCAPE;
			}
			else {
				plain.append(c).append(json.charAt(++i));
			}
		}
		return plain.toString();
	}

}
