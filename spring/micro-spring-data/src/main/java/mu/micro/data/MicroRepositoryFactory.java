package mu.micro.data;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import org.springframework.data.keyvalue.repository.support.KeyValueRepositoryFactory;
import org.springframework.data.repository.core.RepositoryInformation;
import org.springframework.data.repository.core.RepositoryMetadata;
import org.springframework.data.repository.query.QueryLookupStrategy;
import org.springframework.data.repository.query.QueryMethod;
import org.springframework.data.repository.query.ValueExpressionDelegate;

/**
 * Makes repositories over a {@link mu.micro.store.Database}.
 */
public class MicroRepositoryFactory extends KeyValueRepositoryFactory {

	private final DatabaseAdapter adapter;

	/**
	 * A factory.
	 * @param template what repositories work with
	 */
	public MicroRepositoryFactory(DatabaseTemplate template) {
		super(template);
		this.adapter = template.getKeyValueAdapter();
	}

	/**
	 * Prepares the indexes of the repository's type before anyone can use it.
	 */
	@Override
	protected Object getTargetRepository(RepositoryInformation information) {
		this.adapter.prepare(information.getDomainType());
		return super.getTargetRepository(information);
	}

	@Override
	protected Class<?> getRepositoryBaseClass(RepositoryMetadata metadata) {
		boolean iterable = Arrays.stream(metadata.getRepositoryInterface().getMethods())
			.filter((method) -> method.getName().equals("findAll") && method.getParameterCount() == 0)
			.map(Method::getReturnType)
			.allMatch(Iterable.class::equals);
		return iterable ? DatabaseRepository.class : ListDatabaseRepository.class;
	}

	@Override
	protected Optional<QueryLookupStrategy> getQueryLookupStrategy(QueryLookupStrategy.@Nullable Key key,
			ValueExpressionDelegate delegate) {
		return Optional.of((method, metadata, projections,
				names) -> new DerivedQuery(new QueryMethod(method, metadata, projections), this.adapter));
	}

}
