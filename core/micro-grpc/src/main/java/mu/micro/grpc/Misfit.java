package mu.micro.grpc;

import java.util.Map;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * Finds the field that does not fit, by trying each alone, as long as it may and somebody
 * waits for it.
 */
final class Misfit {

	private static final int MOST_TRIES = 200;

	private final Schema schema;

	private int tries;

	Misfit(Schema schema) {
		this.schema = schema;
	}

	MicroException.@Nullable Invalid find(Descriptor type, JsonObject json, String prefix) {
		for (Map.Entry<String, JsonElement> entry : json.entrySet()) {
			String path = prefix + entry.getKey();
			FieldDescriptor field = Fields.find(type, entry.getKey());
			if (field == null) {
				return Fields.unknown(path, type);
			}
			InvalidProtocolBufferException misfit = misfit(type, field, entry.getValue());
			if (misfit != null) {
				return within(type, field, entry.getValue(), path, misfit);
			}
		}
		return null;
	}

	private MicroException.Invalid within(Descriptor type, FieldDescriptor field, JsonElement value, String path,
			InvalidProtocolBufferException misfit) {
		MicroException.Invalid inner = null;
		if (field.isMapField() && value instanceof JsonObject map) {
			inner = inMap(type, field, map, path);
		}
		else if (field.isRepeated() && value instanceof JsonArray array) {
			inner = inArray(type, field, array, path);
		}
		else if (value instanceof JsonObject object && Fields.isPlainMessage(field)) {
			inner = find(field.getMessageType(), object, path + ".");
		}
		return (inner != null) ? inner : wrong(path, misfit);
	}

	private MicroException.@Nullable Invalid inMap(Descriptor type, FieldDescriptor field, JsonObject map,
			String path) {
		for (Map.Entry<String, JsonElement> entry : map.entrySet()) {
			JsonObject alone = new JsonObject();
			alone.add(entry.getKey(), entry.getValue());
			InvalidProtocolBufferException misfit = misfit(type, field, alone);
			if (misfit != null) {
				FieldDescriptor value = field.getMessageType().findFieldByNumber(2);
				return within(field.getMessageType(), value, entry.getValue(), path + "." + entry.getKey(), misfit);
			}
		}
		return null;
	}

	private MicroException.@Nullable Invalid inArray(Descriptor type, FieldDescriptor field, JsonArray array,
			String path) {
		for (int i = 0; i < array.size(); i++) {
			JsonArray alone = new JsonArray();
			alone.add(array.get(i));
			InvalidProtocolBufferException misfit = misfit(type, field, alone);
			if (misfit != null) {
				String place = path + "[" + i + "]";
				MicroException.Invalid inner = (array.get(i) instanceof JsonObject object
						&& Fields.isPlainMessage(field)) ? find(field.getMessageType(), object, place + ".") : null;
				return (inner != null) ? inner : wrong(place, misfit);
			}
		}
		return null;
	}

	private @Nullable InvalidProtocolBufferException misfit(Descriptor type, FieldDescriptor field, JsonElement value) {
		if (this.tries++ >= MOST_TRIES || Thread.currentThread().isInterrupted()) {
			return null;
		}
		JsonObject alone = new JsonObject();
		alone.add(field.getJsonName(), value);
		try {
			Json.merge(this.schema, type, alone.toString());
			return null;
		}
		catch (InvalidProtocolBufferException ex) {
			return ex;
		}
	}

	private static MicroException.Invalid wrong(String path, InvalidProtocolBufferException misfit) {
		return new MicroException.Invalid(
				"field '" + Text.shortened(path) + "': " + Text.shortened(String.valueOf(misfit.getMessage())), misfit);
	}

}
