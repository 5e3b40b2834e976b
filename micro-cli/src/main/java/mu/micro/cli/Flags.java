package mu.micro.cli;

import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import mu.micro.MicroException;
import mu.micro.grpc.Json;
import mu.micro.grpc.Schema;

/**
 * Makes a message of flags: {@code --name=Jane}, {@code --name Jane},
 * {@code --options.domain micro}.
 */
final class Flags {

	/**
	 * How deep a flag's name may reach into nested messages.
	 */
	private static final int MAX_DEPTH = 16;

	/**
	 * How deep nested messages are listed; deeper ones can be named all the same.
	 */
	private static final int LISTED_DEPTH = 4;

	private static final Pattern NUMBER = Pattern.compile("[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d+)?");

	private static final Gson GSON = new GsonBuilder().setStrictness(Strictness.STRICT).create();

	/**
	 * Well-known types whose JSON is a string, so that quotes can be left out.
	 */
	private static final Set<String> TEXTS = Set.of("google.protobuf.Timestamp", "google.protobuf.Duration",
			"google.protobuf.FieldMask", "google.protobuf.StringValue", "google.protobuf.BytesValue");

	private final Schema schema;

	private final Descriptor type;

	private static final String WRAPPERS = "google/protobuf/wrappers.proto";

	/**
	 * The flags of a message.
	 * @param schema where the type comes from
	 * @param type the message's type
	 */
	Flags(Schema schema, Descriptor type) {
		this.schema = schema;
		this.type = type;
	}

	/**
	 * Makes the message.
	 * @param args the flags as written
	 * @return the message
	 * @throws Failure if a flag is unknown or ambiguous, or its value is missing, wrong
	 * or there twice
	 */
	DynamicMessage parse(List<String> args) {
		DynamicMessage.Builder message = DynamicMessage.newBuilder(this.type);
		Set<String> given = new HashSet<>();
		Map<String, String> choices = new LinkedHashMap<>();
		for (int i = 0; i < args.size(); i++) {
			String arg = args.get(i);
			if (!arg.startsWith("--") || arg.length() == 2) {
				throw Failure
					.usage("'" + Terminal.plain(arg) + "' is no flag: flags are written --name=value or --name value.");
			}
			int equals = arg.indexOf('=');
			String flag = (equals < 0) ? arg : arg.substring(0, equals);
			Path path = find(flag);
			FieldDescriptor field = path.last();
			String value;
			if (equals >= 0) {
				value = arg.substring(equals + 1);
			}
			else if (field.getJavaType() == JavaType.BOOLEAN) {
				boolean said = i + 1 < args.size() && args.get(i + 1).matches("(?i)true|false");
				value = (said) ? args.get(++i) : "true";
			}
			else if (i + 1 < args.size() && !args.get(i + 1).startsWith("--")) {
				value = args.get(++i);
			}
			else {
				throw Failure.usage(flag + " needs a value: " + type(field) + "; one that starts with -- is written "
						+ flag + "=--value.");
			}
			if (!given.add(path.toString()) && !field.isRepeated()) {
				throw Failure.usage(flag + " is given twice, but it takes one value.");
			}
			choose(path, flag, choices);
			set(message, path, 0, flag, value);
		}
		return message.build();
	}

	private static void choose(Path path, String flag, Map<String, String> choices) {
		StringBuilder prefix = new StringBuilder();
		for (FieldDescriptor field : path.fields) {
			OneofDescriptor oneof = field.getRealContainingOneof();
			if (oneof != null) {
				String other = choices.putIfAbsent(prefix + oneof.getName(), field.getName() + " " + flag);
				if (other != null && !other.startsWith(field.getName() + " ")) {
					throw Failure.usage(flag + " and " + other.substring(other.indexOf(' ') + 1)
							+ " exclude each other: " + oneof.getName() + " is one of them.");
				}
			}
			prefix.append(field.getName()).append('.');
		}
	}

	/**
	 * All flags with the types of their values, in order of definition.
	 * @return each flag with dashes, and its type
	 */
	Map<String, String> known() {
		Map<String, String> known = new LinkedHashMap<>();
		list(this.type, "--", new ArrayList<>(), known);
		return known;
	}

	/**
	 * Whether a name is a field's own, so that it is not an option of micro's.
	 * @param name the name, without dashes before it
	 * @return whether the message has such a field
	 */
	boolean has(String name) {
		return this.type.findFieldByName(name) != null;
	}

	/**
	 * Whether the word behind a flag is its value.
	 * @param flag the flag as written, with dashes and without a value
	 * @return whether there is such a flag and it is no boolean
	 */
	boolean wantsValue(String flag) {
		try {
			return find(flag).last().getJavaType() != JavaType.BOOLEAN;
		}
		catch (Failure ex) {
			return false;
		}
	}

	private static void list(Descriptor type, String prefix, List<Descriptor> above, Map<String, String> known) {
		above.add(type);
		for (FieldDescriptor field : type.getFields()) {
			if (nested(field) && !above.contains(field.getMessageType()) && above.size() < LISTED_DEPTH
					&& !field.getMessageType().getFields().isEmpty()) {
				list(field.getMessageType(), prefix + field.getName() + ".", above, known);
			}
			else {
				known.put(prefix + field.getName(), type(field));
			}
		}
		above.remove(above.size() - 1);
	}

	/**
	 * A field's type as a person would say it.
	 * @param field the field
	 * @return such as {@code string}, {@code list of int64}, {@code RED|GREEN}
	 */
	static String type(FieldDescriptor field) {
		if (field.isMapField()) {
			Descriptor entry = field.getMessageType();
			return "map of " + type(entry.findFieldByNumber(1)) + " to " + type(entry.findFieldByNumber(2));
		}
		return ((field.isRepeated()) ? "list of " : "") + switch (field.getType()) {
			case ENUM ->
				String.join("|", field.getEnumType().getValues().stream().map(EnumValueDescriptor::getName).toList());
			case BYTES -> "bytes in base64";
			case SINT32, SFIXED32 -> "int32";
			case SINT64, SFIXED64 -> "int64";
			case FIXED32 -> "uint32";
			case FIXED64 -> "uint64";
			case MESSAGE, GROUP -> switch (field.getMessageType().getFullName()) {
				case "google.protobuf.Timestamp" -> "time such as 2026-01-31T12:00:00Z";
				case "google.protobuf.Duration" -> "duration such as 1.5s";
				default -> (field.getMessageType().getFile().getName().equals(WRAPPERS))
						? type(field.getMessageType().findFieldByNumber(1))
						: "JSON of " + field.getMessageType().getFullName();
			};
			default -> field.getType().name().toLowerCase(Locale.ROOT);
		};
	}

	private static boolean nested(FieldDescriptor field) {
		return field.getJavaType() == JavaType.MESSAGE && !field.isRepeated()
				&& !field.getMessageType().getFile().getPackage().equals("google.protobuf");
	}

	private Path find(String flag) {
		String name = flag.substring(2);
		List<Path> found = new ArrayList<>();
		collect(this.type, name, new Path(List.of(), 0), found);
		int best = found.stream().mapToInt(Path::distance).min().orElse(-1);
		List<Path> nearest = found.stream().filter((path) -> path.distance == best).toList();
		if (nearest.size() > 1) {
			throw Failure.usage(flag + " can mean " + String.join(" or ", nearest.stream().map(Path::toString).toList())
					+ ": write the one you mean, with dots.");
		}
		if (nearest.isEmpty()) {
			throw unknown(flag);
		}
		return nearest.get(0);
	}

	private Failure unknown(String flag) {
		Set<String> known = known().keySet();
		String closest = Closest.to(flag, known);
		return Failure.usage("Unknown flag " + Terminal.plain(flag)
				+ ((closest != null) ? ", did you mean " + closest + "? There are " : "; there are ")
				+ ((known.isEmpty()) ? "no flags here" : String.join(", ", known)) + ".");
	}

	// Nested fields may be parted by a dot, an underscore or a dash, and fields' names
	// may
	// have underscores themselves: all readings are collected, and the nearest to what is
	// written wins.
	private static void collect(Descriptor type, String name, Path path, List<Path> found) {
		for (FieldDescriptor field : type.getFields()) {
			if (name.equals(field.getName())) {
				found.add(path.to(field, 0));
			}
			else if (same(name, field)) {
				found.add(path.to(field, 1));
			}
			else if (nested(field) && path.fields.size() < MAX_DEPTH) {
				for (int i = 1; i < name.length() - 1; i++) {
					char separator = name.charAt(i);
					String before = name.substring(0, i);
					if ((separator == '.' || separator == '_' || separator == '-')
							&& (before.equals(field.getName()) || same(before, field))) {
						int distance = ((before.equals(field.getName())) ? 0 : 1) + ((separator == '.') ? 0 : 100);
						collect(field.getMessageType(), name.substring(i + 1), path.to(field, distance), found);
					}
				}
			}
		}
	}

	private static boolean same(String name, FieldDescriptor field) {
		return name.replace('-', '_').equalsIgnoreCase(field.getName()) || name.equalsIgnoreCase(field.getJsonName());
	}

	private void set(Message.Builder message, Path path, int index, String flag, String value) {
		FieldDescriptor field = path.fields.get(index);
		if (index < path.fields.size() - 1) {
			DynamicMessage.Builder nested = DynamicMessage.newBuilder(field.getMessageType());
			nested.mergeFrom((Message) message.getField(field));
			set(nested, path, index + 1, flag, value);
			message.setField(field, nested.build());
		}
		else if (field.isMapField()) {
			merge(message, field, flag, value, map(field, flag, value));
		}
		else if (field.isRepeated()) {
			if (value.startsWith("[") && value.endsWith("]")) {
				merge(message, field, flag, value, json(field, flag, value));
			}
			else if (field.getJavaType() == JavaType.MESSAGE) {
				JsonArray one = new JsonArray();
				one.add(message(field, flag, value));
				merge(message, field, flag, value, one);
			}
			else if (!value.isEmpty()) {
				for (String element : value.split(",", -1)) {
					message.addRepeatedField(field, scalar(field, flag, element));
				}
			}
		}
		else if (field.getJavaType() == JavaType.MESSAGE) {
			merge(message, field, flag, value, message(field, flag, value));
		}
		else {
			message.setField(field, scalar(field, flag, value));
		}
	}

	private void merge(Message.Builder message, FieldDescriptor field, String flag, String value, JsonElement json) {
		JsonObject whole = new JsonObject();
		whole.add(field.getName(), json);
		DynamicMessage read;
		try {
			read = Json.parse(this.schema, field.getContainingType(), whole.toString());
		}
		catch (MicroException.Invalid ex) {
			throw wrong(field, flag, value);
		}
		if (!field.isMapField()) {
			message.mergeFrom(read);
			return;
		}
		FieldDescriptor key = field.getMessageType().findFieldByNumber(1);
		Set<Object> keys = new HashSet<>();
		((List<?>) message.getField(field)).forEach((entry) -> keys.add(((Message) entry).getField(key)));
		for (Object entry : (List<?>) read.getField(field)) {
			if (!keys.add(((Message) entry).getField(key))) {
				throw Failure
					.usage(flag + " has the key '" + Terminal.plain("" + ((Message) entry).getField(key)) + "' twice.");
			}
			message.addRepeatedField(field, entry);
		}
	}

	private static JsonElement map(FieldDescriptor field, String flag, String value) {
		if (value.startsWith("{")) {
			return json(field, flag, value);
		}
		JsonObject map = new JsonObject();
		String[] pieces = value.split(",", -1);
		// A comma parts entries only where each of them is one.
		boolean several = List.of(pieces).stream().allMatch((piece) -> piece.indexOf('=') > 0);
		FieldDescriptor type = field.getMessageType().findFieldByNumber(2);
		for (String piece : (several) ? pieces : new String[] { value }) {
			int equals = piece.indexOf('=');
			if (equals < 1) {
				throw wrong(field, flag, value);
			}
			if (map.has(piece.substring(0, equals))) {
				throw Failure.usage(flag + " has the key '" + Terminal.plain(piece.substring(0, equals)) + "' twice.");
			}
			String text = piece.substring(equals + 1);
			map.add(piece.substring(0, equals),
					(type.getJavaType() == JavaType.MESSAGE) ? message(type, flag, text) : new JsonPrimitive(text));
		}
		return map;
	}

	private static JsonElement message(FieldDescriptor field, String flag, String value) {
		if (TEXTS.contains(field.getMessageType().getFullName()) && !value.startsWith("\"")) {
			return new JsonPrimitive(value);
		}
		return json(field, flag, value);
	}

	private static JsonElement json(FieldDescriptor field, String flag, String value) {
		try {
			JsonElement json = GSON.fromJson(value, JsonElement.class);
			if (json != null && !json.isJsonNull()) {
				return json;
			}
		}
		catch (JsonParseException ex) {
			// What it should have been says more than where the JSON breaks.
		}
		throw wrong(field, flag, value);
	}

	private static Object scalar(FieldDescriptor field, String flag, String value) {
		try {
			return switch (field.getType()) {
				case STRING -> value;
				case BOOL -> bool(value);
				case INT32, SINT32, SFIXED32 -> Integer.parseInt(value);
				case UINT32, FIXED32 -> Integer.parseUnsignedInt(value);
				case INT64, SINT64, SFIXED64 -> Long.parseLong(value);
				case UINT64, FIXED64 -> Long.parseUnsignedLong(value);
				case FLOAT -> finite(value, Float.parseFloat(value), (number) -> number.isInfinite());
				case DOUBLE -> finite(value, Double.parseDouble(value), (number) -> number.isInfinite());
				case BYTES -> ByteString.copyFrom(base64(value));
				case ENUM -> enumerated(field, value);
				case MESSAGE, GROUP -> throw new IllegalArgumentException();
			};
		}
		catch (IllegalArgumentException ex) {
			throw wrong(field, flag, value);
		}
	}

	private static boolean bool(String value) {
		if (value.equalsIgnoreCase("true")) {
			return true;
		}
		if (value.equalsIgnoreCase("false")) {
			return false;
		}
		throw new IllegalArgumentException();
	}

	// Java reads more than numbers, such as 1d, and reads what is too large as infinity.
	private static <T> T finite(String value, T number, Predicate<T> infinite) {
		boolean named = value.matches("NaN|-?Infinity");
		if (!named && (!NUMBER.matcher(value).matches() || infinite.test(number))) {
			throw new IllegalArgumentException();
		}
		return number;
	}

	private static byte[] base64(String value) {
		return Base64.getDecoder().decode(value.replace('-', '+').replace('_', '/'));
	}

	private static EnumValueDescriptor enumerated(FieldDescriptor field, String value) {
		String name = value.replace('-', '_');
		return field.getEnumType()
			.getValues()
			.stream()
			.filter((known) -> known.getName().equalsIgnoreCase(name))
			.min((one, other) -> Boolean.compare(other.getName().equals(value), one.getName().equals(value)))
			.orElseThrow(IllegalArgumentException::new);
	}

	private static Failure wrong(FieldDescriptor field, String flag, String value) {
		String hint = ",";
		if (field.isMapField()) {
			hint = ", as JSON or key=value,";
		}
		else if (field.isRepeated()) {
			hint = ", parted by commas or as JSON,";
		}
		return Failure.usage(flag + " wants " + type(field) + hint + " not '" + Terminal.plain(value) + "'.");
	}

	/**
	 * A field, maybe of a nested message.
	 *
	 * @param fields the way to the field, itself last
	 * @param distance how far it is from what was written
	 */
	private record Path(List<FieldDescriptor> fields, int distance) {

		Path to(FieldDescriptor field, int further) {
			List<FieldDescriptor> longer = new ArrayList<>(this.fields);
			longer.add(field);
			return new Path(longer, this.distance + further);
		}

		FieldDescriptor last() {
			return this.fields.get(this.fields.size() - 1);
		}

		@Override
		public String toString() {
			return "--" + String.join(".", this.fields.stream().map(FieldDescriptor::getName).toList());
		}

	}

}
