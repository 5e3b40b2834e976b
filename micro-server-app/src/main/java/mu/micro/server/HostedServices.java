package mu.micro.server;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import mu.micro.MicroException;
import mu.micro.spring.MicroService;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.annotation.AnnotatedBeanDefinition;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.support.BeanDefinitionRegistry;
import org.springframework.beans.factory.support.BeanDefinitionRegistryPostProcessor;
import org.springframework.core.type.MethodMetadata;

/**
 * Takes away the core services that are not to be hosted, before any is made. Which there
 * are is told by {@link MicroService} on the methods that make them.
 */
class HostedServices implements BeanDefinitionRegistryPostProcessor {

	private final List<String> hosted;

	/**
	 * Keeps some services.
	 * @param hosted their names, or none for all services that there are
	 */
	HostedServices(List<String> hosted) {
		this.hosted = hosted;
	}

	@Override
	public void postProcessBeanDefinitionRegistry(BeanDefinitionRegistry registry) {
		Map<String, List<String>> beans = new TreeMap<>();
		for (String bean : registry.getBeanDefinitionNames()) {
			String service = service(registry.getBeanDefinition(bean));
			if (service != null) {
				beans.computeIfAbsent(service, (none) -> new ArrayList<>()).add(bean);
			}
		}
		for (String service : this.hosted) {
			if (!beans.containsKey(service)) {
				throw new MicroException.Invalid("micro.server.services names '" + service
						+ "', which is no core service; name some of " + String.join(", ", beans.keySet()));
			}
		}
		if (!this.hosted.isEmpty()) {
			beans.keySet().removeAll(this.hosted);
			beans.values().forEach((others) -> others.forEach(registry::removeBeanDefinition));
		}
	}

	private static @Nullable String service(BeanDefinition bean) {
		MethodMetadata method = (bean instanceof AnnotatedBeanDefinition annotated)
				? annotated.getFactoryMethodMetadata() : null;
		return (method != null)
				? method.getAnnotations().get(MicroService.class).getValue("name", String.class).orElse(null) : null;
	}

}
