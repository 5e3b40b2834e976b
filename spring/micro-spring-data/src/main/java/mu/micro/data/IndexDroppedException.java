package mu.micro.data;

import org.springframework.dao.ConcurrencyFailureException;

/**
 * The index that a query reads by was dropped meanwhile. Another plan does without it.
 */
final class IndexDroppedException extends ConcurrencyFailureException {

	IndexDroppedException(String keyspace, IndexDefinition index) {
		super("the index of '" + keyspace + "' on '" + index.path()
				+ "' was dropped while a query used it; run the query again");
	}

}
