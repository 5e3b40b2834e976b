package mu.micro.grpc;

import java.util.Map;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import mu.micro.MicroException;

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

	private Json() {
	}

	/**
	 * Reads a message.
	 * @param schema where the type comes from
	 * @param type the message's type
	 * @param json a JSON object
	 * @return the message
	 * @throws MicroException.Invalid if it is no JSON, does not fit the type, or has a
	 * field that the type does not; the message names the field
	 */
	public static DynamicMessage parse(Schema schema, Descriptor type, String json) {
		DynamicMessage.Builder message = DynamicMessage.newBuilder(type);
		try {
			JsonFormat.parser().usingTypeRegistry(schema.types()).merge(json, message);
			return message.build();
		}
		catch (InvalidProtocolBufferException ex) {
			throw new MicroException.Invalid("not a " + type.getFullName() + ": " + ex.getMessage(), ex);
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
