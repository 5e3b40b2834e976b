package mu.micro.data;

import java.util.Map;

import mu.micro.MicroException;
import org.junit.jupiter.api.Test;

import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataRetrievalFailureException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.dao.InvalidDataAccessResourceUsageException;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.dao.PermissionDeniedDataAccessException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessException;
import org.springframework.dao.TransientDataAccessResourceException;
import org.springframework.data.keyvalue.core.UncategorizedKeyValueException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Each kind of exception has one place in Spring's hierarchy.
 */
class MicroExceptionTranslatorTests {

	private final MicroExceptionTranslator translator = new MicroExceptionTranslator();

	@Test
	void everyKindHasItsPlace() {
		Map<MicroException, Class<? extends DataAccessException>> places = Map.ofEntries(
				Map.entry(new MicroException.Invalid("m"), InvalidDataAccessApiUsageException.class),
				Map.entry(new MicroException.Unauthenticated("m"), PermissionDeniedDataAccessException.class),
				Map.entry(new MicroException.Denied("m"), PermissionDeniedDataAccessException.class),
				Map.entry(new MicroException.NotFound("m"), DataRetrievalFailureException.class),
				Map.entry(new MicroException.Conflict("m"), OptimisticLockingFailureException.class),
				Map.entry(new MicroException.Exhausted("m"), TransientDataAccessResourceException.class),
				Map.entry(new MicroException.Cancelled("m", null), UncategorizedKeyValueException.class),
				Map.entry(new MicroException.Internal("m", null), UncategorizedKeyValueException.class),
				Map.entry(new MicroException.Unimplemented("m"), InvalidDataAccessResourceUsageException.class),
				Map.entry(new MicroException.OutcomeUnknown("m", null), RecoverableDataAccessException.class),
				Map.entry(new MicroException.Unavailable("m"), TransientDataAccessResourceException.class),
				Map.entry(new MicroException.TimedOut("m", null), QueryTimeoutException.class));
		assertThat(places.keySet()).extracting(Object::getClass)
			.containsExactlyInAnyOrder((Class<?>[]) MicroException.class.getPermittedSubclasses());
		places.forEach(
				(ex, place) -> assertThat(this.translator.translateExceptionIfPossible(ex)).isExactlyInstanceOf(place)
					.hasCause(ex)
					.hasMessageContaining("m"));
	}

	@Test
	void whatIsUnclearIsNotTriedAgainBlindly() {
		assertThat(this.translator.translateExceptionIfPossible(new MicroException.OutcomeUnknown("m", null)))
			.isNotInstanceOf(TransientDataAccessException.class);
	}

	@Test
	void othersAreLeftAsTheyAre() {
		DataAccessException already = new QueryTimeoutException("m");
		assertThat(this.translator.translateExceptionIfPossible(already)).isSameAs(already);
		assertThat(this.translator.translateExceptionIfPossible(new IllegalStateException())).isNull();
	}

}
