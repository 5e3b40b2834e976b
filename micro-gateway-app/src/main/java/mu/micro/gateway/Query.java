package mu.micro.gateway;

import java.util.ArrayList;
import java.util.List;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import mu.micro.MicroException;
import mu.micro.grpc.Fields;
import mu.micro.grpc.Text;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * The parameters of a query string as the fields of a message: dots reach into nested
 * messages and maps, a repeated parameter fills a repeated field.
 *
 * @param parameters in the order they came
 */
record Query(List<Parameter> parameters) {

	private static final int MOST = 1000;

	private static final int DEEPEST = 32;

	/**
	 * Reads a query string.
	 * @param text what follows the question mark, percent-encoded
	 * @return the parameters
	 * @throws MicroException.Invalid if it is encoded wrongly or has more than
	 * {@value #MOST} parameters
	 */
	static Query of(String text) {
		List<Parameter> parameters = new ArrayList<>();
		for (String pair : text.split("&")) {
			if (pair.isEmpty()) {
				continue;
			}
			if (parameters.size() == MOST) {
				throw new MicroException.Invalid("the query has more than " + MOST + " parameters; send a JSON body");
			}
			int equals = pair.indexOf('=');
			String name = (equals < 0) ? pair : pair.substring(0, equals);
			String value = (equals < 0) ? "" : pair.substring(equals + 1);
			parameters.add(new Parameter(PercentEncoding.decode(name, true), PercentEncoding.decode(value, true)));
		}
		return new Query(parameters);
	}

	/**
	 * The parameters as JSON. All values are strings, which the JSON mapping reads as any
	 * scalar.
	 * @param type the message's type
	 * @return an object with the fields in their JSON spelling
	 * @throws MicroException.Invalid if a parameter is no field, or one field is given
	 * twice but holds one value
	 */
	ObjectNode toJson(Descriptor type) {
		ObjectNode json = JsonNodeFactory.instance.objectNode();
		for (Parameter parameter : this.parameters) {
			parameter.put(json, type, 0, 0);
		}
		return json;
	}

	/**
	 * Adds what a query gives to what a body gives.
	 * @param body fields in either spelling; gets the query's
	 * @param query fields in their JSON spelling
	 * @param type the type of both
	 * @param prefix where the two stand, for messages
	 * @throws MicroException.Invalid if both give one field
	 */
	static void merge(ObjectNode body, ObjectNode query, Descriptor type, String prefix) {
		query.properties().forEach((entry) -> {
			String name = entry.getKey();
			FieldDescriptor field = Fields.find(type, name);
			String proto = (field != null) ? field.getName() : name;
			String given = body.has(name) ? name : proto;
			JsonNode before = body.get(given);
			if (before == null) {
				body.set(name, entry.getValue());
			}
			else if (before instanceof ObjectNode into && entry.getValue() instanceof ObjectNode from && field != null
					&& !field.isMapField()) {
				merge(into, from, field.getMessageType(), prefix + name + ".");
			}
			else {
				throw new MicroException.Invalid(
						"field '" + prefix + name + "' is given in the body and in the query; give it once");
			}
		});
	}

	/**
	 * One parameter.
	 *
	 * @param name a field, or a path of fields with dots
	 * @param value the value as text
	 */
	record Parameter(String name, String value) {

		private void put(ObjectNode json, Descriptor type, int start, int depth) {
			int dot = this.name.indexOf('.', start);
			String part = (dot < 0) ? this.name.substring(start) : this.name.substring(start, dot);
			FieldDescriptor field = Fields.find(type, part);
			if (field == null) {
				throw Fields.unknown(this.name, type);
			}
			if (dot < 0) {
				putLast(json, field);
			}
			else if (field.isMapField()) {
				putOnce(object(json, field), this.name.substring(dot + 1));
			}
			else if (field.isRepeated() || !Fields.isPlainMessage(field) || depth == DEEPEST) {
				throw new MicroException.Invalid("the query cannot reach into '" + this.name.substring(0, dot)
						+ "' with '" + Text.shortened(this.name) + "'; send a JSON body");
			}
			else {
				put(object(json, field), field.getMessageType(), dot + 1, depth + 1);
			}
		}

		private void putLast(ObjectNode json, FieldDescriptor field) {
			if (field.isMapField()) {
				throw new MicroException.Invalid(
						"field '" + this.name + "' is a map; write " + this.name + ".key=value in the query");
			}
			if (!field.isRepeated()) {
				putOnce(json, field.getJsonName());
			}
			else if (json.get(field.getJsonName()) instanceof ArrayNode values) {
				values.add(this.value);
			}
			else {
				json.putArray(field.getJsonName()).add(this.value);
			}
		}

		private void putOnce(ObjectNode json, String key) {
			if (json.has(key)) {
				throw twice();
			}
			json.put(key, this.value);
		}

		private ObjectNode object(ObjectNode json, FieldDescriptor field) {
			JsonNode before = json.get(field.getJsonName());
			if (before == null) {
				return json.putObject(field.getJsonName());
			}
			if (before instanceof ObjectNode object) {
				return object;
			}
			throw twice();
		}

		private MicroException.Invalid twice() {
			return new MicroException.Invalid(
					"'" + Text.shortened(this.name) + "' is given twice in the query, but is one value; give it once");
		}

	}

}
