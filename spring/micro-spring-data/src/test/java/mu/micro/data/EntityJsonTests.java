package mu.micro.data;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.YearMonth;
import java.time.ZonedDateTime;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.jsontype.BasicPolymorphicTypeValidator;

import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.annotation.Id;
import org.springframework.data.annotation.PersistenceCreator;
import org.springframework.data.annotation.Transient;
import org.springframework.data.annotation.Version;
import org.springframework.data.keyvalue.annotation.KeySpace;
import org.springframework.data.keyvalue.core.mapping.context.KeyValueMappingContext;
import org.springframework.data.mapping.MappingException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What is read is what was written, or nothing is written.
 */
class EntityJsonTests {

	private final KeyValueMappingContext<?, ?> context = new KeyValueMappingContext<>();

	@Test
	void valuesOfAllTypesAreReadAsTheyWere() {
		Everything everything = new Everything("1", 'c', (byte) 1, (short) 2, 3, 4L, 5.5f, Double.MIN_VALUE, true,
				new BigDecimal("1.10"), new BigInteger("123456789012345678901234567890"),
				Instant.parse("2026-03-01T12:00:00.123456789Z"), OffsetDateTime.parse("2026-03-01T12:00:00+05:30"),
				ZonedDateTime.parse("2026-03-01T12:00:00+01:00[Europe/Paris]"), LocalDate.MAX, LocalTime.MAX,
				LocalDateTime.MIN, Duration.ofNanos(-1), Period.ofDays(3), YearMonth.of(2026, 3), new UUID(1, 2),
				Color.RED, new byte[] { 0, -1 }, List.of("a", ""), Set.of(1L), Map.of("x", List.of(1.5)),
				new EnumMap<>(Map.of(Color.GREEN, "g")), Optional.of("o"), new Nested("n", new Nested("m", null)));
		Everything read = (Everything) type(Everything.class).write(everything).read();
		assertThat(read).usingRecursiveComparison().isEqualTo(everything);
		assertThat(read.zoned).isEqualTo(everything.zoned);
		assertThat(read.offset).isEqualTo(everything.offset);
		assertThat(read.decimal).isEqualTo(everything.decimal);
	}

	@Test
	void anEnumIsItsNameAndNotItsText() {
		assertThat(json(new Paint("1", Color.RED))).isEqualTo("{\"id\":\"1\",\"color\":\"RED\"}");
	}

	@Test
	void fieldsAreWrittenAndNotWhatGettersCompute() {
		Person person = new Person("1", "Ada", "Lovelace");
		assertThat(json(person)).isEqualTo("{\"id\":\"1\",\"first\":\"Ada\",\"last\":\"Lovelace\"}");
		assertThat(((Person) type(Person.class).write(person).read()).getName()).isEqualTo("Ada Lovelace");
	}

	@Test
	void theVersionAndTransientFieldsAreNotWritten() {
		Counter counter = new Counter("1", 7, 3);
		assertThat(json(counter)).isEqualTo("{\"id\":\"1\",\"count\":3}");
		assertThat(type(Counter.class).read("{\"id\":\"1\",\"version\":9,\"count\":3}".getBytes()))
			.isEqualTo(new Counter("1", 0, 3));
		Cached cached = new Cached("1");
		cached.hits = 5;
		cached.misses = 6;
		assertThat(json(cached)).isEqualTo("{\"id\":\"1\"}");
	}

	@Test
	void aFieldThatIsMissingOrUnknownIsNoObstacle() {
		assertThat(type(Counter.class).read("{\"id\":\"1\",\"newer\":{}}".getBytes()))
			.isEqualTo(new Counter("1", 0, 0));
	}

	@Test
	void theConstructorForPersistenceIsUsed() {
		Point point = (Point) type(Point.class).write(new Point("1", 2)).read();
		assertThat(point.made).isEqualTo("by persistence");
	}

	@Test
	void kindsAreToldApartByTheirDeclaredNames() {
		EntityType shapes = type(EntityType.domain(Circle.class));
		assertThat(shapes.type()).isEqualTo(Shape.class);
		assertThat(new String(shapes.write(new Circle("1", 2)).json()))
			.isEqualTo("{\"kind\":\"circle\",\"id\":\"1\",\"radius\":2}");
		assertThat(shapes.write(new Square("1", 3)).read()).isEqualTo(new Square("1", 3));
	}

	@Test
	void kindsThatAreNotDeclaredAreRefused() {
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> type(Animal.class).write(new Cat("1")))
			.withMessageContaining("@JsonTypeInfo");
	}

	@Test
	void namesOfClassesAreNeitherWrittenNorRead() {
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> type(Named.class).write(new Named("1", new Known("x"))));
		EntityType type = type(Loose.class);
		String json = "{\"id\":\"1\",\"any\":[\"javax.swing.JEditorPane\",{}]}";
		assertThat(((Loose) type.read(json.getBytes())).any).isInstanceOf(List.class);
		JsonMapper open = EntityJson.builder()
			.activateDefaultTyping(BasicPolymorphicTypeValidator.builder().allowIfBaseType(Object.class).build())
			.build();
		EntityType closed = new EntityType(this.context, Loose.class, EntityJson.entities(open), Clock.systemUTC());
		assertThat(((Loose) closed.read(json.getBytes())).any).isInstanceOf(List.class);
	}

	@Test
	void whatCannotBeReadAgainIsNotWritten() {
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> type(Unreadable.class).write(new Unreadable("1")))
			.withMessageContaining("read again");
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> type(Hidden.class).write(new Hidden("1")))
			.withMessageContaining("not part of its JSON");
	}

	@Test
	void typesThatCannotBeStoredAreRefusedAtOnce() {
		assertThatExceptionOfType(MappingException.class).isThrownBy(() -> type(BadVersion.class))
			.withMessageContaining("long");
		assertThatExceptionOfType(MappingException.class).isThrownBy(() -> type(BadIndex.class))
			.withMessageContaining("java.lang.Object");
		assertThatExceptionOfType(MappingException.class).isThrownBy(() -> type(BadExpiry.class))
			.withMessageContaining("Instant");
		assertThatExceptionOfType(MappingException.class).isThrownBy(() -> type(BadId.class))
			.withMessageContaining("of(String)");
	}

	@Test
	void anIndexIsFoundInNestedObjectsAndCirclesEnd() {
		assertThat(type(Thing.class).declared()).extracting(IndexDefinition::path)
			.contains("place.city", "tags", "size")
			.doesNotContain("plain", "place.street");
		assertThat(type(Tree.class).declared()).extracting(IndexDefinition::path).containsExactly("name");
	}

	private EntityType type(Class<?> type) {
		return new EntityType(this.context, type, EntityJson.entities(EntityJson.builder().build()), Clock.systemUTC());
	}

	private String json(Object entity) {
		return new String(type(entity.getClass()).write(entity).json());
	}

	enum Color {

		RED, GREEN;

		@Override
		public String toString() {
			return "the color " + name();
		}

	}

	record Everything(@Id String id, char character, byte tiny, short small, int number, long large, float single,
			double twice, boolean flag, BigDecimal decimal, BigInteger whole, Instant instant, OffsetDateTime offset,
			ZonedDateTime zoned, LocalDate date, LocalTime time, LocalDateTime dateTime, Duration duration,
			Period period, YearMonth month, UUID uuid, Color color, byte[] bytes, List<String> list, Set<Long> set,
			Map<String, List<Double>> map, Map<Color, String> byColor, Optional<String> optional, Nested nested) {
	}

	record Nested(String name, @Nullable Nested more) {
	}

	record Paint(@Id String id, Color color) {
	}

	public static class Person {

		@Id
		private final String id;

		private final String first;

		private final String last;

		Person(String id, String first, String last) {
			this.id = id;
			this.first = first;
			this.last = last;
		}

		public String getId() {
			return this.id;
		}

		public String getName() {
			return this.first + " " + this.last;
		}

		public boolean isFamous() {
			return true;
		}

	}

	record Counter(@Id String id, @Version long version, int count) {
	}

	static class Cached {

		@Id
		String id;

		@Transient
		int hits;

		transient int misses;

		Cached(String id) {
			this.id = id;
		}

	}

	static class Point {

		@Id
		final String id;

		final int x;

		@Transient
		final String made;

		Point(String id) {
			this(id, 0);
		}

		@PersistenceCreator
		Point(String id, int x, @Nullable Integer any) {
			this.id = id;
			this.x = x;
			this.made = "by persistence";
		}

		Point(String id, int x) {
			this.id = id;
			this.x = x;
			this.made = "by hand";
		}

	}

	@KeySpace("shapes")
	@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
	@JsonSubTypes({ @JsonSubTypes.Type(value = Circle.class, name = "circle"),
			@JsonSubTypes.Type(value = Square.class, name = "square") })
	interface Shape {

	}

	record Circle(@Id String id, int radius) implements Shape {
	}

	record Square(@Id String id, int side) implements Shape {
	}

	static class Animal {

		@Id
		final String id;

		Animal(String id) {
			this.id = id;
		}

	}

	static class Cat extends Animal {

		Cat(String id) {
			super(id);
		}

	}

	record Named(@Id String id, Anything thing) {
	}

	@JsonTypeInfo(use = JsonTypeInfo.Id.CLASS)
	interface Anything {

	}

	record Known(String name) implements Anything {
	}

	record Loose(@Id String id, Object any) {
	}

	static class Unreadable {

		@Id
		final String id;

		Unreadable(String id) {
			this.id = id;
		}

		Unreadable(String id, int any) {
			this.id = id + any;
		}

	}

	record Hidden(@Id @JsonIgnore String id) {
	}

	record BadVersion(@Id String id, @Version int version) {
	}

	record BadIndex(@Id String id, @Indexed Object any) {
	}

	record BadExpiry(@Id String id, @Expires String when) {
	}

	record BadId(@Id ThreadLocal<String> id) {
	}

	record Tree(@Id String id, @Indexed String name, @Nullable Tree left, List<Tree> others) {
	}

}
