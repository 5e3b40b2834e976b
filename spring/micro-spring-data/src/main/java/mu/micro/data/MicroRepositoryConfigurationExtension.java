package mu.micro.data;

import java.lang.annotation.Annotation;
import java.util.Collection;
import java.util.List;

import mu.micro.store.Database;

import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.RuntimeBeanReference;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.beans.factory.support.BeanDefinitionBuilder;
import org.springframework.data.config.ParsingUtils;
import org.springframework.data.keyvalue.annotation.KeySpace;
import org.springframework.data.keyvalue.repository.config.KeyValueRepositoryConfigurationExtension;
import org.springframework.data.repository.config.RepositoryConfigurationSource;

/**
 * Finds repositories and makes their beans. Unless there is a bean {@value #TEMPLATE},
 * one is made from the {@link Database}. Beside other modules of Spring Data it takes the
 * repositories whose entities have a {@link KeySpace}, or that are a
 * {@link org.springframework.data.keyvalue.repository.KeyValueRepository}.
 */
public class MicroRepositoryConfigurationExtension extends KeyValueRepositoryConfigurationExtension {

	/**
	 * The name of the bean that repositories work with.
	 */
	public static final String TEMPLATE = "databaseTemplate";

	@Override
	public String getModuleName() {
		return "Micro";
	}

	@Override
	protected String getModulePrefix() {
		return "micro";
	}

	@Override
	public String getRepositoryFactoryBeanClassName() {
		return MicroRepositoryFactoryBean.class.getName();
	}

	@Override
	protected String getDefaultKeyValueTemplateRef() {
		return TEMPLATE;
	}

	@Override
	protected Collection<Class<? extends Annotation>> getIdentifyingAnnotations() {
		return List.of(KeySpace.class);
	}

	@Override
	protected AbstractBeanDefinition getDefaultKeyValueTemplateBeanDefinition(RepositoryConfigurationSource source) {
		BeanDefinitionBuilder template = BeanDefinitionBuilder.rootBeanDefinition(DatabaseTemplate.class)
			.addConstructorArgValue(new RuntimeBeanReference(Database.class))
			.addConstructorArgReference(getMappingContextBeanRef());
		template.setRole(BeanDefinition.ROLE_SUPPORT);
		// The store is opened by the first repository, not by the class path.
		template.setLazyInit(true);
		return ParsingUtils.getSourceBeanDefinition(template, source.getSource());
	}

}
