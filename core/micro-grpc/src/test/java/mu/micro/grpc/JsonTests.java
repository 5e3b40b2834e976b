package mu.micro.grpc;

import java.util.List;
import java.util.Set;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Timestamp;
import mu.micro.MicroException;
import mu.micro.test.kinds.Colour;
import mu.micro.test.kinds.Everything;
import mu.micro.test.kinds.KindsProto;
import mu.micro.test.kinds.Place;
import mu.micro.test.shapes.Shape;
import mu.micro.test.shapes.ShapesProto;
import mu.micro.wire.errors.Error;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class JsonTests {

	private final Schema schema = Schema.of(List.of(KindsProto.getDescriptor().toProto(),
			ShapesProto.getDescriptor().toProto(), com.google.protobuf.AnyProto.getDescriptor().toProto(),
			com.google.protobuf.TimestampProto.getDescriptor().toProto()), Set.of("kinds.Kinds"));

	private final Descriptor type = this.schema.endpoint("Kinds.Echo").getInputType();

	@Test
	void everythingGoesInAndComesOut() throws Exception {
		Everything message = Everything.newBuilder()
			.setText("ü=<€> & 'it' \\ \"quoted\" \u0001 😀")
			.setBigNumber(Long.MAX_VALUE)
			.putCounts("one", 1)
			.putCounts("", -2)
			.setColour(Colour.GREEN)
			.setAny(Any.pack(Place.newBuilder().setId("here").build()))
			.setShape(Shape.newBuilder().addPoints(Shape.Point.newBuilder().setX(1)))
			.setAt(Timestamp.newBuilder().setSeconds(1))
			.setRaw(ByteString.copyFrom(new byte[] { 0, -1 }))
			.setFlag(true)
			.setRatio(Double.NaN)
			.build();
		for (boolean indented : new boolean[] { false, true }) {
			String json = Json.print(this.schema, DynamicMessage.parseFrom(this.type, message.toByteArray()), indented);
			assertThat(json.contains("\n")).isEqualTo(indented);
			assertThat(Everything.parseFrom(Json.parse(this.schema, this.type, json).toByteString()))
				.isEqualTo(message);
		}
	}

	@Test
	void theMappingIsThatOfProtobuf() {
		Everything message = Everything.newBuilder()
			.setText("a<b")
			.setBigNumber(1L << 60)
			.setColour(Colour.GREEN)
			.putCounts("one", 1)
			.setAny(Any.pack(Place.newBuilder().setId("here").build()))
			.build();
		assertThat(Json.print(this.schema, message, false))
			.isEqualTo("{\"text\":\"a<b\",\"bigNumber\":\"1152921504606846976\",\"counts\":{\"one\":1},"
					+ "\"colour\":\"GREEN\",\"any\":{\"@type\":\"type.googleapis.com/kinds.Place\",\"id\":\"here\"}}");
		assertThat(Json.print(this.schema, Everything.getDefaultInstance(), false)).isEqualTo("{}");
	}

	@ParameterizedTest
	@ValueSource(strings = { "{\"bigNumber\":\"9007199254740993\"}", "{\"big_number\":9007199254740993}" })
	void bothSpellingsAndBothFormsOfALongAreRead(String json) {
		DynamicMessage message = Json.parse(this.schema, this.type, json);
		assertThat(message.getField(this.type.findFieldByName("big_number"))).isEqualTo(9007199254740993L);
	}

	@Test
	void anUnknownFieldIsNamed() {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> Json.parse(this.schema, this.type, "{\"txet\":\"a\"}"))
			.withMessageStartingWith("unknown field 'txet': kinds.Everything has text, bigNumber, counts");
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> Json.parse(this.schema, this.type, "{\"tree\":{\"left\":{\"nmae\":\"\"}}}"))
			.withMessage("unknown field 'tree.left.nmae': kinds.Tree has left, right, name");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "nonsense", "[]", "1", "\"a\"", "{", "{\"text\":}", "{\"text\":{}}", "{\"text\":[]}",
			"{\"bigNumber\":\"a\"}", "{\"bigNumber\":9223372036854775808}", "{\"bigNumber\":1.5}",
			"{\"colour\":\"BLUE\"}", "{\"counts\":[]}", "{\"counts\":{\"a\":2147483648}}", "{\"raw\":\"*\"}",
			"{\"at\":\"yesterday\"}", "{\"any\":{\"@type\":\"type.googleapis.com/no.Such\"}}",
			"{\"any\":{\"id\":\"a\"}}", "{\"shape\":{\"points\":{}}}", "{\"flag\":1}" })
	void whatDoesNotFitIsRefused(String json) {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> Json.parse(this.schema, this.type, json))
			.withMessageMatching("(?s)(not a kinds.Everything|field '[a-zA-Z.]+'): .*");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`',
			value = { "{\"flag\":1}|field 'flag': Invalid bool value: 1",
					"{\"counts\":{\"a\":1,\"b\":1.5}}|field 'counts.b': Not an int32 value: 1.5",
					"{\"shape\":{\"points\":[{},{\"x\":[]}]}}|field 'shape.points[1].x': ",
					"{\"shape\":{\"points\":[{},{\"z\":1}]}}|unknown field 'shape.points[1].z': shapes.Shape.Point" })
	void theFieldThatDoesNotFitIsNamed(String json, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> Json.parse(this.schema, this.type, json))
			.withMessageStartingWith(message);
	}

	@Test
	void nestingHasALimit() {
		for (int depth : new int[] { 200, 100_000 }) {
			String tree = "{\"tree\":" + "{\"left\":".repeat(depth) + "{}" + "}".repeat(depth) + "}";
			assertThatExceptionOfType(MicroException.Invalid.class)
				.isThrownBy(() -> Json.parse(this.schema, this.type, tree));
			String list = "{\"text\":" + "[".repeat(depth) + "]".repeat(depth) + "}";
			assertThatExceptionOfType(MicroException.Invalid.class)
				.isThrownBy(() -> Json.parse(this.schema, this.type, list));
		}
		String fine = "{\"tree\":" + "{\"left\":".repeat(50) + "{}" + "}".repeat(50) + "}";
		assertThat(Json.print(this.schema, Json.parse(this.schema, this.type, fine), false)).isEqualTo(fine);
	}

	@Test
	void anAnyOfAnUnknownTypeCannotBeWritten() {
		Everything message = Everything.newBuilder().setAny(Any.pack(Error.getDefaultInstance())).build();
		assertThatExceptionOfType(MicroException.Internal.class)
			.isThrownBy(() -> Json.print(this.schema, message, false))
			.withMessageContainingAll("kinds.Everything", "errors.Error");
	}

}
