package mu.micro.data;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.data.domain.Sort;
import org.springframework.data.keyvalue.core.query.KeyValueQuery;
import org.springframework.data.repository.query.parser.PartTree;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Queries, made up by chance over data made up by chance, find what a plain filter finds,
 * in the same order.
 */
abstract class QueryContract extends DataContract {

	private static final Map<String, Function<Thing, @Nullable Object>> PROPERTIES = new TreeMap<>(Map.ofEntries(
			Map.entry("Id", Thing::id), Map.entry("Text", Thing::text), Map.entry("Label", Thing::label),
			Map.entry("Count", Thing::count), Map.entry("Size", Thing::size), Map.entry("Price", Thing::price),
			Map.entry("Weight", Thing::weight), Map.entry("Day", Thing::day), Map.entry("Moment", Thing::moment),
			Map.entry("Key", Thing::key), Map.entry("Flag", Thing::flag), Map.entry("Tags", Thing::tags),
			Map.entry("PlaceCity", QueryContract::city), Map.entry("Plain", Thing::plain)));

	private static final List<String> OF_ANY = List.of("", "Not", "In", "NotIn", "IsNull", "IsNotNull");

	private static final List<String> OF_ORDER = List.of("LessThan", "LessThanEqual", "GreaterThan", "GreaterThanEqual",
			"Before", "After", "Between");

	private static final List<String> OF_TEXT = List.of("StartingWith", "EndingWith", "Containing", "NotContaining",
			"Like", "NotLike", "IsEmpty", "IgnoreCase", "InIgnoreCase");

	private final Random random = new Random(4);

	@Test
	void queriesFindWhatAPlainFilterFinds() {
		DatabaseTemplate template = application();
		List<Thing> things = things(200);
		template.saveAll(things, (thing) -> true);
		assertRowsMatch(Thing.class);
		int[] indexed = new int[1];
		int[] ordered = new int[1];
		for (int i = 0; i < 600; i++) {
			Question question = question();
			DatabaseAdapter adapter = template.getKeyValueAdapter();
			long offset = (this.random.nextInt(4) == 0) ? this.random.nextInt(30) : 0;
			long rows = this.random.nextBoolean() ? -1 : this.random.nextInt(1, 40);
			Condition condition = new ConditionCreator(question.tree(), adapter.context(), Thing.class)
				.create(question.arguments.iterator());
			EntityQuery query = new EntityQuery(Thing.class, condition, EntityQuery.Whatever.ENTITY,
					adapter.order(question.tree().getSort(), Thing.class), offset, rows, (plan) -> {
						indexed[0] += plan.isScan() ? 0 : 1;
						ordered[0] += plan.ordered() ? 1 : 0;
					});
			List<Thing> found = new ArrayList<>();
			Iterator<Stored> results = adapter.find(query);
			results.forEachRemaining((each) -> found.add((Thing) each.entity()));
			List<Thing> expected = things.stream().filter(question.filter).sorted(question.order).toList();
			if (question.name.contains("OrderBy")) {
				int from = (int) Math.min(offset, expected.size());
				int to = (rows < 0) ? expected.size() : (int) Math.min(from + rows, expected.size());
				assertThat(found).as("%s", question).isEqualTo(expected.subList(from, to));
			}
			else {
				long left = Math.max(0, expected.size() - offset);
				assertThat(found).as("%s", question)
					.hasSize((int) ((rows < 0) ? left : Math.min(rows, left)))
					.doesNotHaveDuplicates()
					.isSubsetOf(expected);
			}
			assertThat(template.count(new KeyValueQuery<>(condition), Thing.class)).as("%s", question)
				.isEqualTo(expected.size());
			assertThat(template.exists(new KeyValueQuery<>(condition), Thing.class)).as("%s", question)
				.isEqualTo(!expected.isEmpty());
		}
		assertThat(indexed[0]).as("queries that used an index").isGreaterThan(350);
		assertThat(ordered[0]).as("queries whose order was there").isGreaterThan(60);
	}

	@Test
	void pagesTogetherAreTheWholeInWhateverOrder() {
		DatabaseTemplate template = application();
		List<Thing> things = things(300);
		template.saveAll(things, (thing) -> true);
		for (String property : List.of("id", "text", "label", "count", "price", "place.city", "plain", "flag")) {
			for (Sort.Direction direction : Sort.Direction.values()) {
				for (Sort.NullHandling nulls : Sort.NullHandling.values()) {
					Sort sort = Sort.by(new Sort.Order(direction, property, nulls));
					List<Thing> whole = list(template.findAll(sort, Thing.class));
					assertThat(new HashSet<>(whole)).isEqualTo(new HashSet<>(things)).hasSize(300);
					List<Thing> paged = new ArrayList<>();
					for (int offset = 0; offset < 300; offset += 77) {
						template.findInRange(offset, 77, sort, Thing.class).forEach(paged::add);
					}
					assertThat(paged).as("%s", sort).isEqualTo(whole);
				}
			}
		}
	}

	@Test
	void nullsStandWhereTheyAreAskedFor() {
		DatabaseTemplate template = application();
		template.saveAll(things(100), (thing) -> true);
		for (Sort.Direction direction : Sort.Direction.values()) {
			for (Sort.NullHandling nulls : Sort.NullHandling.values()) {
				List<Thing> found = list(
						template.findInRange(0, 100, Sort.by(new Sort.Order(direction, "count", nulls)), Thing.class));
				List<Integer> values = found.stream().map(Thing::count).filter(Objects::nonNull).toList();
				boolean first = (nulls == Sort.NullHandling.NATIVE) ? direction.isAscending()
						: nulls == Sort.NullHandling.NULLS_FIRST;
				assertThat(values).hasSizeBetween(1, 99)
					.isSortedAccordingTo(
							direction.isAscending() ? Comparator.naturalOrder() : Comparator.reverseOrder());
				int missing = 100 - values.size();
				assertThat(found.subList(first ? 0 : 100 - missing, first ? missing : 100)).extracting(Thing::count)
					.containsOnlyNulls();
			}
		}
	}

	@Test
	void aPredicateIsAQueryToo() {
		DatabaseTemplate template = application();
		List<Thing> things = things(200);
		template.saveAll(things, (thing) -> true);
		Predicate<Thing> flagged = Thing::flag;
		assertThat(list(template.find(new KeyValueQuery<>(flagged, Sort.by("id")), Thing.class)))
			.isEqualTo(things.stream().filter(flagged).sorted(Comparator.comparing(Thing::id)).toList());
		assertThat(template.stream(new KeyValueQuery<>(flagged), Thing.class).count())
			.isEqualTo(template.count(new KeyValueQuery<>(flagged), Thing.class))
			.isEqualTo(things.stream().filter(flagged).count());
	}

	private static @Nullable String city(Thing thing) {
		Thing.Place place = thing.place();
		return (place != null) ? place.city() : null;
	}

	private static <T> List<T> list(Iterable<T> iterable) {
		List<T> list = new ArrayList<>();
		iterable.forEach(list::add);
		return list;
	}

	private List<Thing> things(int count) {
		List<Thing> things = new ArrayList<>();
		IntStream.range(0, count)
			.forEach((i) -> things.add(new Thing(2L * (i - count / 3) + 1, perhaps(text()), perhaps(label()),
					perhaps(this.random.nextInt(-5, 6)), this.random.nextLong() >> this.random.nextInt(64),
					perhaps(price()), perhaps(weight()), perhaps(day()), perhaps(moment()), perhaps(key()),
					this.random.nextBoolean(), tags(), perhaps(new Thing.Place(perhaps(text()), "street")),
					perhaps(text()))));
		return things;
	}

	private <T> @Nullable T perhaps(T value) {
		return (this.random.nextInt(8) == 0) ? null : value;
	}

	private String text() {
		return Texts.perhapsLong(this.random);
	}

	private Thing.Label label() {
		return Thing.Label.values()[this.random.nextInt(3)];
	}

	private BigDecimal price() {
		return BigDecimal.valueOf(this.random.nextInt(-20, 20), this.random.nextInt(3));
	}

	private double weight() {
		return this.random.nextInt(-4, 5) / 2.0;
	}

	private LocalDate day() {
		return LocalDate.of(2026, 3, this.random.nextInt(1, 20));
	}

	private Instant moment() {
		return Instant.ofEpochSecond(this.random.nextInt(-3, 4), this.random.nextInt(2));
	}

	private UUID key() {
		return new UUID(this.random.nextInt(3) - 1, this.random.nextInt(3) - 1);
	}

	private List<String> tags() {
		return IntStream.range(0, this.random.nextInt(4)).mapToObj((i) -> "t" + this.random.nextInt(5)).toList();
	}

	private Question question() {
		StringBuilder name = new StringBuilder("findBy");
		List<@Nullable Object> arguments = new ArrayList<>();
		Predicate<Thing> filter = (thing) -> false;
		int alternatives = (this.random.nextInt(4) == 0) ? 2 : 1;
		for (int i = 0; i < alternatives; i++) {
			name.append((i > 0) ? "Or" : "");
			Predicate<Thing> all = (thing) -> true;
			int terms = this.random.nextInt(1, 4);
			for (int j = 0; j < terms; j++) {
				name.append((j > 0) ? "And" : "");
				all = all.and(term(name, arguments));
			}
			filter = filter.or(all);
		}
		Comparator<Thing> order = (one, other) -> 0;
		if (this.random.nextBoolean()) {
			name.append("OrderBy");
			int orders = this.random.nextInt(1, 3);
			boolean first = true;
			boolean descending = false;
			for (int i = 0; i < orders; i++) {
				String property = property((each) -> !each.equals("Tags"));
				boolean ascending = this.random.nextBoolean();
				descending = first ? !ascending : descending;
				first = false;
				name.append(property).append(ascending ? "Asc" : "Desc");
				Comparator<Thing> by = Comparator.comparing(PROPERTIES.get(property), QueryContract::compare);
				order = order.thenComparing(ascending ? by : by.reversed());
			}
			Comparator<Thing> byId = Comparator.comparing(Thing::id);
			order = order.thenComparing(descending ? byId.reversed() : byId);
		}
		return new Question(name.toString(), arguments, filter, order);
	}

	private String property(Predicate<String> which) {
		List<String> names = PROPERTIES.keySet().stream().filter(which).toList();
		return names.get(this.random.nextInt(names.size()));
	}

	private Predicate<Thing> term(StringBuilder name, List<@Nullable Object> arguments) {
		String property = property((each) -> true);
		Function<Thing, @Nullable Object> get = PROPERTIES.get(property);
		if (property.equals("Tags")) {
			String tag = "t" + this.random.nextInt(6);
			arguments.add(tag);
			boolean containing = this.random.nextInt(3) > 0;
			name.append(containing ? "TagsContaining" : "TagsNotContaining");
			return (thing) -> thing.tags().contains(tag) == containing;
		}
		List<String> words = new ArrayList<>(OF_ANY);
		boolean text = List.of("Text", "Plain", "PlaceCity").contains(property);
		words.addAll(property.equals("Flag") ? List.of("True", "False") : OF_ORDER);
		words.addAll(text ? OF_TEXT : List.of());
		String word = words.get(this.random.nextInt(words.size()));
		name.append(property).append(word);
		Object one = argument(property);
		Object two = argument(property);
		List<Object> some = List.of(argument(property), argument(property));
		switch (word) {
			case "IsNull", "IsNotNull", "True", "False", "IsEmpty" -> {
			}
			case "In", "NotIn", "InIgnoreCase" -> arguments.add(some);
			case "Between" -> Collections.addAll(arguments, one, two);
			default -> arguments.add(one);
		}
		return (thing) -> holds(word, get.apply(thing), one, two, some);
	}

	private Object argument(String property) {
		return switch (property) {
			case "Id" -> (long) this.random.nextInt(-300, 600);
			case "Label" -> label();
			case "Count" -> this.random.nextInt(-6, 7);
			case "Size" -> this.random.nextLong() >> this.random.nextInt(64);
			case "Price" -> price();
			case "Weight" -> weight();
			case "Day" -> day();
			case "Moment" -> moment();
			case "Key" -> key();
			case "Flag" -> this.random.nextBoolean();
			default -> text();
		};
	}

	private static boolean holds(String word, @Nullable Object value, Object one, Object two, List<Object> some) {
		String text = String.valueOf(value);
		return switch (word) {
			case "" -> compare(value, one) == 0;
			case "Not" -> compare(value, one) != 0;
			case "In" -> some.stream().anyMatch((each) -> compare(value, each) == 0);
			case "NotIn" -> some.stream().noneMatch((each) -> compare(value, each) == 0);
			case "IsNull" -> value == null;
			case "IsNotNull" -> value != null;
			case "True" -> Boolean.TRUE.equals(value);
			case "False" -> Boolean.FALSE.equals(value);
			case "LessThan", "Before" -> value != null && compare(value, one) < 0;
			case "LessThanEqual" -> value != null && compare(value, one) <= 0;
			case "GreaterThan", "After" -> value != null && compare(value, one) > 0;
			case "GreaterThanEqual" -> value != null && compare(value, one) >= 0;
			case "Between" -> value != null && compare(value, one) >= 0 && compare(value, two) <= 0;
			case "StartingWith" -> value != null && text.startsWith((String) one);
			case "EndingWith" -> value != null && text.endsWith((String) one);
			case "Containing" -> value != null && text.contains((String) one);
			case "NotContaining" -> value == null || !text.contains((String) one);
			case "Like" -> value != null && like(text, (String) one);
			case "NotLike" -> value == null || !like(text, (String) one);
			case "IsEmpty" -> value == null || text.isEmpty();
			case "IgnoreCase" -> value != null && folded(text).equals(folded(one));
			case "InIgnoreCase" -> value != null && some.stream().anyMatch((each) -> folded(text).equals(folded(each)));
			default -> throw new IllegalArgumentException(word);
		};
	}

	private static String folded(Object text) {
		return text.toString().toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT);
	}

	/*
	 * By recursion, and so by other means than what is tested.
	 */
	private static boolean like(String text, String pattern) {
		if (pattern.isEmpty()) {
			return text.isEmpty();
		}
		int sign = pattern.codePointAt(0);
		String rest = pattern.substring(Character.charCount(sign));
		if (sign == '%') {
			return like(text, rest) || (!text.isEmpty() && like(text.substring(1), pattern));
		}
		if (text.isEmpty()) {
			return false;
		}
		int character = text.codePointAt(0);
		String more = text.substring(Character.charCount(character));
		if (sign == '\\' && !rest.isEmpty()) {
			return character == rest.codePointAt(0)
					&& like(more, rest.substring(Character.charCount(rest.codePointAt(0))));
		}
		return (sign == '_' || sign == character) && like(more, rest);
	}

	@SuppressWarnings({ "unchecked", "rawtypes" })
	private static int compare(@Nullable Object one, @Nullable Object other) {
		if (one == null || other == null) {
			return Boolean.compare(one != null, other != null);
		}
		if (one instanceof String || one instanceof UUID) {
			return Arrays.compareUnsigned(one.toString().getBytes(StandardCharsets.UTF_8),
					other.toString().getBytes(StandardCharsets.UTF_8));
		}
		return ((Comparable) one).compareTo(other);
	}

	private record Question(String name, List<@Nullable Object> arguments, Predicate<Thing> filter,
			Comparator<Thing> order) {

		PartTree tree() {
			return new PartTree(this.name, Thing.class);
		}

		@Override
		public String toString() {
			return this.name + this.arguments;
		}

	}

}
