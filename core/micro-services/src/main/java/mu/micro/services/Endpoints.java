package mu.micro.services;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import mu.micro.grpc.Schema;
import mu.micro.wire.registry.Endpoint;
import mu.micro.wire.registry.Value;

/**
 * The methods of a service with the trees of their messages, as Micro v3 tells them:
 * fields by their proto names, types by their Go names.
 */
final class Endpoints {

	private static final int MOST_VALUES = 1000;

	private static final int DEEPEST = 16;

	private Endpoints() {
	}

	static List<Endpoint> of(Schema schema, String service) {
		List<Endpoint> endpoints = new ArrayList<>();
		schema.services(service).forEach((own) -> own.getMethods().forEach((method) -> endpoints.add(of(method))));
		return endpoints;
	}

	private static Endpoint of(MethodDescriptor method) {
		Endpoint.Builder endpoint = Endpoint.newBuilder()
			.setName(method.getService().getName() + "." + method.getName())
			.setRequest(new Tree().of(method.getInputType()))
			.setResponse(new Tree().of(method.getOutputType()));
		if (method.isClientStreaming() || method.isServerStreaming()) {
			endpoint.putMetadata("stream", "true");
		}
		return endpoint.build();
	}

	/**
	 * One tree. A message within itself, and what is too deep or too much, is named but
	 * not unfolded.
	 */
	private static final class Tree {

		private final Deque<Descriptor> path = new ArrayDeque<>();

		private int values;

		Value of(Descriptor message) {
			return unfold(message, Value.newBuilder().setName(message.getName()).setType(message.getName())).build();
		}

		private Value.Builder unfold(Descriptor message, Value.Builder value) {
			if (this.path.contains(message) || this.path.size() == DEEPEST) {
				return value;
			}
			this.path.push(message);
			for (FieldDescriptor field : message.getFields()) {
				if (++this.values > MOST_VALUES) {
					break;
				}
				value.addValues(of(field));
			}
			this.path.pop();
			return value;
		}

		private Value.Builder of(FieldDescriptor field) {
			Value.Builder value = Value.newBuilder().setName(field.getName());
			if (field.isMapField()) {
				FieldDescriptor key = field.getMessageType().findFieldByNumber(1);
				FieldDescriptor content = field.getMessageType().findFieldByNumber(2);
				return content(content, value.setType("map[" + type(key) + "]" + type(content)));
			}
			return content(field, value.setType(((field.isRepeated()) ? "[]" : "") + type(field)));
		}

		private Value.Builder content(FieldDescriptor field, Value.Builder value) {
			return (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) ? unfold(field.getMessageType(), value)
					: value;
		}

		private static String type(FieldDescriptor field) {
			return switch (field.getType()) {
				case BOOL -> "bool";
				case STRING -> "string";
				case BYTES -> "[]byte";
				case INT32, SINT32, SFIXED32 -> "int32";
				case INT64, SINT64, SFIXED64 -> "int64";
				case UINT32, FIXED32 -> "uint32";
				case UINT64, FIXED64 -> "uint64";
				case FLOAT -> "float32";
				case DOUBLE -> "float64";
				case ENUM -> field.getEnumType().getName();
				case MESSAGE, GROUP -> field.getMessageType().getName();
			};
		}

	}

}
