package mu.micro.data;

import java.util.function.Supplier;

import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

import org.springframework.dao.DataAccessException;
import org.springframework.dao.DataRetrievalFailureException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.dao.InvalidDataAccessResourceUsageException;
import org.springframework.dao.OptimisticLockingFailureException;
import org.springframework.dao.PermissionDeniedDataAccessException;
import org.springframework.dao.QueryTimeoutException;
import org.springframework.dao.RecoverableDataAccessException;
import org.springframework.dao.TransientDataAccessResourceException;
import org.springframework.dao.support.PersistenceExceptionTranslator;
import org.springframework.data.keyvalue.core.UncategorizedKeyValueException;

/**
 * Turns each kind of {@link MicroException} into the kind of {@link DataAccessException}
 * after which one acts alike. What may be tried again as it is, is a
 * {@link org.springframework.dao.TransientDataAccessException}. After an unknown outcome,
 * a {@link RecoverableDataAccessException}, read first.
 */
public final class MicroExceptionTranslator implements PersistenceExceptionTranslator {

	@Override
	public @Nullable DataAccessException translateExceptionIfPossible(RuntimeException ex) {
		if (ex instanceof DataAccessException already) {
			return already;
		}
		return (ex instanceof MicroException micro) ? translate(micro) : null;
	}

	private static DataAccessException translate(MicroException ex) {
		String message = String.valueOf(ex.getMessage());
		if (ex instanceof MicroException.Conflict) {
			return new OptimisticLockingFailureException(message, ex);
		}
		if (ex instanceof MicroException.Unavailable || ex instanceof MicroException.Exhausted) {
			return new TransientDataAccessResourceException(message, ex);
		}
		if (ex instanceof MicroException.TimedOut) {
			return new QueryTimeoutException(message, ex);
		}
		if (ex instanceof MicroException.OutcomeUnknown) {
			return new RecoverableDataAccessException(message, ex);
		}
		if (ex instanceof MicroException.Invalid) {
			return new InvalidDataAccessApiUsageException(message, ex);
		}
		if (ex instanceof MicroException.Denied || ex instanceof MicroException.Unauthenticated) {
			return new PermissionDeniedDataAccessException(message, ex);
		}
		if (ex instanceof MicroException.NotFound) {
			return new DataRetrievalFailureException(message, ex);
		}
		if (ex instanceof MicroException.Unimplemented) {
			return new InvalidDataAccessResourceUsageException(message, ex);
		}
		return new UncategorizedKeyValueException(message, ex);
	}

	static <T extends @Nullable Object> T translated(Supplier<T> action) {
		try {
			return action.get();
		}
		catch (MicroException ex) {
			throw translate(ex);
		}
	}

}
