package mu.micro.spring.messaging;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.wire.errors.Error;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.messaging.converter.MessageConversionException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class PayloadsTests {

	private static final Order ORDER = new Order("o1", List.of("milk"), Instant.parse("2026-01-31T12:00:00Z"));

	private static final Error ERROR = Error.newBuilder().setId("shop").setCode(404).build();

	private final Payloads payloads = new Payloads("shop", new JsonMapper());

	@Test
	void theKindOfPayloadDecidesWhatTheBodyIs() {
		wrote("grüß", "text/plain", "grüß".getBytes(StandardCharsets.UTF_8));
		wrote(new byte[] { 1, 0 }, "application/octet-stream", new byte[] { 1, 0 });
		wrote(ERROR, "application/protobuf", ERROR.toByteArray());
		wrote(ORDER, "application/json",
				"{\"id\":\"o1\",\"articles\":[\"milk\"],\"placed\":\"2026-01-31T12:00:00Z\"}".getBytes());
		wrote(List.of(1, 2), "application/json", "[1,2]".getBytes());
	}

	private void wrote(Object payload, String type, byte[] body) {
		Message message = this.payloads.write(payload);
		assertThat(message.headers()).containsEntry("content-type", type);
		assertThat(message.body()).isEqualTo(body);
	}

	@Test
	void whatWasWrittenIsRead() {
		assertThat(this.payloads.read(this.payloads.write("grüß"), String.class)).isEqualTo("grüß");
		assertThat(this.payloads.read(this.payloads.write(new byte[] { 1 }), byte[].class)).containsExactly(1);
		assertThat(this.payloads.read(this.payloads.write(ERROR), Error.class)).isEqualTo(ERROR);
		assertThat(this.payloads.read(this.payloads.write(Error.getDefaultInstance()), Error.class))
			.isEqualTo(Error.getDefaultInstance());
		assertThat(this.payloads.read(this.payloads.write(ORDER), Order.class)).isEqualTo(ORDER);
	}

	@Test
	void aContentTypeThatIsGivenDecidesTheForm() {
		Message json = this.payloads.write(ERROR, Map.of("content-type", "application/json"));
		assertThat(json.headers()).containsEntry("content-type", "application/json");
		assertThat(new String(json.body(), StandardCharsets.UTF_8)).contains("\"code\": 404");
		assertThat(this.payloads.read(json, Error.class)).isEqualTo(ERROR);
		assertThat(this.payloads.write("{}", Map.of("content-type", "application/json")).body()).asString()
			.isEqualTo("{}");
		assertThat(this.payloads.write(new byte[] { 7 }, Map.of("content-type", "image/png")).body())
			.containsExactly(7);
		assertThat(this.payloads.write(ORDER, Map.of("content-type", "application/vnd.shop+json")).body())
			.isEqualTo(this.payloads.write(ORDER).body());
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> this.payloads.write(ORDER, Map.of("content-type", "text/csv")))
			.withMessageContainingAll(Order.class.getName(), "text/csv");
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> this.payloads.write(ORDER, Map.of("content-type", "json")))
			.withMessageContaining("json");
	}

	@Test
	void bodiesAreReadByTheirContentTypes() {
		for (String type : List.of("application/protobuf", "application/x-protobuf", "application/vnd.shop+protobuf",
				"application/protobuf;v=2")) {
			assertThat(this.payloads.read(message(type, ERROR.toByteArray()), Error.class)).isEqualTo(ERROR);
		}
		for (String type : List.of("application/json", "application/json;charset=UTF-8")) {
			assertThat(this.payloads.read(message(type, "{\"id\":\"shop\",\"code\":404,\"new\":1}".getBytes()),
					Error.class))
				.isEqualTo(ERROR);
		}
		assertThat(this.payloads.read(Message.of(ERROR.toByteArray()), Error.class)).isEqualTo(ERROR);
		assertThat(this.payloads.read(Message.of("{\"id\":\"o1\",\"new\":1}".getBytes()), Order.class))
			.isEqualTo(new Order("o1", null, null));
		assertThat(this.payloads.read(message("application/json", "{}".getBytes()), String.class)).isEqualTo("{}");
		assertThat(this.payloads
			.read(message("text/plain;charset=ISO-8859-1", "grüß".getBytes(StandardCharsets.ISO_8859_1)), String.class))
			.isEqualTo("grüß");
	}

	@Test
	void whatCannotBeReadIsSaid() {
		unreadable(message("application/json", "{".getBytes()), Order.class);
		unreadable(message("application/protobuf", "{".getBytes()), Error.class);
		unreadable(message("text/csv", "o1".getBytes()), Order.class);
		unreadable(message("nonsense", "{}".getBytes()), Order.class);
		unreadable(message("application/json", new byte[0]), Order.class);
	}

	@Test
	void aBodyWithoutContentTypeIsCalledSo() {
		assertThatExceptionOfType(MessageConversionException.class)
			.isThrownBy(() -> this.payloads.read(Message.of("{".getBytes()), Order.class))
			.withMessageStartingWith("a body without content type cannot be read as ");
	}

	private void unreadable(Message message, Class<?> type) {
		assertThatExceptionOfType(MessageConversionException.class).isThrownBy(() -> this.payloads.read(message, type))
			.withMessageContaining(type.getName())
			.withMessageContaining(message.headers().get("content-type"));
	}

	@Test
	void messagesAreCloudEvents() {
		Instant before = Instant.now();
		Message message = this.payloads.write(ORDER);
		assertThat(message.headers()).containsEntry("ce-specversion", "1.0")
			.containsEntry("ce-id", message.id())
			.containsEntry("ce-source", "/shop")
			.containsEntry("ce-type", Order.class.getName())
			.containsOnlyKeys("ce-specversion", "ce-id", "ce-source", "ce-type", "ce-time", "content-type");
		assertThat(Instant.parse(message.headers().get("ce-time"))).isBetween(before.minusMillis(1), Instant.now());
		assertThat(this.payloads.write(new byte[0]).headers()).containsEntry("ce-type", "byte[]");
		assertThat(new Payloads("our shop", new JsonMapper()).write("").headers()).containsEntry("ce-source",
				"/our%20shop");
	}

	@Test
	void whatTheCallerGivesIsKept() {
		Message message = this.payloads.write(ORDER, "7",
				Map.of("ce-type", "order.placed", "ce-source", "/till", "ce-id", "8", "lang", "de"));
		assertThat(message.id()).isEqualTo("7");
		assertThat(message.headers()).containsEntry("ce-type", "order.placed")
			.containsEntry("ce-source", "/till")
			.containsEntry("ce-id", "8")
			.containsEntry("lang", "de");
		assertThat(this.payloads.write(ORDER, "7", Map.of()).headers()).containsEntry("ce-id", "7");
	}

	@Test
	void aMessageGoesAsItIs() {
		Message message = new Message("7", Map.of("ce-id", "x"), new byte[] { 1 });
		assertThat(this.payloads.write(message)).isEqualTo(message);
		assertThat(this.payloads.write(message, Map.of("ce-id", "y", "lang", "de")))
			.isEqualTo(message.withHeaders(Map.of("ce-id", "x", "lang", "de")));
		assertThat(this.payloads.write(message, "8", Map.of()))
			.isEqualTo(message.withId("8").withHeaders(Map.of("ce-id", "8")));
		Message plain = new Message("7", Map.of(), new byte[] { 1 });
		assertThat(this.payloads.write(plain, "8", Map.of())).isEqualTo(plain.withId("8"));
	}

	private static Message message(String type, byte[] body) {
		return Message.of(body).withHeaders(Map.of("content-type", type));
	}

	record Order(String id, List<String> articles, Instant placed) {
	}

}
