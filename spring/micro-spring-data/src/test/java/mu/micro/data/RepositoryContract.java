package mu.micro.data;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import mu.micro.store.Entry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.IncorrectResultSizeDataAccessException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.domain.Limit;
import org.springframework.data.domain.Page;
import org.springframework.data.domain.PageRequest;
import org.springframework.data.domain.Pageable;
import org.springframework.data.domain.Slice;
import org.springframework.data.domain.Sort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What a repository does, as those who know Spring Data expect it.
 */
abstract class RepositoryContract extends DataContract {

	private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

	private Notes notes;

	@BeforeEach
	void makeRepository() {
		this.notes = repository(Notes.class);
	}

	@Test
	void whatIsSavedIsReadByAnotherApplication() {
		Note note = new Note("1", "Milk", true, 3, NOON.plusNanos(1), Set.of("shop", "food"), "two\nlitres");
		assertThat(this.notes.save(note)).isEqualTo(note);
		Notes others = repository(Notes.class);
		assertThat(others.findById("1")).contains(note);
		assertThat(others.findById("2")).isEmpty();
		assertThat(others.existsById("1")).isTrue();
		assertThat(others.existsById("2")).isFalse();
		assertThat(others.count()).isEqualTo(1);
	}

	@Test
	void existsByIdIsNotFooledByALongerId() {
		this.notes.save(Note.of("10", "Milk"));
		assertThat(this.notes.existsById("1")).isFalse();
	}

	@Test
	void aValueIsJsonUnderTheId() {
		this.notes.save(Note.of("1", "Milk"));
		Entry entry = this.database.table("mu.micro.data.Note").get("1");
		assertThat(new String(entry.value())).isEqualTo(
				"{\"id\":\"1\",\"title\":\"Milk\",\"done\":false,\"priority\":0,\"created\":null,\"tags\":[],\"text\":null}");
		assertThat(entry.metadata()).containsEntry("content-type", "application/json");
	}

	@Test
	void anEntityWithoutAnIdGetsOne() {
		Note saved = this.notes.save(Note.of(null, "Milk"));
		assertThat(saved.id()).isNotNull();
		assertThat(UUID.fromString(saved.id())).isNotNull();
		assertThat(this.notes.findById(saved.id())).contains(saved);
	}

	@Test
	void aSaveReplacesWhatWasThere() {
		this.notes.save(Note.of("1", "Milk"));
		this.notes.save(Note.of("1", "Bread"));
		assertThat(this.notes.findByTitle("Milk")).isEmpty();
		assertThat(this.notes.findByTitle("Bread")).containsExactly(Note.of("1", "Bread"));
		assertThat(this.notes.count()).isEqualTo(1);
		assertRowsMatch(Note.class);
	}

	@Test
	void anInsertReplacesNothing() {
		DatabaseTemplate template = application();
		template.insert(Note.of("1", "Milk"));
		assertThatExceptionOfType(DuplicateKeyException.class).isThrownBy(() -> template.insert(Note.of("1", "Bread")))
			.withMessageContaining("'1'");
		assertThat(this.notes.findById("1")).contains(Note.of("1", "Milk"));
	}

	@Test
	void manyAreSavedInOrderAndInFewSteps() {
		List<Note> many = IntStream.range(0, 2500)
			.mapToObj((i) -> new Note("%04d".formatted(i), "t" + i % 7, false, i, null, Set.of(), null))
			.toList();
		assertThat(this.notes.saveAll(many)).isEqualTo(many);
		assertThat(this.notes.findAll()).isEqualTo(many);
		assertThat(this.notes.count()).isEqualTo(2500);
		assertThat(this.notes.countByTitle("t3"))
			.isEqualTo(many.stream().filter((each) -> each.title().equals("t3")).count());
		assertRowsMatch(Note.class);
		this.notes.deleteAll();
		assertThat(this.notes.count()).isZero();
		assertThat(assertRowsMatch(Note.class)).isZero();
	}

	@Test
	void ofTwoWithOneIdInOneCallTheLaterStays() {
		this.notes.saveAll(List.of(Note.of("1", "Milk"), Note.of("2", "Tea"), Note.of("1", "Bread")));
		assertThat(this.notes.findAll()).containsExactly(Note.of("1", "Bread"), Note.of("2", "Tea"));
		assertRowsMatch(Note.class);
	}

	@Test
	void ifOneOfManyCannotBeSavedThoseBeforeItAre() {
		List<Note> many = new ArrayList<>(List.of(Note.of("1", "Milk"), Note.of("2", "Bread")));
		many.add(Note.of("x".repeat(501), "Tea"));
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class).isThrownBy(() -> this.notes.saveAll(many))
			.withMessageContaining("500");
		assertThat(this.notes.findAll()).extracting(Note::id).containsExactly("1", "2");
		assertThat(this.notes.saveAll(List.of())).isEmpty();
	}

	@Test
	void whatIsDeletedIsGoneWithItsRows() {
		this.notes.saveAll(List.of(Note.of("1", "Milk"), Note.of("2", "Milk"), Note.of("3", "Tea"), Note.of("4", "Tea"),
				Note.of("5", "Tea")));
		this.notes.deleteById("1");
		this.notes.deleteById("nobody");
		this.notes.delete(Note.of("2", null));
		this.notes.deleteAllById(List.of("3"));
		this.notes.deleteAll(List.of(Note.of("4", "Tea")));
		assertThat(this.notes.findAll()).extracting(Note::id).containsExactly("5");
		assertThat(this.notes.findByTitle("Milk")).isEmpty();
		assertRowsMatch(Note.class);
	}

	@Test
	void readingMakesNoEntities() {
		assertThat(this.notes.findAll()).isEmpty();
		assertThat(this.notes.findByTitle("Milk")).isEmpty();
		assertThat(this.database.tables()).doesNotContain("mu.micro.data.Note");
		Books books = repository(Books.class);
		assertThat(books.findAll()).isEmpty();
		assertThat(entries(IndexCatalog.TABLE)).noneMatch((entry) -> entry.key().contains("Book"));
	}

	@Test
	void queriesByNameFindWhatTheySay() {
		Note milk = new Note("1", "Milk", true, 1, NOON, Set.of("shop", "food"), "white");
		Note bread = new Note("2", "Bread", false, 2, NOON.plusSeconds(10), Set.of("shop"), "brown");
		Note none = new Note("3", null, false, 3, null, Set.of(), null);
		Note milkAgain = new Note("4", "Milk", false, 4, NOON.plusSeconds(20), Set.of(), "skimmed");
		this.notes.saveAll(List.of(milk, bread, none, milkAgain));
		assertThat(this.notes.findByTitle("Milk")).containsExactly(milk, milkAgain);
		assertThat(this.notes.findByTitle(null)).containsExactly(none);
		assertThat(this.notes.findOneByTitle("Bread")).contains(bread);
		assertThat(this.notes.findOneByTitle("Tea")).isEmpty();
		assertThat(this.notes.findFirstByTitleOrderByPriorityDesc("Milk")).isEqualTo(milkAgain);
		assertThat(this.notes.findFirstByTitleOrderByPriorityDesc("Tea")).isNull();
		assertThat(this.notes.findByTitleAndDone("Milk", true)).containsExactly(milk);
		assertThat(this.notes.findByTitleOrTextOrderById("Milk", "skimmed")).containsExactly(milk, milkAgain);
		assertThat(this.notes.findByTitleStartingWith("M")).containsExactly(milk, milkAgain);
		assertThat(this.notes.findByTitleIn(List.of("Milk", "Bread", "Tea"))).containsExactly(bread, milk, milkAgain);
		Iterable<String> titles = () -> List.of("Bread").iterator();
		assertThat(this.notes.findByTitleIn(titles)).containsExactly(bread);
		assertThat(this.notes.findByTitleIn("Bread", "Tea")).containsExactly(bread);
		assertThat(this.notes.findByTitleIgnoreCase("mILK")).containsExactly(milk, milkAgain);
		assertThat(this.notes.findByCreatedBetween(NOON, NOON.plusSeconds(10))).containsExactly(milk, bread);
		assertThat(this.notes.findByCreatedAfter(NOON)).containsExactly(bread, milkAgain);
		assertThat(this.notes.findByCreatedIsNull()).containsExactly(none);
		assertThat(this.notes.findByTagsContaining("shop")).containsExactly(milk, bread);
		assertThat(this.notes.findTop3ByOrderByPriorityDescTitleAsc()).containsExactly(milkAgain, none, bread);
		assertThat(this.notes.findByTextContaining("im")).containsExactly(milkAgain);
		assertThat(this.notes.findByDoneTrue()).containsExactly(milk);
		assertThat(this.notes.findByIdIn(List.of("2", "1", "9"))).containsExactly(milk, bread);
		assertThat(this.notes.countByTitle("Milk")).isEqualTo(2);
		assertThat(this.notes.countByText("white")).isEqualTo(1);
		assertThat(this.notes.existsByTitle("Bread")).isTrue();
		assertThat(this.notes.existsByTitle("Tea")).isFalse();
	}

	@Test
	void whatAnIndexFindsIsReadInFewSteps() {
		List<Note> notes = new ArrayList<>();
		for (int i = 0; i < 300; i++) {
			notes.add(Note.of(String.format(Locale.ROOT, "%03d", i), "Milk"));
		}
		this.notes.saveAll(notes);
		List<String> reads = new CopyOnWriteArrayList<>();
		String table = application().getKeyValueAdapter().table(Note.class).keyspace();
		Notes counted = repository(application(counted(this.database, table, reads)), Notes.class);
		counted.count();
		reads.clear();
		assertThat(counted.findByTitle("Milk")).isEqualTo(notes);
		assertThat(reads).hasSizeBetween(1, 10);
		reads.clear();
		assertThat(counted.findByIdIn(notes.stream().map(Note::id).toList())).hasSize(300);
		assertThat(reads).hasSizeBetween(1, 10);
	}

	@Test
	void whatIsTooLargeForOneReadingIsFoundAllTheSame() {
		String half = "x".repeat(7 * 1024 * 1024);
		List<Note> notes = new ArrayList<>();
		for (String id : List.of("1", "2", "3", "4", "5", "6")) {
			notes.add(this.notes.save(new Note(id, "Milk", false, 0, null, Set.of(), half)));
		}
		assertThat(this.notes.findByTitle("Milk")).isEqualTo(notes);
	}

	@Test
	void moreThanOneWhereOneWasAskedForIsAnError() {
		this.notes.saveAll(List.of(Note.of("1", "Milk"), Note.of("2", "Milk")));
		assertThatExceptionOfType(IncorrectResultSizeDataAccessException.class)
			.isThrownBy(() -> this.notes.findOneByTitle("Milk"))
			.withMessageContaining("findFirst");
	}

	@Test
	void pagesAndSlicesSayWhatComesAfterThem() {
		List<Note> many = ten();
		Page<Note> page = this.notes.findByPriorityGreaterThanEqual(3, PageRequest.of(1, 3, Sort.by("priority")));
		assertThat(page.getContent()).containsExactlyElementsOf(many.subList(6, 9));
		assertThat(page.getTotalElements()).isEqualTo(7);
		assertThat(page.hasNext()).isTrue();
		Page<Note> last = this.notes.findByPriorityGreaterThanEqual(3, page.nextPageable());
		assertThat(last.getContent()).containsExactly(many.get(9));
		assertThat(last.hasNext()).isFalse();
		Pageable pageable = PageRequest.of(0, 2, Sort.by("priority").descending());
		Slice<Note> slice = this.notes.findSliceByPriorityLessThan(4, pageable);
		assertThat(slice.getContent()).containsExactly(many.get(3), many.get(2));
		assertThat(slice.hasNext()).isTrue();
		Slice<Note> rest = this.notes.findSliceByPriorityLessThan(4, slice.nextPageable());
		assertThat(rest.getContent()).containsExactly(many.get(1), many.get(0));
		assertThat(rest.hasNext()).isFalse();
		assertThat(this.notes.findSliceByPriorityLessThan(4, Pageable.unpaged())).hasSize(4);
	}

	@Test
	void allAreSortedAndPaged() {
		List<Note> many = ten();
		assertThat(this.notes.findAll(Sort.by("title").descending().and(Sort.by("id")))).extracting(Note::id)
			.containsExactly("2", "5", "8", "1", "4", "7", "0", "3", "6", "9");
		Page<Note> page = this.notes.findAll(PageRequest.of(1, 4, Sort.by("id").descending()));
		assertThat(page.getContent()).extracting(Note::id).containsExactly("5", "4", "3", "2");
		assertThat(page.getTotalElements()).isEqualTo(10);
		assertThat(this.notes.findAll(PageRequest.of(2, 4)).getContent()).hasSize(2);
		assertThat(this.notes.findAll(Pageable.unpaged(Sort.by("priority").descending()))).hasSize(10)
			.first()
			.isEqualTo(many.get(9));
		assertThat(this.notes.findAllById(List.of("3", "x", "1"))).extracting(Note::id).containsExactly("3", "1");
	}

	@Test
	void aSortAndALimitMayBeArguments() {
		this.notes.saveAll(List.of(Note.of("1", "b"), Note.of("2", "a"), Note.of("3", "c")));
		assertThat(this.notes.findByPriority(0, Sort.by("title"), Limit.of(2))).extracting(Note::id)
			.containsExactly("2", "1");
		assertThat(this.notes.findByPriority(0, Sort.unsorted(), Limit.unlimited())).hasSize(3);
	}

	@Test
	void aStreamIsReadAsItIsConsumed() {
		List<Note> many = IntStream.range(0, 3000)
			.mapToObj((i) -> new Note("%04d".formatted(i), null, false, i, null, Set.of(), null))
			.toList();
		this.notes.saveAll(many);
		try (Stream<Note> stream = this.notes.streamByPriorityGreaterThan(9)) {
			Iterator<Note> iterator = stream.iterator();
			assertThat(iterator.next().priority()).isEqualTo(10);
			this.notes.deleteById("2999");
			int count = 1;
			while (iterator.hasNext()) {
				iterator.next();
				count++;
			}
			assertThat(count).isEqualTo(2989);
		}
	}

	@Test
	void anIterableIsReadAsItIsIteratedAndEachTimeAgain() {
		Books books = repository(Books.class);
		Iterable<Book> all = books.findAll();
		assertThat(all).isEmpty();
		for (int i = 0; i < 200; i++) {
			books.save(new Book(0, "b" + i));
		}
		assertThat(all).hasSize(200);
		Iterator<Book> iterator = all.iterator();
		iterator.next();
		books.deleteAll();
		int rest = 0;
		while (iterator.hasNext()) {
			iterator.next();
			rest++;
		}
		assertThat(rest).as("what was read before it was deleted").isBetween(1, 198);
	}

	@Test
	void idsThatAreNumbersAreMadeAndOrdered() {
		Books books = repository(Books.class);
		Book saved = books.save(new Book(0, "any"));
		assertThat(saved.id()).isPositive();
		assertThat(books.findById(saved.id())).contains(saved);
		books.deleteAll();
		for (long id : new long[] { 10, 9, -1, 100 }) {
			books.save(new Book(id, "b"));
		}
		assertThat(books.findAll()).extracting(Book::id).containsExactly(-1L, 9L, 10L, 100L);
		assertThat(books.findAllByOrderByIdDesc()).extracting(Book::id).containsExactly(100L, 10L, 9L, -1L);
	}

	@Test
	void aQueryMayReturnAPartOfAnEntity() {
		this.notes.save(Note.of("1", "Milk"));
		assertThat(this.notes.findProjectedByTitle("Milk")).extracting(Notes.TitleOnly::getTitle)
			.containsExactly("Milk");
		assertThat(this.notes.findByPriority(0, Notes.TitleOnly.class)).extracting(Notes.TitleOnly::getTitle)
			.containsExactly("Milk");
		assertThat(this.notes.findByPriority(0, Note.class)).containsExactly(Note.of("1", "Milk"));
	}

	@Test
	void aDeleteByNameSaysWhatItDeleted() {
		this.notes.saveAll(ten());
		assertThat(this.notes.deleteByTitle("t0")).isEqualTo(4);
		assertThat(this.notes.removeByPriority(1)).extracting(Note::id).containsExactly("1");
		this.notes.deleteByText("text 2");
		assertThat(this.notes.findAll()).extracting(Note::id).containsExactly("4", "5", "7", "8");
		assertThat(this.notes.deleteByTitle("t0")).isZero();
		assertRowsMatch(Note.class);
	}

	private List<Note> ten() {
		return this.notes.saveAll(IntStream.range(0, 10)
			.mapToObj((i) -> new Note("" + i, "t" + i % 3, false, i, null, Set.of(), "text " + i))
			.toList());
	}

}
