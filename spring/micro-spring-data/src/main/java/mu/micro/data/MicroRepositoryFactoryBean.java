package mu.micro.data;

import org.springframework.data.keyvalue.core.KeyValueOperations;
import org.springframework.data.keyvalue.repository.support.KeyValueRepositoryFactory;
import org.springframework.data.keyvalue.repository.support.KeyValueRepositoryFactoryBean;
import org.springframework.data.repository.Repository;
import org.springframework.data.repository.query.RepositoryQuery;
import org.springframework.data.repository.query.parser.AbstractQueryCreator;
import org.springframework.util.Assert;

/**
 * Makes a repository a bean.
 *
 * @param <T> the repository's interface
 * @param <S> the type of the entities
 * @param <ID> the type of their ids
 */
public class MicroRepositoryFactoryBean<T extends Repository<S, ID>, S, ID>
		extends KeyValueRepositoryFactoryBean<T, S, ID> {

	/**
	 * A bean.
	 * @param repositoryInterface the repository's interface
	 */
	public MicroRepositoryFactoryBean(Class<? extends T> repositoryInterface) {
		super(repositoryInterface);
	}

	@Override
	protected KeyValueRepositoryFactory createRepositoryFactory(KeyValueOperations operations,
			Class<? extends AbstractQueryCreator<?, ?>> queryCreator,
			Class<? extends RepositoryQuery> repositoryQueryType) {
		Assert.isInstanceOf(DatabaseTemplate.class, operations,
				"The bean that keyValueTemplateRef names is no DatabaseTemplate: ");
		return new MicroRepositoryFactory((DatabaseTemplate) operations);
	}

}
