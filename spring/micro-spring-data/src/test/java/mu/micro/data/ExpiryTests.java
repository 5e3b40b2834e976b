package mu.micro.data;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.data.annotation.Id;
import org.springframework.data.keyvalue.annotation.KeySpace;
import org.springframework.data.repository.ListCrudRepository;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Entities that are gone by themselves, at the same moment for reads and queries.
 */
class ExpiryTests extends DataContract {

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
	void anEntityIsGoneAtItsInstant() {
		Sessions sessions = repository(Sessions.class);
		sessions.save(new Session("1", "ada", this.clock.instant().plusSeconds(10)));
		sessions.save(new Session("2", "ada", null));
		assertThat(sessions.countByOwner("ada")).isEqualTo(2);
		this.clock.advance(Duration.ofMillis(9_999));
		assertThat(sessions.findByOwner("ada")).hasSize(2);
		this.clock.advance(Duration.ofMillis(1));
		assertThat(sessions.findById("1")).isEmpty();
		assertThat(sessions.findByOwner("ada")).extracting(Session::id).containsExactly("2");
		assertThat(sessions.countByOwner("ada")).isEqualTo(1);
		assertThat(sessions.count()).isEqualTo(1);
	}

	@Test
	void aSaveMovesTheEnd() {
		Sessions sessions = repository(Sessions.class);
		Instant start = this.clock.instant();
		sessions.save(new Session("1", "ada", start.plusSeconds(10)));
		sessions.save(new Session("1", "ada", start.plusSeconds(20)));
		this.clock.advance(Duration.ofSeconds(15));
		assertThat(sessions.findByOwner("ada")).hasSize(1);
		sessions.save(new Session("1", "ada", null));
		this.clock.advance(Duration.ofDays(10_000));
		assertThat(sessions.findByOwner("ada")).hasSize(1);
	}

	@Test
	void whatIsOverWhenItIsSavedIsGoneAtOnce() {
		Sessions sessions = repository(Sessions.class);
		sessions.save(new Session("1", "ada", null));
		sessions.save(new Session("1", "ada", this.clock.instant().minusSeconds(1)));
		this.clock.advance(Duration.ofMillis(1));
		assertThat(sessions.findAll()).isEmpty();
		sessions.save(new Session("2", "ada", Instant.MAX));
		this.clock.advance(Duration.ofDays(36_000));
		assertThat(sessions.findAll()).hasSize(1);
	}

	@Test
	void aDurationIsCountedFromEachSave() {
		DatabaseTemplate template = application();
		template.insert(new Code("1", Duration.ofMinutes(5)));
		this.clock.advance(Duration.ofMinutes(4));
		template.update(new Code("1", Duration.ofMinutes(5)));
		this.clock.advance(Duration.ofMinutes(4));
		assertThat(template.findById("1", Code.class)).isPresent();
		this.clock.advance(Duration.ofMinutes(1));
		assertThat(template.findById("1", Code.class)).isEmpty();
	}

	@Test
	void aUniqueValueIsFreeAsSoonAsItsEntityIsGone() {
		DatabaseTemplate template = application();
		template.insert(new Seat("1", "A1", this.clock.instant().plusSeconds(10)));
		this.clock.advance(Duration.ofSeconds(10));
		template.insert(new Seat("2", "A1", this.clock.instant().plusSeconds(10)));
		this.clock.advance(Duration.ofMillis(9_999));
		template.update(new Seat("2", "A1", this.clock.instant().plusSeconds(10)));
		this.clock.advance(Duration.ofSeconds(10));
		template.insert(new Seat("2", "A1", null));
		this.clock.advance(Duration.ofDays(1));
		assertRowsMatch(Seat.class);
	}

	@Test
	void anIndexThatIsBuiltLaterExpiresToo() {
		DatabaseTemplate before = application();
		before.insert(new Unindexed("1", "ada", this.clock.instant().plusSeconds(10)));
		before.insert(new Unindexed("2", "ada", null));
		Sessions sessions = repository(Sessions.class);
		assertThat(sessions.findByOwner("ada")).hasSize(2);
		this.clock.advance(Duration.ofSeconds(10));
		assertThat(sessions.findByOwner("ada")).extracting(Session::id).containsExactly("2");
		this.clock.advance(EntityTable.SLACK);
		assertRowsMatch(Session.class);
		List<Entry> rows = this.database.tables()
			.stream()
			.filter((table) -> table.startsWith("sessions:"))
			.flatMap((table) -> entries(table).stream())
			.toList();
		assertThat(rows).hasSize(1);
	}

	@KeySpace("sessions")
	record Unindexed(@Id String id, String owner, @Expires @Nullable Instant end) {
	}

	@KeySpace("sessions")
	record Session(@Id String id, @Indexed String owner, @Expires @Nullable Instant end) {
	}

	record Code(@Id String id, @Expires Duration life) {
	}

	record Seat(@Id String id, @Indexed(unique = true) String number, @Expires @Nullable Instant end) {
	}

	interface Sessions extends ListCrudRepository<Session, String> {

		List<Session> findByOwner(String owner);

		long countByOwner(String owner);

	}

}
