package mu.micro.services;

import java.util.List;
import java.util.Set;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumValueDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Label;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MessageOptions;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import mu.micro.grpc.Schema;
import mu.micro.wire.registry.Endpoint;
import mu.micro.wire.registry.Value;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class EndpointsTests {

	@Test
	void fieldsHaveTheirProtoNamesAndGoTypes() {
		DescriptorProto.Builder message = DescriptorProto.newBuilder().setName("All");
		message.addField(field(message, Type.TYPE_BOOL, ""));
		message.addField(field(message, Type.TYPE_STRING, ""));
		message.addField(field(message, Type.TYPE_BYTES, ""));
		message.addField(field(message, Type.TYPE_INT32, ""));
		message.addField(field(message, Type.TYPE_SINT64, ""));
		message.addField(field(message, Type.TYPE_FIXED32, ""));
		message.addField(field(message, Type.TYPE_UINT64, ""));
		message.addField(field(message, Type.TYPE_FLOAT, ""));
		message.addField(field(message, Type.TYPE_DOUBLE, ""));
		message.addField(field(message, Type.TYPE_ENUM, "Colour"));
		message.addField(field(message, Type.TYPE_STRING, "").setLabel(Label.LABEL_REPEATED));
		message.addField(field(message, Type.TYPE_MESSAGE, "Tag"));
		message.addField(field(message, Type.TYPE_MESSAGE, "Tag").setLabel(Label.LABEL_REPEATED));
		message.addField(field(message, Type.TYPE_MESSAGE, "All.Words").setLabel(Label.LABEL_REPEATED));
		message.addField(field(message, Type.TYPE_MESSAGE, "All.Tags").setLabel(Label.LABEL_REPEATED));
		message.addNestedType(map("Words", field(1, "value", Type.TYPE_STRING, "")));
		message.addNestedType(map("Tags", field(1, "value", Type.TYPE_MESSAGE, "Tag")));
		DescriptorProto tag = DescriptorProto.newBuilder()
			.setName("Tag")
			.addField(field(1, "label", Type.TYPE_STRING, ""))
			.build();
		Value tree = request(message.build(), tag);
		assertThat(tree.getName()).isEqualTo("All");
		assertThat(tree.getType()).isEqualTo("All");
		assertThat(tree.getValuesList()).extracting((value) -> value.getName() + " " + value.getType())
			.containsExactly("field_1 bool", "field_2 string", "field_3 []byte", "field_4 int32", "field_5 int64",
					"field_6 uint32", "field_7 uint64", "field_8 float32", "field_9 float64", "field_10 Colour",
					"field_11 []string", "field_12 Tag", "field_13 []Tag", "field_14 map[string]string",
					"field_15 map[string]Tag");
		assertThat(tree.getValuesList()).filteredOn((value) -> value.getType().contains("Tag"))
			.hasSize(3)
			.allMatch((value) -> value.getValuesList()
				.equals(List.of(Value.newBuilder().setName("label").setType("string").build())));
	}

	@Test
	void aMessageWithinItselfIsNotUnfoldedAgain() {
		Value tree = request(DescriptorProto.newBuilder()
			.setName("All")
			.addField(field(1, "next", Type.TYPE_MESSAGE, "All"))
			.addField(field(2, "text", Type.TYPE_STRING, ""))
			.build());
		assertThat(tree.getValuesList()).extracting(Value::getName).containsExactly("next", "text");
		assertThat(tree.getValues(0).getType()).isEqualTo("All");
		assertThat(tree.getValues(0).getValuesList()).isEmpty();
	}

	@Test
	void aTreeHasABound() {
		int levels = 14;
		DescriptorProto[] messages = new DescriptorProto[levels];
		for (int level = 0; level < levels; level++) {
			DescriptorProto.Builder message = DescriptorProto.newBuilder().setName((level == 0) ? "All" : "L" + level);
			for (int number = 1; number <= 4 && level < levels - 1; number++) {
				message.addField(field(number, "f" + number, Type.TYPE_MESSAGE, "L" + (level + 1)));
			}
			messages[level] = message.build();
		}
		assertThat(count(request(messages))).isBetween(500, 1001);
	}

	private static int count(Value value) {
		return 1 + value.getValuesList().stream().mapToInt(EndpointsTests::count).sum();
	}

	private static Value request(DescriptorProto... messages) {
		FileDescriptorProto file = FileDescriptorProto.newBuilder()
			.setName("test.proto")
			.setPackage("test")
			.setSyntax("proto3")
			.addAllMessageType(List.of(messages))
			.addEnumType(EnumDescriptorProto.newBuilder()
				.setName("Colour")
				.addValue(EnumValueDescriptorProto.newBuilder().setName("RED").setNumber(0)))
			.addService(ServiceDescriptorProto.newBuilder()
				.setName("Test")
				.addMethod(MethodDescriptorProto.newBuilder()
					.setName("Call")
					.setInputType(".test.All")
					.setOutputType(".test.All")))
			.build();
		List<Endpoint> endpoints = Endpoints.of(Schema.of(List.of(file), Set.of("test.Test")), "test");
		assertThat(endpoints).extracting(Endpoint::getName).containsExactly("Test.Call");
		assertThat(endpoints.get(0).getResponse()).isEqualTo(endpoints.get(0).getRequest());
		return endpoints.get(0).getRequest();
	}

	private static DescriptorProto map(String name, FieldDescriptorProto.Builder value) {
		return DescriptorProto.newBuilder()
			.setName(name)
			.setOptions(MessageOptions.newBuilder().setMapEntry(true))
			.addField(field(1, "key", Type.TYPE_STRING, ""))
			.addField(value.setNumber(2))
			.build();
	}

	private static FieldDescriptorProto.Builder field(DescriptorProto.Builder message, Type type, String typeName) {
		int number = message.getFieldCount() + 1;
		return field(number, "field_" + number, type, typeName);
	}

	private static FieldDescriptorProto.Builder field(int number, String name, Type type, String typeName) {
		FieldDescriptorProto.Builder field = FieldDescriptorProto.newBuilder()
			.setName(name)
			.setNumber(number)
			.setLabel(Label.LABEL_OPTIONAL)
			.setType(type);
		return (typeName.isEmpty()) ? field : field.setTypeName(".test." + typeName);
	}

}
