package mu.micro.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.framework.autoproxy.AbstractBeanFactoryAwareAdvisingPostProcessor;
import org.springframework.aop.support.AopUtils;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;

/**
 * Makes {@link LeaderOnly} work: proxies the beans that have such methods before anything
 * schedules those, and has {@link Leadership} stand for their names. To be declared by a
 * static bean method, beside a bean of {@link Leadership}.
 */
public final class LeaderOnlyBeanPostProcessor extends AbstractBeanFactoryAwareAdvisingPostProcessor {

	private final ObjectProvider<Leadership> leadership;

	private final Map<Method, String> names = new ConcurrentHashMap<>();

	/**
	 * Processes beans.
	 * @param leadership who leads; asked for once a bean has a method for leaders
	 */
	public LeaderOnlyBeanPostProcessor(ObjectProvider<Leadership> leadership) {
		this.leadership = leadership;
		this.advisor = new DefaultPointcutAdvisor(new AnnotationMatchingPointcut(null, LeaderOnly.class, true),
				(MethodInterceptor) this::invoke);
		setProxyTargetClass(true);
		// What schedules comes last.
		setOrder(Ordered.LOWEST_PRECEDENCE - 1);
	}

	/**
	 * Stands for leader of the names that the bean's methods have.
	 * @throws IllegalStateException if a method cannot be left out, or not be proxied
	 */
	@Override
	public Object postProcessAfterInitialization(Object bean, String beanName) {
		Class<?> type = AopUtils.getTargetClass(bean);
		if (AnnotationUtils.isCandidateClass(type, LeaderOnly.class)) {
			MethodIntrospector.selectMethods(type, LeaderOnlyBeanPostProcessor::forLeaders)
				.forEach((method, annotation) -> {
					check(method);
					this.leadership.getObject().stand(resolve(annotation));
				});
		}
		return super.postProcessAfterInitialization(bean, beanName);
	}

	private static void check(Method method) {
		int modifiers = method.getModifiers();
		if (Modifier.isPrivate(modifiers) || Modifier.isFinal(modifiers) || Modifier.isStatic(modifiers)) {
			throw new IllegalStateException("@LeaderOnly on " + method
					+ " would have no effect, for no proxy sees its calls; let it be neither private nor final nor static");
		}
		if (method.getReturnType() != void.class) {
			throw new IllegalStateException("@LeaderOnly on " + method
					+ ": there is nothing to return where another instance leads; let it return void");
		}
	}

	private @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
		this.leadership.getObject().call(name(invocation), invocation::proceed);
		return null;
	}

	private String name(MethodInvocation invocation) {
		Object target = invocation.getThis();
		Method method = AopUtils.getMostSpecificMethod(invocation.getMethod(),
				(target != null) ? target.getClass() : null);
		return this.names.computeIfAbsent(method, (key) -> {
			LeaderOnly annotation = forLeaders(key);
			if (annotation == null) {
				throw new IllegalStateException("no @LeaderOnly on " + key);
			}
			return resolve(annotation);
		});
	}

	private static @Nullable LeaderOnly forLeaders(Method method) {
		return AnnotatedElementUtils.findMergedAnnotation(method, LeaderOnly.class);
	}

	private String resolve(LeaderOnly annotation) {
		String name = (this.beanFactory != null) ? this.beanFactory.resolveEmbeddedValue(annotation.value()) : null;
		return (name != null) ? name : annotation.value();
	}

}
