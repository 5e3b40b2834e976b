package mu.micro.autoconfigure;

import java.lang.annotation.Annotation;

import mu.micro.data.EnableMicroRepositories;
import mu.micro.data.MicroRepositoryConfigurationExtension;
import mu.micro.data.MicroRepositoryFactoryBean;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.data.AbstractRepositoryConfigurationSourceSupport;
import org.springframework.context.annotation.Import;
import org.springframework.data.repository.config.RepositoryConfigurationExtension;

/**
 * Spring Data repositories over the store, in the application's packages.
 */
@AutoConfiguration(after = StoreAutoConfiguration.class)
@ConditionalOnClass(EnableMicroRepositories.class)
@ConditionalOnMissingBean(MicroRepositoryFactoryBean.class)
@Import(RepositoriesAutoConfiguration.Registrar.class)
public final class RepositoriesAutoConfiguration {

	static class Registrar extends AbstractRepositoryConfigurationSourceSupport {

		@Override
		protected Class<? extends Annotation> getAnnotation() {
			return EnableMicroRepositories.class;
		}

		@Override
		protected Class<?> getConfiguration() {
			return Enabled.class;
		}

		@Override
		protected RepositoryConfigurationExtension getRepositoryConfigurationExtension() {
			return new MicroRepositoryConfigurationExtension();
		}

	}

	@EnableMicroRepositories
	private static final class Enabled {

	}

}
