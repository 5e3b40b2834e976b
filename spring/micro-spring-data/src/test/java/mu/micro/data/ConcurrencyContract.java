package mu.micro.data;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.OptimisticLockingFailureException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Many threads of several applications at once: no row without its entity and no entity
 * without its rows, no lost update and no value twice that is unique.
 */
abstract class ConcurrencyContract extends DataContract {

	private static final int THREADS = 6;

	private static final int ROUNDS = 150;

	@Test
	void whateverIsWrittenAtOnceRowsAndEntitiesMatch() throws Exception {
		List<Notes> applications = List.of(repository(Notes.class), repository(Notes.class), repository(Notes.class));
		atOnce((thread) -> {
			Notes notes = applications.get(thread % applications.size());
			Random random = new Random(thread);
			for (int i = 0; i < ROUNDS; i++) {
				switch (random.nextInt(8)) {
					case 0 -> notes.deleteById("" + random.nextInt(10));
					case 1 -> notes.saveAll(List.of(note(random), note(random), note(random)));
					case 2 -> notes.deleteByTitle("t" + random.nextInt(5));
					case 3 -> {
						if (random.nextInt(20) == 0) {
							notes.deleteAll();
						}
					}
					default -> notes.save(note(random));
				}
			}
			return null;
		});
		assertThat(assertRowsMatch(Note.class)).isPositive();
	}

	@Test
	void aQueryNeverReturnsWhatDoesNotMeetItsCondition() throws Exception {
		Notes writer = repository(Notes.class);
		Notes reader = repository(Notes.class);
		writer.save(new Note("always", "t1", false, 1, null, Set.of("x"), null));
		atOnce((thread) -> {
			Random random = new Random(thread);
			for (int i = 0; i < ROUNDS; i++) {
				if (thread % 2 == 0) {
					writer.save(note(random));
					continue;
				}
				assertThat(reader.findByTitle("t1")).allMatch((note) -> "t1".equals(note.title()))
					.extracting(Note::id)
					.contains("always")
					.doesNotHaveDuplicates();
				assertThat(reader.findByTagsContaining("x")).allMatch((note) -> note.tags().contains("x"));
				assertThat(reader.existsByTitle("t1")).isTrue();
			}
			return null;
		});
	}

	@Test
	void noUpdateIsLostWhereVersionsAreCompared() throws Exception {
		List<Accounts> applications = List.of(repository(Accounts.class), repository(Accounts.class));
		applications.get(0).save(new Account("1", 0, "a@x", 0));
		atOnce((thread) -> {
			Accounts accounts = applications.get(thread % 2);
			for (int i = 0; i < 30; i++) {
				boolean done = false;
				while (!done) {
					Account account = accounts.findById("1").orElseThrow();
					try {
						accounts.save(account.withBalance(account.balance() + 1));
						done = true;
					}
					catch (OptimisticLockingFailureException ex) {
						assertThat(ex).hasMessageContaining("read it again");
					}
				}
			}
			return null;
		});
		assertThat(applications.get(1).findById("1").orElseThrow().balance()).isEqualTo(30 * THREADS);
		assertRowsMatch(Account.class);
	}

	@Test
	void whoeverWantsAUniqueValueOneHasIt() throws Exception {
		List<Accounts> applications = List.of(repository(Accounts.class), repository(Accounts.class));
		AtomicInteger refused = new AtomicInteger();
		atOnce((thread) -> {
			Accounts accounts = applications.get(thread % 2);
			Random random = new Random(thread);
			for (int i = 0; i < ROUNDS; i++) {
				String id = thread + "-" + random.nextInt(3);
				String email = random.nextInt(4) + "@x";
				try {
					Account account = accounts.findById(id).orElse(new Account(id, 0, null, 0));
					if (random.nextInt(3) == 0 && account.version() > 0) {
						accounts.delete(account);
					}
					else {
						accounts.save(account.withEmail(email));
					}
				}
				catch (DuplicateKeyException ex) {
					refused.incrementAndGet();
				}
			}
			return null;
		});
		assertThat(refused.get()).isPositive();
		assertThat(applications.get(0).findAll()).extracting(Account::email).doesNotHaveDuplicates();
		assertThat(assertRowsMatch(Account.class)).isPositive();
	}

	@Test
	void versionsOfAnApplicationMayComeAndGoWhileOthersWrite() throws Exception {
		Items.OfPlain plain = repository(Items.OfPlain.class);
		Items.OfTitled titled = repository(Items.OfTitled.class);
		List<DatabaseTemplate> starting = new ArrayList<>();
		for (int i = 0; i < 20; i++) {
			starting.add(application());
		}
		atOnce((thread) -> {
			Random random = new Random(thread);
			for (int i = 0; i < ROUNDS; i++) {
				String id = "" + random.nextInt(40);
				String title = "t" + random.nextInt(4);
				switch (thread) {
					case 0 -> {
						if (i < starting.size()) {
							Class<?> version = (i % 2 == 0) ? Items.OfTitled.class : Items.OfPlain.class;
							repository(starting.get(i), version);
						}
					}
					case 1 -> plain.save(new Items.Plain(id, title, i));
					case 2 -> titled.save(new Items.Titled(id, title, i));
					case 3 -> plain.deleteById(id);
					default -> {
						titled.save(new Items.Titled("mine-" + thread, title, i));
						assertThat(titled.findByTitle(title)).extracting(Items.Titled::id).contains("mine-" + thread);
					}
				}
			}
			return null;
		});
		repository(Items.OfTitled.class);
		assertRowsMatch(Items.Titled.class);
	}

	private static Note note(Random random) {
		return new Note("" + random.nextInt(10), "t" + random.nextInt(5), random.nextBoolean(), random.nextInt(3), null,
				random.nextBoolean() ? Set.of("x", "y" + random.nextInt(3)) : Set.of(), null);
	}

	private static void atOnce(Work work) throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(THREADS);
		try {
			List<Callable<@Nullable Object>> calls = new ArrayList<>();
			for (int i = 0; i < THREADS; i++) {
				int thread = i;
				calls.add(() -> work.run(thread));
			}
			for (Future<@Nullable Object> each : threads.invokeAll(calls, 5, TimeUnit.MINUTES)) {
				each.get();
			}
		}
		finally {
			threads.shutdownNow();
		}
	}

	private interface Work {

		@Nullable Object run(int thread) throws Exception;

	}

}
