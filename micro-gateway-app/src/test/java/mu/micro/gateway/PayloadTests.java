package mu.micro.gateway;

import java.nio.charset.StandardCharsets;
import java.util.List;

import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import mu.micro.MicroException;
import mu.micro.gateway.shop.Address;
import mu.micro.gateway.shop.Customer;
import mu.micro.gateway.shop.Kind;
import mu.micro.gateway.shop.Order;
import mu.micro.grpc.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class PayloadTests {

	private final Schema schema = Schema.of(List.of(new OrdersService().bindService()));

	@Test
	void readsEachTypeFromTheQuery() throws Exception {
		assertThat(query("name=J%C3%A4ne+Doe&count=-3&big=9223372036854775807&huge=18446744073709551615&urgent=true"
				+ "&price=1.5&data=aGk%3D&kind=KIND_BOOK&dueAt=2026-01-02T03:04:05Z&patience=1.5s&gift=false"))
			.isEqualTo(Order.newBuilder()
				.setName("Jäne Doe")
				.setCount(-3)
				.setBig(Long.MAX_VALUE)
				.setHuge(-1)
				.setUrgent(true)
				.setPrice(1.5)
				.setData(com.google.protobuf.ByteString.copyFromUtf8("hi"))
				.setKind(Kind.KIND_BOOK)
				.setDueAt(com.google.protobuf.Timestamp.newBuilder().setSeconds(1767323045))
				.setPatience(com.google.protobuf.Duration.newBuilder().setSeconds(1).setNanos(500_000_000))
				.setGift(com.google.protobuf.BoolValue.of(false))
				.build());
	}

	@Test
	void takesAnEnumByNumber() throws Exception {
		assertThat(query("kind=1").getKind()).isEqualTo(Kind.KIND_BOOK);
	}

	@Test
	void fillsRepeatedFieldsFromRepeatedParameters() throws Exception {
		Order order = query("tags=a&sizes=1&tags=b&sizes=2&tags=");
		assertThat(order.getTagsList()).containsExactly("a", "b", "");
		assertThat(order.getSizesList()).containsExactly(1, 2);
	}

	@ParameterizedTest
	@ValueSource(strings = { "customer.fullName=Jane&customer.address.zipCode=7",
			"customer.full_name=Jane&customer.address.zip_code=7" })
	void reachesIntoMessagesWithDotsInBothSpellings(String query) throws Exception {
		assertThat(query(query).getCustomer()).isEqualTo(
				Customer.newBuilder().setFullName("Jane").setAddress(Address.newBuilder().setZipCode(7)).build());
	}

	@Test
	void reachesIntoMaps() throws Exception {
		assertThat(query("labels.a=1&labels.b.c=2").getLabelsMap()).containsEntry("a", "1")
			.containsEntry("b.c", "2")
			.hasSize(2);
	}

	@Test
	void isEmptyForNothing() throws Exception {
		assertThat(query("")).isEqualTo(Order.getDefaultInstance());
		assertThat(query("&&")).isEqualTo(Order.getDefaultInstance());
		assertThat(body("  \n")).isEqualTo(Order.getDefaultInstance());
		assertThat(body("{}")).isEqualTo(Order.getDefaultInstance());
	}

	@Test
	void mergesBodyAndQuery() throws Exception {
		Order order = order("{\"customer\":{\"full_name\":\"Jane\"}}", "count=2&customer.address.city=Bern");
		assertThat(order).isEqualTo(Order.newBuilder()
			.setCount(2)
			.setCustomer(Customer.newBuilder().setFullName("Jane").setAddress(Address.newBuilder().setCity("Bern")))
			.build());
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`',
			value = { "{\"name\":\"\"}|name=x|field 'name' is given in the body and in the query",
					"{\"customer\":{\"full_name\":\"x\"}}|customer.fullName=y|field 'customer.fullName' is given in",
					"{\"tags\":[]}|tags=x|field 'tags' is given in",
					"{\"due_at\":null}|dueAt=x|field 'dueAt' is given" })
	void refusesAFieldInBodyAndQuery(String body, String query, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> order(body, query))
			.withMessageContaining(message);
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`',
			value = { "nmae=x|unknown field 'nmae': shop.Order has name, count", "=x|unknown field ''",
					"customer.nmae=x|unknown field 'customer.nmae': shop.Customer has fullName, address",
					"name=a&name=b|'name' is given twice", "customer.fullName=a&customer.full_name=b|is given twice",
					"labels.a=1&labels.a=2|'labels.a' is given twice", "customer=x&customer.fullName=y|is given twice",
					"labels=x|write labels.key=value", "name.x=1|cannot reach into 'name'",
					"parties.fullName=x|cannot reach into 'parties'", "dueAt.seconds=1|cannot reach into 'dueAt'",
					"count=many|field 'count': Not an int32 value", "count=|field 'count'",
					"count=99999999999|field 'count'", "urgent=perhaps|field 'urgent': Invalid bool value",
					"kind=KIND_HAT|field 'kind'", "dueAt=tomorrow|field 'dueAt'", "sizes=1&sizes=x|field 'sizes[1]'",
					"customer.address.zipCode=x|field 'customer.address.zipCode': Not an int32",
					"customer=x|field 'customer'", "card=1&cash=2|oneof", "byRole.x=y|field 'byRole.x'",
					"name=%zz|percent-encoded" })
	void namesWhatIsWrongInTheQuery(String query, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> query(query))
			.withMessageContaining(message);
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`', value = { "{\"name\":|malformed JSON at line 1, column",
			"{\"name\":\"x\"|malformed JSON at line 1", "{} x|malformed JSON", "{\"a\":1,}|malformed JSON",
			"{'name':'x'}|malformed JSON", "{\"count\":007}|malformed JSON", "{\"price\":NaN}|malformed JSON",
			"{/**/}|malformed JSON", "{\"name\":\"a\",\"name\":\"b\"}|malformed JSON at line 1, column 19",
			"[]|not a JSON object", "\"x\"|not a JSON object", "null|not a JSON object",
			"{\"nmae\":\"x\"}|unknown field 'nmae'", "{\"count\":\"x\"}|field 'count': Not an int32 value",
			"{\"count\":1.5}|field 'count'", "{\"huge\":1e1000000000}|field 'huge'", "{\"name\":{}}|field 'name'",
			"{\"customer\":{\"address\":{\"zip\":1}}}|unknown field 'customer.address.zip': shop.Address has city",
			"{\"parties\":[{},{\"full_name\":[]}]}|field 'parties[1].full_name'",
			"{\"parties\":[{},3]}|field 'parties[1]'", "{\"parties\":{}}|field 'parties'",
			"{\"labels\":{\"a\":\"1\",\"b\":{}}}|field 'labels.b'",
			"{\"by_role\":{\"x\":{\"city\":\"y\"}}}|unknown field 'by_role.x.city'",
			"{\"sizes\":[1,null]}|field 'sizes", "{\"data\":\"*\"}|field 'data'",
			"{\"due_at\":\"x\",\"name\":\"y\"}|field 'due_at'",
			"{\"dueAt\":\"2026-01-02T03:04:05Z\",\"due_at\":\"2026-01-02T03:04:05Z\"}|already been set" })
	void namesThePlaceWhereTheBodyIsWrong(String body, String message) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> body(body))
			.withMessageContaining(message);
	}

	@Test
	void refusesWhatIsNoUtf8() {
		byte[] body = { '{', '"', 'a', '"', ':', '"', (byte) 0xff, '"', '}' };
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Payload.of(body, ""))
			.withMessageContaining("malformed JSON");
	}

	@Test
	void refusesWhatIsNestedTooDeep() {
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> body("{\"customer\":".repeat(100_000) + "{}" + "}".repeat(100_000)))
			.withMessageContaining("malformed JSON");
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> query("customer.".repeat(1000) + "x=1"))
			.withMessageContaining("unknown field");
	}

	@Test
	void looksForTheWrongFieldOnlyAsLongAsItMay() {
		String deep = "{\"customer\":{\"address\":{\"zip\":1}},\"name\":\"" + "x".repeat(64 * 1024) + "\"}";
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> body(deep))
			.withMessageContaining("zip")
			.withMessageNotContaining("customer.address.zip");
		String late = "{\"parties\":[" + "{},".repeat(300) + "{\"full_name\":[]}]}";
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> body(late))
			.withMessageContaining("field 'parties'");
	}

	@Test
	void looksForTheWrongFieldOnlyWhileSomebodyWaits() {
		Thread.currentThread().interrupt();
		try {
			assertThatExceptionOfType(MicroException.Cancelled.class).isThrownBy(() -> body("{\"count\":\"x\"}"));
		}
		finally {
			assertThat(Thread.interrupted()).isTrue();
		}
	}

	@Test
	void refusesMoreParametersThanItsLimit() {
		assertThat(Query.of("tags=x&".repeat(1000)).parameters()).hasSize(1000);
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Query.of("tags=x&".repeat(1001)))
			.withMessageContaining("1000 parameters");
	}

	@Test
	void keepsNumbersAsTheyAre() throws Exception {
		Order order = order("{\"big\":9223372036854775807,\"huge\":\"18446744073709551615\",\"price\":0.1}", "count=1");
		assertThat(order.getBig()).isEqualTo(Long.MAX_VALUE);
		assertThat(order.getHuge()).isEqualTo(-1);
		assertThat(order.getPrice()).isEqualTo(0.1);
	}

	private Order query(String query) throws InvalidProtocolBufferException {
		return order("", query);
	}

	private Order body(String body) throws InvalidProtocolBufferException {
		return order(body, "");
	}

	private Order order(String body, String query) throws InvalidProtocolBufferException {
		DynamicMessage message = Payload.of(body.getBytes(StandardCharsets.UTF_8), query)
			.fit(this.schema, Order.getDescriptor());
		return Order.parseFrom(message.toByteString());
	}

}
