package mu.micro.data;

import java.lang.annotation.Annotation;

import org.springframework.data.repository.config.RepositoryBeanDefinitionRegistrarSupport;
import org.springframework.data.repository.config.RepositoryConfigurationExtension;

/**
 * What {@link EnableMicroRepositories} enables.
 */
class MicroRepositoriesRegistrar extends RepositoryBeanDefinitionRegistrarSupport {

	@Override
	protected Class<? extends Annotation> getAnnotation() {
		return EnableMicroRepositories.class;
	}

	@Override
	protected RepositoryConfigurationExtension getExtension() {
		return new MicroRepositoryConfigurationExtension();
	}

}
