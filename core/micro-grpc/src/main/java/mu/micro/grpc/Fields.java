package mu.micro.grpc;

import java.util.List;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * Fields by the names they have in JSON.
 */
public final class Fields {

	private static final String WELL_KNOWN = "google.protobuf.";

	private Fields() {
	}

	/**
	 * Finds a field.
	 * @param type the message's type
	 * @param name the field's name in lowerCamelCase, or as the contract spells it
	 * @return the field, or null if there is none
	 */
	public static @Nullable FieldDescriptor find(Descriptor type, String name) {
		FieldDescriptor field = type.findFieldByName(name);
		if (field != null) {
			return field;
		}
		return type.getFields()
			.stream()
			.filter((candidate) -> candidate.getJsonName().equals(name))
			.findFirst()
			.orElse(null);
	}

	/**
	 * Whether a field holds messages that JSON spells as objects with their fields.
	 * @param field the field
	 * @return false for scalars, maps, and types such as Timestamp
	 */
	public static boolean isPlainMessage(FieldDescriptor field) {
		return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !field.isMapField()
				&& !field.getMessageType().getFullName().startsWith(WELL_KNOWN);
	}

	/**
	 * Says that a message has no such field.
	 * @param path the field's name, behind those of the fields it would be in
	 * @param type the message's type
	 * @return to be thrown
	 */
	public static MicroException.Invalid unknown(String path, Descriptor type) {
		List<String> known = type.getFields().stream().map(FieldDescriptor::getJsonName).toList();
		return new MicroException.Invalid("unknown field '" + Text.shortened(path) + "': " + type.getFullName()
				+ ((known.isEmpty()) ? " has no fields" : " has " + Text.list(known)));
	}

}
