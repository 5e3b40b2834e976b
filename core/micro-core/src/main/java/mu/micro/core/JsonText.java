package mu.micro.core;

import java.io.StringWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.config.Config;
import mu.micro.config.Json;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/**
 * {@link Json} as text and back, by RFC 8259. No message holds anything of the text, for
 * it may be a secret.
 */
public final class JsonText {

	// Sign, point and exponent, and as many zeroes as digits.
	private static final int NUMBER = 2 * Json.Number.DIGITS + 10;

	private static final JsonFactory JSON = JsonFactory.builder()
		.enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
		.streamReadConstraints(StreamReadConstraints.builder()
			.maxNestingDepth(Config.DEPTH + 2)
			.maxNumberLength(NUMBER)
			.maxNameLength(Limits.VALUE)
			.maxStringLength(Limits.VALUE)
			.build())
		.build();

	private JsonText() {
	}

	/**
	 * Reads a text.
	 * @param text one JSON value of at most {@link Limits#VALUE} characters, nested at
	 * most {@link Config#DEPTH} levels deep
	 * @return the value
	 * @throws MicroException.Invalid if it is something else, or two members of an object
	 * have one name
	 */
	public static Json parse(String text) {
		return parse(text, Config.DEPTH);
	}

	static Json parse(String text, int depth) {
		if (text.length() > Limits.VALUE) {
			throw new MicroException.Invalid(
					"the JSON is " + text.length() + " characters, more than the limit of " + Limits.VALUE);
		}
		try (JsonParser parser = JSON.createParser(ObjectReadContext.empty(), text)) {
			Json json = read(parser, parser.nextToken(), depth);
			if (parser.nextToken() != null) {
				throw new MicroException.Invalid("this is more than one JSON value; put several into an array");
			}
			return json;
		}
		catch (JacksonException ex) {
			// Not as the cause: its message quotes the text.
			throw new MicroException.Invalid("this is no JSON from line " + ex.getLocation().getLineNr() + ", column "
					+ ex.getLocation().getColumnNr() + " on; a text needs quotes around it");
		}
	}

	private static Json read(JsonParser parser, @Nullable JsonToken token, int depth) {
		if (token == null) {
			throw new MicroException.Invalid("this is no JSON, for there is nothing; a text needs quotes around it");
		}
		return switch (token) {
			case START_OBJECT -> {
				checkDepth(depth);
				Map<String, Json> members = new HashMap<>();
				for (String name = parser.nextName(); name != null; name = parser.nextName()) {
					members.put(name, read(parser, parser.nextToken(), depth - 1));
				}
				yield Json.of(members);
			}
			case START_ARRAY -> {
				checkDepth(depth);
				List<Json> items = new ArrayList<>();
				for (JsonToken next = parser.nextToken(); next != JsonToken.END_ARRAY; next = parser.nextToken()) {
					items.add(read(parser, next, depth - 1));
				}
				yield Json.of(items);
			}
			case VALUE_STRING -> Json.of(parser.getString());
			case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(parser);
			case VALUE_TRUE -> Json.of(true);
			case VALUE_FALSE -> Json.of(false);
			case VALUE_NULL -> Json.NULL;
			default -> throw new MicroException.Invalid("this is no JSON");
		};
	}

	private static Json number(JsonParser parser) {
		try {
			return Json.of(parser.getDecimalValue());
		}
		catch (NumberFormatException ex) {
			throw new MicroException.Invalid("a number has an exponent beyond all bounds; write it as a text");
		}
	}

	/**
	 * Writes a value, without white space.
	 * @param json the value, nested at most {@link Config#DEPTH} levels deep
	 * @return the text
	 * @throws MicroException.Invalid if it is nested deeper
	 */
	public static String write(Json json) {
		return write(json, Config.DEPTH);
	}

	static String write(Json json, int depth) {
		StringWriter text = new StringWriter();
		try (JsonGenerator generator = JSON.createGenerator(ObjectWriteContext.empty(), text)) {
			write(generator, json, depth);
		}
		return text.toString();
	}

	private static void write(JsonGenerator generator, Json json, int depth) {
		if (json instanceof Json.Struct struct) {
			checkDepth(depth);
			generator.writeStartObject();
			struct.members().forEach((name, member) -> {
				generator.writeName(name);
				write(generator, member, depth - 1);
			});
			generator.writeEndObject();
		}
		else if (json instanceof Json.Array array) {
			checkDepth(depth);
			generator.writeStartArray();
			array.items().forEach((item) -> write(generator, item, depth - 1));
			generator.writeEndArray();
		}
		else if (json instanceof Json.Text text) {
			generator.writeString(text.value());
		}
		else if (json instanceof Json.Number number) {
			generator.writeNumber(number.value());
		}
		else if (json instanceof Json.Bool bool) {
			generator.writeBoolean(bool.value());
		}
		else {
			generator.writeNull();
		}
	}

	private static void checkDepth(int depth) {
		if (depth == 0) {
			throw new MicroException.Invalid("the JSON is nested deeper than the limit of " + Config.DEPTH + " levels");
		}
	}

}
