package mu.micro.data;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import mu.micro.MicroException;
import mu.micro.store.Database;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.context.PayloadApplicationEvent;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.data.keyvalue.core.event.KeyValueEvent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Versions, unique values, and what else a save or delete promises.
 */
abstract class WritingContract extends DataContract {

	private Accounts accounts;

	private Accounts others;

	@BeforeEach
	void makeRepositories() {
		this.accounts = repository(Accounts.class);
		this.others = repository(Accounts.class);
	}

	@Test
	void theVersionIsTheRevisionOfTheEntry() {
		Account saved = this.accounts.save(new Account("1", 0, "a@x", 5));
		assertThat(saved.version()).isEqualTo(this.database.table("mu.micro.data.Account").get("1").revision());
		assertThat(this.others.findById("1")).contains(saved);
		assertThat(this.others.findAll()).containsExactly(saved);
		assertThat(this.others.findByEmail("a@x")).contains(saved);
		Account again = this.accounts.save(saved.withBalance(6));
		assertThat(again.version()).isGreaterThan(saved.version());
		assertThat(this.others.findById("1")).contains(again);
	}

	@Test
	void whoReadAnOldVersionLosesAndChangesNothing() {
		Account saved = this.accounts.save(new Account("1", 0, "a@x", 5));
		Account newer = this.others.save(saved.withBalance(6));
		assertThatExceptionOfType(OptimisticLockingFailureException.class)
			.isThrownBy(() -> this.accounts.save(saved.withBalance(7)))
			.withMessageContaining("read it again");
		assertThatExceptionOfType(OptimisticLockingFailureException.class)
			.isThrownBy(() -> this.accounts.delete(saved));
		assertThat(this.accounts.findById("1")).contains(newer);
		assertRowsMatch(Account.class);
		this.accounts.delete(newer);
		assertThat(this.accounts.count()).isZero();
		assertRowsMatch(Account.class);
	}

	@Test
	void aNewOneDoesNotReplaceWhatIsThere() {
		Account saved = this.accounts.save(new Account("1", 0, "a@x", 5));
		assertThatExceptionOfType(OptimisticLockingFailureException.class)
			.isThrownBy(() -> this.others.save(new Account("1", 0, "b@x", 0)))
			.withMessageContaining("new");
		assertThat(this.accounts.findById("1")).contains(saved);
		assertRowsMatch(Account.class);
	}

	@Test
	void whatWasDeletedIsNotWrittenAgain() {
		Account saved = this.accounts.save(new Account("1", 0, "a@x", 5));
		this.others.deleteById("1");
		assertThatExceptionOfType(OptimisticLockingFailureException.class).isThrownBy(() -> this.accounts.save(saved))
			.withMessageContaining("not there");
		assertThatExceptionOfType(OptimisticLockingFailureException.class)
			.isThrownBy(() -> this.accounts.delete(saved));
		this.accounts.delete(new Account("1", 0, null, 0));
		assertThat(this.accounts.count()).isZero();
	}

	@Test
	void versionsWorkWithoutIndexesToo() {
		DatabaseTemplate template = application();
		Counted counted = new Counted();
		assertThat(template.insert(counted)).isSameAs(counted);
		assertThat(counted.id).isPositive();
		assertThat(counted.version).isPositive();
		Counted other = template.findById(counted.id, Counted.class).orElseThrow();
		other.count = 1;
		template.update(other);
		assertThatExceptionOfType(OptimisticLockingFailureException.class).isThrownBy(() -> template.update(counted));
		assertThatExceptionOfType(OptimisticLockingFailureException.class).isThrownBy(() -> template.delete(counted));
		Counted unread = new Counted();
		unread.id = counted.id;
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class).isThrownBy(() -> template.update(unread))
			.withMessageContaining("no version");
		assertThat(template.delete(unread)).isNull();
		assertThat(template.findById(counted.id, Counted.class).orElseThrow().count).isEqualTo(1);
		assertThat(template.delete(other)).isNotNull();
	}

	@Test
	void manyAreSavedWithTheirVersions() {
		List<Account> saved = this.accounts
			.saveAll(List.of(new Account(null, 0, "a@x", 1), new Account(null, 0, "b@x", 2)));
		assertThat(saved).allMatch((account) -> account.id() != null && account.version() > 0);
		List<Account> changed = this.accounts.saveAll(saved.stream().map((each) -> each.withBalance(9)).toList());
		assertThat(this.others.findAll()).containsExactlyInAnyOrderElementsOf(changed);
		assertThatExceptionOfType(OptimisticLockingFailureException.class)
			.isThrownBy(() -> this.accounts.saveAll(List.of(changed.get(0).withBalance(3), saved.get(1))));
		assertThat(this.others.findByBalanceLessThan(5)).extracting(Account::id).containsExactly(changed.get(0).id());
		assertRowsMatch(Account.class);
	}

	@Test
	void aUniqueValueHasOneEntity() {
		Account first = this.accounts.save(new Account("1", 0, "a@x", 1));
		assertThatExceptionOfType(DuplicateKeyException.class)
			.isThrownBy(() -> this.others.save(new Account("2", 0, "a@x", 2)))
			.withMessageContaining("'email'")
			.withMessageContaining("'1'");
		Account second = this.others.save(new Account("2", 0, "b@x", 2));
		assertThatExceptionOfType(DuplicateKeyException.class)
			.isThrownBy(() -> this.others.save(second.withEmail("a@x")));
		assertThat(this.accounts.findByEmail("a@x")).contains(first);
		assertThat(this.accounts.findByEmail("b@x")).contains(second);
		Account moved = this.accounts.save(first.withEmail("c@x"));
		Account taken = this.others.save(second.withEmail("a@x"));
		assertThat(this.accounts.findByEmail("a@x")).contains(taken);
		assertThat(this.accounts.findByEmail("b@x")).isEmpty();
		this.accounts.delete(moved);
		this.others.save(taken.withEmail("c@x"));
		assertRowsMatch(Account.class);
	}

	@Test
	void manyMayHaveNoUniqueValue() {
		this.accounts.saveAll(
				List.of(new Account("1", 0, null, 1), new Account("2", 0, null, 2), new Account("3", 0, "c@x", 3)));
		assertThat(this.accounts.countByEmailIsNotNull()).isEqualTo(1);
		assertRowsMatch(Account.class);
	}

	@Test
	void longUniqueValuesAreToldApart() {
		String begin = "a".repeat(300);
		Account first = this.accounts.save(new Account("1", 0, begin + "1", 1));
		Account second = this.accounts.save(new Account("2", 0, begin + "2", 2));
		assertThat(this.accounts.findByEmail(begin + "1")).contains(first);
		assertThat(this.accounts.findByEmail(begin + "2")).contains(second);
		assertThatExceptionOfType(DuplicateKeyException.class)
			.isThrownBy(() -> this.others.save(new Account("3", 0, begin + "2", 2)));
	}

	@Test
	void twoOfOneUniqueValueAreNotSavedTogether() {
		assertThatExceptionOfType(DuplicateKeyException.class).isThrownBy(() -> this.accounts.saveAll(
				List.of(new Account("1", 0, "a@x", 1), new Account("2", 0, "a@x", 2), new Account("3", 0, "c@x", 3))));
		assertThat(this.accounts.findAll()).extracting(Account::id).containsExactly("1");
		assertRowsMatch(Account.class);
	}

	@Test
	void whoeverIsOvertakenBeginsAgainWithTheRowsOfWhatIsThereThen() {
		Notes others = repository(Notes.class);
		others.save(Note.of("1", "Milk"));
		List<String> overtakes = new ArrayList<>(List.of("Bread", "Tea"));
		Database busy = new FaultyDatabase(this.database, (writes) -> {
			if (!overtakes.isEmpty() && writes.get(0).write().key().equals("1")) {
				others.save(Note.of("1", overtakes.remove(0)));
			}
		});
		Notes notes = repository(application(busy), Notes.class);
		notes.save(Note.of("1", "Jam"));
		assertThat(overtakes).isEmpty();
		assertThat(others.findById("1")).contains(Note.of("1", "Jam"));
		assertRowsMatch(Note.class);
		overtakes.add("Bread");
		notes.saveAll(List.of(Note.of("1", "Jam"), Note.of("2", "Jam")));
		assertThat(others.findByTitle("Jam")).hasSize(2);
		assertRowsMatch(Note.class);
		overtakes.add("Bread");
		notes.deleteById("1");
		overtakes.add("Bread");
		notes.deleteAll();
		assertThat(assertRowsMatch(Note.class)).isZero();
	}

	@Test
	void aCollectionHasUpToFourHundredElementsInAnIndex() {
		Notes notes = repository(Notes.class);
		notes.save(tagged(400, "a"));
		notes.save(tagged(400, "b"));
		assertThat(notes.findByTagsContaining("b7")).hasSize(1);
		assertThat(notes.findByTagsContaining("a7")).isEmpty();
		assertThatExceptionOfType(InvalidDataAccessApiUsageException.class)
			.isThrownBy(() -> notes.save(tagged(401, "c")))
			.withMessageContaining("'tags'")
			.withMessageContaining("400");
		assertRowsMatch(Note.class);
	}

	private static Note tagged(int count, String prefix) {
		return new Note("1", "Milk", false, 0, null,
				IntStream.range(0, count).mapToObj((i) -> prefix + i).collect(Collectors.toSet()), null);
	}

	@Test
	void anUnknownOutcomeIsToldAndNothingIsTriedAgain() {
		int[] calls = new int[1];
		Database unsure = new FaultyDatabase(this.database, (writes) -> {
			if (calls[0]++ == 0) {
				this.database.apply(writes);
				throw new MicroException.OutcomeUnknown("cut", null);
			}
		});
		Accounts over = repository(application(unsure), Accounts.class);
		assertThatExceptionOfType(RecoverableDataAccessException.class)
			.isThrownBy(() -> over.save(new Account("1", 0, "a@x", 1)));
		assertThat(this.accounts.findByEmail("a@x")).isPresent();
		assertRowsMatch(Account.class);
	}

	@Test
	void whatIsDoneIsPublished() {
		DatabaseTemplate template = application();
		List<String> events = new ArrayList<>();
		template.setApplicationEventPublisher((event) -> {
			Object told = (event instanceof PayloadApplicationEvent<?> payload) ? payload.getPayload() : event;
			events.add(told.getClass().getSimpleName() + " " + ((KeyValueEvent<?>) told).getSource());
		});
		Account saved = template.insert(new Account("1", 0, "a@x", 1));
		template.update(saved.withBalance(2));
		template.findById("1", Account.class);
		template.delete("1", Account.class);
		template.delete(template.insert(new Account("2", 0, "a@x", 1)));
		template.delete(Account.class);
		assertThat(events).containsExactly("BeforeInsertEvent 1", "AfterInsertEvent 1", "BeforeUpdateEvent 1",
				"AfterUpdateEvent 1", "BeforeGetEvent 1", "AfterGetEvent 1", "BeforeDeleteEvent 1",
				"AfterDeleteEvent 1", "BeforeInsertEvent 2", "AfterInsertEvent 2", "BeforeDeleteEvent 2",
				"AfterDeleteEvent 2", "BeforeDropKeySpaceEvent class mu.micro.data.Account",
				"AfterDropKeySpaceEvent class mu.micro.data.Account");
	}

}
