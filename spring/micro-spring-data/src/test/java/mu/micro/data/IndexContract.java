package mu.micro.data;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import mu.micro.MicroException;
import mu.micro.data.Items.Coded;
import mu.micro.data.Items.Extended;
import mu.micro.data.Items.OfCoded;
import mu.micro.data.Items.OfExtended;
import mu.micro.data.Items.OfPlain;
import mu.micro.data.Items.OfRetyped;
import mu.micro.data.Items.OfSized;
import mu.micro.data.Items.OfTitled;
import mu.micro.data.Items.OfUnique;
import mu.micro.data.Items.Plain;
import mu.micro.data.Items.Retyped;
import mu.micro.data.Items.Sized;
import mu.micro.data.Items.Titled;
import mu.micro.data.Items.Unique;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

import org.springframework.dao.ConcurrencyFailureException;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.dao.InvalidDataAccessResourceUsageException;
import org.springframework.dao.TransientDataAccessResourceException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Indexes that come and go while versions of an application follow each other, some of
 * them at the same time: whatever happens, a query finds what it should.
 */
abstract class IndexContract extends DataContract {

	@Test
	void anIndexThatIsNewIsBuiltWhenItsVersionStarts() {
		OfPlain plain = repository(OfPlain.class);
		plain.saveAll(items(2500));
		OfTitled titled = repository(OfTitled.class);
		assertThat(assertRowsMatch(Titled.class)).isEqualTo(2500);
		assertThat(titled.findByTitle("t3")).hasSize(250);
		assertThat(titled.countByTitle("t3")).isEqualTo(250);
	}

	@Test
	void anOlderVersionKeepsUpWhatItDoesNotDeclare() {
		OfPlain plain = repository(OfPlain.class);
		plain.saveAll(items(20));
		OfTitled titled = repository(OfTitled.class);
		plain.save(new Plain("1", "changed", 0));
		plain.save(new Plain("x", "t2", 0));
		plain.deleteById("2");
		plain.saveAll(List.of(new Plain("y", "t2", 0), new Plain("12", "t2", 0)));
		assertThat(titled.findByTitle("changed")).extracting(Titled::id).containsExactly("1");
		assertThat(titled.findByTitle("t2")).extracting(Titled::id).containsExactly("12", "x", "y");
		assertThat(titled.findByTitle("t1")).extracting(Titled::id).containsExactly("11");
		assertRowsMatch(Titled.class);
		plain.deleteAll();
		assertThat(assertRowsMatch(Titled.class)).isZero();
	}

	@Test
	void whileAnIndexIsBuiltOthersWriteAndQueriesFindEverything() {
		OfPlain plain = repository(OfPlain.class);
		plain.saveAll(items(1500));
		OfTitled early = repository(application(this.database), OfTitled.class);
		repository(OfPlain.class);
		AtomicInteger batches = new AtomicInteger();
		Database busy = new FaultyDatabase(this.database, (writes) -> {
			if (isBuilding(writes)) {
				int batch = batches.incrementAndGet();
				String some = writes.get(0).write().key();
				plain.save(new Plain(some, "written " + batch, batch));
				plain.deleteById(writes.get(2).write().key());
				plain.save(new Plain("0-" + batch, "new", 0));
				plain.save(new Plain("z-" + batch, "new", 0));
				assertThat(early.findByTitle("written " + batch)).extracting(Titled::id).containsExactly(some);
				assertThat(early.findByTitle("new")).hasSize(2 * batch);
			}
		});
		OfTitled titled = repository(application(busy), OfTitled.class);
		assertThat(batches.get()).isGreaterThan(2);
		assertThat(titled.findByTitle("new")).hasSize(2 * batches.get());
		assertRowsMatch(Titled.class);
	}

	@Test
	void whatABuilderThatDiesHasBegunTheNextOneEnds() {
		OfPlain plain = repository(OfPlain.class);
		plain.saveAll(items(1500));
		AtomicInteger batches = new AtomicInteger();
		Database dying = new FaultyDatabase(this.database, (writes) -> {
			if (isBuilding(writes) && batches.incrementAndGet() > 1) {
				throw new MicroException.Unavailable("dead");
			}
		});
		OfTitled started = repository(application(dying), OfTitled.class);
		plain.save(new Plain("1", "changed", 0));
		plain.deleteById("13");
		assertThat(batches.get()).isEqualTo(2);
		assertThatExceptionOfType(TransientDataAccessResourceException.class)
			.isThrownBy(() -> started.findByTitle("changed"));
		OfTitled next = repository(OfTitled.class);
		assertThat(next.findByTitle("changed")).hasSize(1);
		assertThat(next.findByTitle("t3")).hasSize(149);
		assertRowsMatch(Titled.class);
	}

	@Test
	void severalInstancesMayBuildAtOnce() throws Exception {
		repository(OfPlain.class).saveAll(items(2000));
		ExecutorService threads = Executors.newFixedThreadPool(4);
		try {
			List<Future<OfTitled>> started = new ArrayList<>();
			for (int i = 0; i < 4; i++) {
				DatabaseTemplate application = application();
				started.add(threads.submit(() -> repository(application, OfTitled.class)));
			}
			for (Future<OfTitled> each : started) {
				assertThat(each.get().findByTitle("t7")).hasSize(200);
			}
		}
		finally {
			threads.shutdownNow();
		}
		repository(OfTitled.class);
		assertThat(assertRowsMatch(Titled.class)).isEqualTo(2000);
	}

	@Test
	void anIndexThatAnOlderVersionCannotKeepUpIsDroppedAndBuiltAgain() {
		OfPlain plain = repository(OfPlain.class);
		plain.saveAll(items(50));
		OfExtended extended = repository(application(this.database, Duration.ofMillis(1)), OfExtended.class);
		extended.save(new Extended("a", "t1", 0, "done"));
		extended.save(new Extended("b", "t1", 0, "done"));
		assertThat(extended.findByStatus("open")).hasSize(50);
		plain.save(new Plain("a", "t1", 1));
		plain.save(new Plain("c", "t1", 1));
		assertThat(extended.findByStatus("open")).hasSize(52);
		assertThat(extended.findByStatus("done")).extracting(Extended::id).containsExactly("b");
		assertThat(extended.findByTitle("t1")).hasSize(8);
		EntityTable table = application().getKeyValueAdapter().table(Extended.class);
		Awaitility.await().untilAsserted(() -> {
			extended.findByStatus("open");
			assertThat(table.catalog().latest().definitions()).hasSize(2).allMatch(IndexDefinition::isReady);
		});
		assertThat(extended.findByStatus("open")).hasSize(52);
		assertRowsMatch(Extended.class);
	}

	@Test
	void anOlderVersionDoesNotWriteWhereValuesWouldNotBeUniqueAnyMore() {
		OfPlain plain = repository(OfPlain.class);
		plain.save(new Plain("1", "a", 0));
		OfCoded coded = repository(OfCoded.class);
		coded.save(new Coded("2", "a", 0, "c"));
		assertThatExceptionOfType(InvalidDataAccessResourceUsageException.class)
			.isThrownBy(() -> plain.save(new Plain("3", "a", 0)))
			.withMessageContaining("[code]");
		assertThatExceptionOfType(InvalidDataAccessResourceUsageException.class)
			.isThrownBy(() -> plain.deleteById("2"));
		assertThat(plain.findByTitle("a")).hasSize(2);
		assertThatExceptionOfType(DuplicateKeyException.class)
			.isThrownBy(() -> coded.save(new Coded("4", "a", 0, "c")));
		assertRowsMatch(Coded.class);
	}

	@Test
	void anEntityThatCannotHaveAnIndexKeepsItsVersionFromStartingAndNobodyElseFromWriting() {
		OfPlain plain = repository(OfPlain.class);
		String id = "x".repeat(600);
		plain.save(new Plain(id, "a", 0));
		DatabaseTemplate application = application();
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> repository(application, OfTitled.class))
			.withMessageContaining("500");
		plain.save(new Plain(id, "b", 0));
		long generation = latest().generation();
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> application.count(Titled.class));
		assertThat(latest().generation()).as("the failure is remembered").isEqualTo(generation);
		plain.deleteById(id);
		assertThat(repository(application, OfTitled.class).findAll()).isEmpty();
		assertRowsMatch(Titled.class);
	}

	private Indexes latest() {
		return new IndexCatalog(this.database, "items").latest();
	}

	@Test
	void whatNobodyDeclaresAnyMoreIsDroppedByTheNextStart() {
		OfTitled titled = repository(OfTitled.class);
		titled.saveAll(IntStream.range(0, 100).mapToObj((i) -> new Titled("" + i, "t" + i % 10, i)).toList());
		assertThat(titled.findByTitle("t1")).hasSize(10);
		OfPlain plain = repository(OfPlain.class);
		assertThat(assertRowsMatch(Plain.class)).isZero();
		assertThat(this.database.tables()).containsExactly(IndexCatalog.TABLE, "items");
		plain.save(new Plain("x", "t1", 0));
		assertThat(titled.findByTitle("t1")).hasSize(11);
		assertThat(titled.countByTitle("t1")).isEqualTo(11);
	}

	@Test
	void whoReadsByAnIndexThatIsDroppedIsTold() {
		OfTitled titled = repository(OfTitled.class);
		titled.saveAll(IntStream.range(0, 100).mapToObj((i) -> new Titled("" + i, "t" + i, i)).toList());
		Iterator<Titled> results = titled.streamByTitleNotNull().iterator();
		results.next();
		repository(OfPlain.class);
		assertThatExceptionOfType(ConcurrencyFailureException.class)
			.isThrownBy(() -> results.forEachRemaining((each) -> {
			}))
			.withMessageContaining("again");
		assertThat(titled.streamByTitleNotNull()).hasSize(100);
	}

	@Test
	void aUniqueIndexIsNotBuiltOverValuesThatAreNot() {
		OfPlain plain = repository(OfPlain.class);
		plain.saveAll(List.of(new Plain("1", "a", 0), new Plain("2", "b", 0), new Plain("3", "b", 0)));
		assertThatExceptionOfType(DuplicateKeyException.class).isThrownBy(() -> repository(OfUnique.class))
			.withMessageContaining("'2'")
			.withMessageContaining("'3'")
			.withMessageContaining("unique");
		plain.save(new Plain("4", "b", 0));
		plain.save(new Plain("4", "c", 0));
		plain.deleteById("3");
		OfUnique unique = repository(OfUnique.class);
		assertRowsMatch(Unique.class);
		assertThatExceptionOfType(DuplicateKeyException.class).isThrownBy(() -> plain.save(new Plain("5", "a", 0)));
		assertThat(unique.findByTitle("a")).hasSize(1);
	}

	@Test
	void whileAUniqueIndexIsBuiltValuesMayMove() {
		OfPlain plain = repository(OfPlain.class);
		plain.saveAll(IntStream.range(0, 1200).mapToObj((i) -> new Plain("%04d".formatted(i), "t" + i, i)).toList());
		AtomicInteger batches = new AtomicInteger();
		Database busy = new FaultyDatabase(this.database, (writes) -> {
			if (isBuilding(writes)) {
				int batch = batches.getAndIncrement();
				Plain first = plain.findById(writes.get(0).write().key()).orElseThrow();
				Plain later = plain.findById("%04d".formatted(1199 - batch)).orElseThrow();
				plain.save(new Plain(later.id(), "moved " + batch, 0));
				plain.save(new Plain(first.id(), later.title(), 0));
				assertThatExceptionOfType(DuplicateKeyException.class)
					.isThrownBy(() -> plain.save(new Plain("x", later.title(), 0)));
			}
		});
		repository(application(busy), OfUnique.class);
		assertThat(batches.get()).isGreaterThan(2);
		assertThat(assertRowsMatch(Unique.class)).isEqualTo(1200);
	}

	@Test
	void whileAUniqueIndexIsBuiltWhoGivesUpAValueLeavesItToWhoHasItsRow() {
		OfPlain plain = repository(OfPlain.class);
		plain.saveAll(IntStream.range(0, 1200)
			.mapToObj((i) -> new Plain("%04d".formatted(i), (i % 1199 == 0) ? "both" : "t" + i, i))
			.toList());
		AtomicInteger batches = new AtomicInteger();
		Database busy = new FaultyDatabase(this.database, (writes) -> {
			if (isBuilding(writes) && batches.incrementAndGet() == 2) {
				plain.save(new Plain("1199", "another", 0));
			}
		});
		OfUnique unique = repository(application(busy), OfUnique.class);
		assertThat(unique.findByTitle("both")).extracting(Unique::id).containsExactly("0000");
		assertThat(assertRowsMatch(Unique.class)).isEqualTo(1200);
	}

	@Test
	void anIndexMayBecomeUniqueAndOrdinaryAgain() {
		OfTitled titled = repository(OfTitled.class);
		titled.save(new Titled("1", "a", 0));
		OfUnique unique = repository(OfUnique.class);
		assertThatExceptionOfType(DuplicateKeyException.class).isThrownBy(() -> titled.save(new Titled("2", "a", 0)));
		assertThat(titled.findByTitle("a")).hasSize(1);
		assertThat(titled.countByTitle("a")).isEqualTo(1);
		OfTitled again = repository(OfTitled.class);
		again.save(new Titled("2", "a", 0));
		unique.save(new Unique("3", "a", 0));
		assertThat(unique.findByTitle("a")).hasSize(3);
		assertRowsMatch(Titled.class);
	}

	@Test
	void aPropertyOfAnotherTypeHasAnotherIndex() {
		OfSized sized = repository(OfSized.class);
		sized.saveAll(List.of(new Sized("1", null, 1), new Sized("2", null, 20), new Sized("3", null, 3)));
		OfRetyped retyped = repository(OfRetyped.class);
		assertThat(retyped.findBySizeGreaterThan(1.5)).extracting(Retyped::id).containsExactly("3", "2");
		assertRowsMatch(Retyped.class);
		sized.save(new Sized("4", null, 4));
		assertThat(sized.findBySizeGreaterThan(2)).extracting(Sized::id).containsExactlyInAnyOrder("2", "3", "4");
		assertThat(retyped.findBySizeGreaterThan(3.5)).extracting(Retyped::id).containsExactlyInAnyOrder("2", "4");
	}

	@Test
	void aDatabaseThatIsAwayDelaysNoStart() throws Exception {
		AtomicBoolean away = new AtomicBoolean(true);
		repository(OfPlain.class).saveAll(items(10));
		Database database = new FaultyDatabase(this.database, (writes) -> {
			if (away.get()) {
				throw new MicroException.Unavailable("away");
			}
		});
		OfTitled titled = repository(application(database), OfTitled.class);
		away.set(false);
		assertThat(titled.findByTitle("t1")).hasSize(1);
		assertRowsMatch(Titled.class);
		Databases closed = open(this.clock);
		Database nothing = closed.in("data");
		closed.close();
		assertThatCode(() -> repository(application(nothing), OfTitled.class)).doesNotThrowAnyException();
		OfTitled unreachable = repository(application(nothing), OfTitled.class);
		assertThatExceptionOfType(TransientDataAccessResourceException.class).isThrownBy(unreachable::findAll);
	}

	private static boolean isBuilding(List<TableWrite> writes) {
		TableWrite first = writes.get(0);
		return first.table().contains("::") && first.write().when() == When.ABSENT && writes.size() > 10;
	}

	private static List<Plain> items(int count) {
		return IntStream.range(0, count).mapToObj((i) -> new Plain("" + i, "t" + i % 10, i)).toList();
	}

}
