package mu.micro.data;

import java.time.Clock;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Databases;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.dao.DataRetrievalFailureException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.data.annotation.Id;
import org.springframework.data.annotation.Version;
import org.springframework.data.domain.ScrollPosition;
import org.springframework.data.domain.Window;
import org.springframework.data.keyvalue.annotation.KeySpace;
import org.springframework.data.keyvalue.core.KeyValueAdapter;
import org.springframework.data.keyvalue.core.KeyValueTemplate;
import org.springframework.data.keyvalue.core.mapping.context.KeyValueMappingContext;
import org.springframework.data.keyvalue.core.query.KeyValueQuery;
import org.springframework.data.mapping.MappingException;
import org.springframework.data.repository.CrudRepository;
import org.springframework.data.repository.ListCrudRepository;
import org.springframework.data.repository.query.QueryCreationException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Which types share a table and which do not, and what is refused.
 */
class KeyspaceTests extends DataContract {

	private @Nullable MemoryDatabases first;

	@Override
	Databases open(Clock time) {
		if (this.first != null) {
			return new MemoryDatabases(this.first);
		}
		this.first = new MemoryDatabases(time);
		return this.first;
	}

	@Test
	void kindsOfOneTypeShareATableAndEachSeesItsOwn() {
		Shapes shapes = repository(Shapes.class);
		Circles circles = repository(Circles.class);
		shapes.saveAll(List.of(new Circle("1", "red", 1), new Square("2", "red", 2), new Circle("3", "blue", 3)));
		assertThat(this.database.tables()).contains("shapes").noneMatch((table) -> table.contains("Circle"));
		assertThat(shapes.findByColor("red")).containsExactly(new Circle("1", "red", 1), new Square("2", "red", 2));
		assertThat(circles.findByColor("red")).containsExactly(new Circle("1", "red", 1));
		assertThat(circles.findByRadiusGreaterThan(2)).containsExactly(new Circle("3", "blue", 3));
		assertThat(shapes.count()).isEqualTo(3);
		assertThat(circles.count()).isEqualTo(2);
		assertThat(circles.countByColor("red")).isEqualTo(1);
		assertThat(circles.existsById("2")).isFalse();
		assertThat(circles.findById("2")).isEmpty();
		circles.deleteById("2");
		assertThat(circles.deleteByColor("red")).isEqualTo(1);
		circles.deleteAll();
		assertThat(shapes.findAll()).containsExactly(new Square("2", "red", 2));
		assertRowsMatch(Shape.class);
	}

	@Test
	void aSubtypeWithAKeyspaceOfItsOwnIsNotSavedByARepositoryThatWouldNotFindIt() {
		Books books = repository(Books.class);
		Bases bases = repository(Bases.class);
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> bases.save(new Derived("1")))
			.withMessageContaining("@KeySpace");
		assertThat(books.count()).isZero();
	}

	@Test
	void aSubtypeMayHaveAVersionButNoIndexOfItsOwn() {
		DatabaseTemplate template = application();
		Dog saved = template.insert(new Dog("1", 0, "Rex"));
		template.update(new Dog("1", saved.version(), "Max"));
		assertThatExceptionOfType(OptimisticLockingFailureException.class).isThrownBy(() -> template.update(saved));
		assertThat(template.findById("1", Pet.class)).hasValueSatisfying((pet) -> assertThat(pet)
			.isInstanceOfSatisfying(Dog.class, (dog) -> assertThat(dog.name()).isEqualTo("Max")));
		assertThatExceptionOfType(MappingException.class).isThrownBy(() -> template.insert(new Fish("2", "blue")))
			.withMessageContaining("'color'");
	}

	@Test
	void anIterableIsAskedOnce() {
		Books books = repository(Books.class);
		Iterator<Book> once = List.of(new Book(1, "a"), new Book(2, "b")).iterator();
		assertThat(books.saveAll(() -> once)).hasSize(2);
	}

	@Test
	void twoTypesWithoutACommonOneMayNotShareATable() {
		DatabaseTemplate template = application();
		template.insert(new One("1"));
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> template.insert(new Two("2")))
			.withMessageContaining("'same'");
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> template.insert(new Colon("2")))
			.withMessageContaining("colon");
	}

	@Test
	void anEntryThatIsNoEntityIsNamed() {
		Books books = repository(Books.class);
		this.database.table("mu.micro.data.Book").put(Write.put(EntityKey.of(1), "no JSON".getBytes()));
		assertThatExceptionOfType(DataRetrievalFailureException.class).isThrownBy(() -> books.findById(1L))
			.withMessageContaining("0000000000000000001")
			.withMessageContaining("mu.micro.data.Book");
	}

	@Test
	void anEntityMayBeStoredUnderAnIdThatItDoesNotKnow() {
		DatabaseTemplate template = application();
		template.insert("a", new Nameless("x"));
		template.update("a", new Nameless("y"));
		assertThat(template.findById("a", Nameless.class)).contains(new Nameless("y"));
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> template.insert(new Nameless("x")))
			.withMessageContaining("no id");
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> template.insert("2", new One("1")))
			.withMessageContaining("'1'");
		try (var entries = template.getKeyValueAdapter().entries(Nameless.class.getName())) {
			assertThat(entries.next().getKey()).isEqualTo("a");
			assertThat(entries.hasNext()).isFalse();
		}
	}

	@Test
	void theTemplateOfSpringDataWorksOverTheAdapter() throws Exception {
		KeyValueAdapter adapter = application().getKeyValueAdapter();
		KeyValueTemplate stock = new KeyValueTemplate(adapter, new KeyValueMappingContext<>());
		application();
		DatabaseTemplate own = new DatabaseTemplate((DatabaseAdapter) adapter);
		own.insert(new Book(1, "a"));
		stock.insert(new Book(2, "b"));
		stock.update(new Book(1, "c"));
		assertThat(stock.findById(1L, Book.class)).contains(new Book(1, "c"));
		assertThat(stock.findAll(Book.class)).hasSize(2);
		assertThat(stock.count(Book.class)).isEqualTo(2);
		Predicate<Book> second = (book) -> book.id() == 2;
		assertThat(stock.exists(new KeyValueQuery<>(second), Book.class)).isTrue();
		assertThat(stock.delete(2L, Book.class)).isEqualTo(new Book(2, "b"));
		stock.destroy();
		assertThat(own.count(Book.class)).as("what is left when the application ends").isEqualTo(1);
		stock.delete(Book.class);
		assertThat(own.count(Book.class)).isZero();
	}

	@Test
	void aQueryThatCannotBeAnsweredIsRefusedAtTheStart() {
		assertRefused(Near.class, "NEAR");
		assertRefused(ByTags.class, "Containing");
		assertRefused(ByTextRange.class, "case");
		assertRefused(ByListOfPlaces.class, "collection");
		assertRefused(Scrolls.class, "Slice");
		assertRefused(StartsWithNumber.class, "text");
	}

	@Test
	void anArgumentThatCannotBeComparedIsRefused() {
		Notes notes = repository(Notes.class);
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> repository(Fractions.class).findByPriority(1.5))
			.withMessageContaining("1.5");
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> repository(Fractions.class).findByPriorityGreaterThan("many"))
			.withMessageContaining("many");
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> repository(Fractions.class).findByTitleGreaterThan(null))
			.withMessageContaining("null");
		notes.save(new Note("1", "a", false, 2, null, Set.of(), null));
		assertThat(repository(Fractions.class).findByPriority(2.0)).hasSize(1);
		assertThat(repository(Fractions.class).findByPriorityGreaterThan("1")).hasSize(1);
	}

	private void assertRefused(Class<?> repository, String why) {
		assertThatExceptionOfType(QueryCreationException.class).isThrownBy(() -> repository(repository))
			.withMessageContaining(why);
	}

	@KeySpace("shapes")
	@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
	@JsonSubTypes({ @JsonSubTypes.Type(value = Circle.class, name = "circle"),
			@JsonSubTypes.Type(value = Square.class, name = "square") })
	abstract static class Shape {

		@Id
		final String id;

		@Indexed
		final String color;

		Shape(String id, String color) {
			this.id = id;
			this.color = color;
		}

		@Override
		public boolean equals(Object other) {
			return other instanceof Shape shape && shape.toString().equals(toString());
		}

		@Override
		public int hashCode() {
			return this.id.hashCode();
		}

		@Override
		public String toString() {
			return getClass().getSimpleName() + this.id + this.color;
		}

	}

	static class Circle extends Shape {

		final int radius;

		Circle(String id, String color, int radius) {
			super(id, color);
			this.radius = radius;
		}

		@Override
		public String toString() {
			return super.toString() + this.radius;
		}

	}

	static class Square extends Shape {

		final int side;

		Square(String id, String color, int side) {
			super(id, color);
			this.side = side;
		}

		@Override
		public String toString() {
			return super.toString() + this.side;
		}

	}

	interface Shapes extends ListCrudRepository<Shape, String> {

		List<Shape> findByColor(String color);

	}

	interface Circles extends ListCrudRepository<Circle, String> {

		List<Circle> findByColor(String color);

		List<Circle> findByRadiusGreaterThan(int radius);

		long countByColor(String color);

		int deleteByColor(String color);

	}

	static class Base {

		@Id
		final String id;

		Base(String id) {
			this.id = id;
		}

	}

	static class Derived extends Base {

		Derived(String id) {
			super(id);
		}

	}

	interface Bases extends CrudRepository<Base, String> {

	}

	@KeySpace("pets")
	@JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
	@JsonSubTypes({ @JsonSubTypes.Type(Dog.class), @JsonSubTypes.Type(Fish.class) })
	sealed interface Pet permits Dog, Fish {

	}

	record Dog(@Id String id, @Version long version, String name) implements Pet {
	}

	record Fish(@Id String id, @Indexed String color) implements Pet {
	}

	@KeySpace("same")
	record One(@Id String id) {
	}

	@KeySpace("same")
	record Two(@Id String id) {
	}

	@KeySpace("a:b")
	record Colon(@Id String id) {
	}

	record Nameless(String name) {
	}

	interface Near extends CrudRepository<Note, String> {

		List<Note> findByTitleNear(String title);

	}

	interface ByTags extends CrudRepository<Note, String> {

		List<Note> findByTags(String tag);

	}

	interface ByTextRange extends CrudRepository<Note, String> {

		List<Note> findByPriorityIgnoreCase(int priority);

	}

	record Town(@Id String id, List<Thing.Place> places) {
	}

	interface ByListOfPlaces extends CrudRepository<Town, String> {

		List<Town> findByPlacesCity(String city);

	}

	interface Scrolls extends CrudRepository<Note, String> {

		Window<Note> findFirst3ByTitle(String title, ScrollPosition position);

	}

	interface StartsWithNumber extends CrudRepository<Note, String> {

		List<Note> findByPriorityStartingWith(int priority);

	}

	interface Fractions extends CrudRepository<Note, String> {

		List<Note> findByPriority(double priority);

		List<Note> findByPriorityGreaterThan(String priority);

		List<Note> findByTitleGreaterThan(@Nullable String title);

	}

}
