package mu.micro.spring.messaging;

import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.observation.transport.Kind;
import io.micrometer.observation.transport.ReceiverContext;
import mu.micro.Message;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.support.AopUtils;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.config.EmbeddedValueResolver;
import org.springframework.core.MethodParameter;
import org.springframework.core.annotation.AnnotatedMethod;
import org.springframework.messaging.MessageHeaders;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.Headers;
import org.springframework.messaging.handler.annotation.support.MessageHandlerMethodFactory;
import org.springframework.messaging.handler.invocation.InvocableHandlerMethod;
import org.springframework.messaging.support.MessageHeaderAccessor;
import org.springframework.util.function.SingletonSupplier;

/**
 * A bean's method that is called with messages.
 */
final class ListenerMethod {

	private static final Set<Class<?>> OF_EVENTS = Set.of(Delivery.class, Event.class);

	private final Class<? extends Annotation> annotation;

	private final Method method;

	private final Context context;

	private final SingletonSupplier<InvocableHandlerMethod> handler;

	/**
	 * Checks the method.
	 * @param annotation what declares it
	 * @param bean the bean's name
	 * @param method the method
	 * @param context what it is called with
	 * @throws WrongListenerException if it cannot be called
	 */
	ListenerMethod(Class<? extends Annotation> annotation, String bean, Method method, Context context) {
		this.annotation = annotation;
		this.method = method;
		this.context = context;
		this.handler = SingletonSupplier.of(() -> handler(bean));
		check(bean);
		// A lazy bean is made by its first message.
		if (context.beans().containsSingleton(bean)) {
			this.handler.obtain();
		}
	}

	private void check(String bean) {
		int modifiers = this.method.getModifiers();
		if (Modifier.isPrivate(modifiers) || Modifier.isStatic(modifiers)) {
			throw wrong("it is not called on the bean as others see it", "let it be neither private nor static");
		}
		if (this.method.getReturnType() != void.class) {
			throw wrong("nobody takes what it returns, nor waits for it", "let it return void when it is done");
		}
		if (!this.context.beans().isSingleton(bean)) {
			throw wrong("the bean '" + bean + "' is no singleton, so there is no one bean to call",
					"take the bean out of its scope, or move the method to a bean without one");
		}
		checkParameters(this.method);
	}

	private void checkParameters(Method declared) {
		int payloads = 0;
		for (MethodParameter parameter : new AnnotatedMethod(declared).getMethodParameters()) {
			Class<?> type = parameter.getParameterType();
			if (type.isAssignableFrom(Delivery.class) && type != Delivery.class) {
				throw wrong("a parameter of type " + type.getName() + " could take anything",
						"name a class, or take a byte[]");
			}
			if (OF_EVENTS.contains(type) && this.annotation != EventConsumer.class) {
				throw wrong("a broker's messages come without " + type.getSimpleName(), "take a mu.micro.Message");
			}
			payloads += isPayload(parameter) ? 1 : 0;
		}
		if (payloads > 1) {
			throw wrong(
					"it has " + payloads + " parameters for one payload in " + declared.getDeclaringClass().getName(),
					"keep one, and annotate those there that are headers with @Header");
		}
	}

	private static boolean isPayload(MethodParameter parameter) {
		Class<?> type = parameter.getParameterType();
		boolean header = parameter.hasParameterAnnotation(Header.class)
				|| parameter.hasParameterAnnotation(Headers.class) || MessageHeaderAccessor.class.isAssignableFrom(type)
				|| MessageHeaders.class == type;
		return !header && !OF_EVENTS.contains(type) && type != Message.class
				&& !org.springframework.messaging.Message.class.isAssignableFrom(type);
	}

	/*
	 * A proxy has the method, unless it stands for interfaces only or cannot override it.
	 */
	private InvocableHandlerMethod handler(String name) {
		Object bean = this.context.beans().getBean(name);
		Method invocable;
		try {
			invocable = AopUtils.selectInvocableMethod(this.method, bean.getClass());
		}
		catch (IllegalStateException ex) {
			throw wrong("the bean's proxy does not have it",
					"declare it in an interface of the bean, or proxy the class (proxyTargetClass = true)", ex);
		}
		if (AopUtils.isCglibProxy(bean) && Modifier.isFinal(this.method.getModifiers())) {
			throw wrong("the bean's proxy cannot override it", "let it not be final");
		}
		// An interface's parameters need not be annotated as the class's are.
		checkParameters(invocable);
		return this.context.methods().createInvocableHandlerMethod(bean, invocable);
	}

	/**
	 * Resolves an attribute of the annotation.
	 * @param value what it says
	 * @return the same with what placeholders and expressions stand for
	 * @throws WrongListenerException if there is nothing that one stands for
	 */
	String resolve(String value) {
		try {
			String resolved = new EmbeddedValueResolver(this.context.beans()).resolveStringValue(value);
			return (resolved != null) ? resolved : "";
		}
		catch (IllegalArgumentException | BeansException ex) {
			throw wrong("'" + value + "' cannot be resolved: " + ex.getMessage(),
					"set the property, or give it a default", ex);
		}
	}

	/**
	 * Gets what the messages come from.
	 * @param <T> its type
	 * @param type its type
	 * @param source where to get it
	 * @return it
	 * @throws WrongListenerException if there is none
	 */
	<T> T present(Class<T> type, ObjectProvider<T> source) {
		T present = source.getIfAvailable();
		if (present == null) {
			throw wrong("there is no bean of type " + type.getName(), "declare one");
		}
		return present;
	}

	/**
	 * Says what is wrong with the declaration.
	 * @param problem what is wrong
	 * @param action what to change
	 * @return says so
	 */
	WrongListenerException wrong(String problem, String action) {
		return wrong(problem, action, null);
	}

	/**
	 * Says what is wrong with the declaration.
	 * @param problem what is wrong
	 * @param action what to change
	 * @param cause how that came out
	 * @return says so
	 */
	WrongListenerException wrong(String problem, String action, @Nullable Throwable cause) {
		return new WrongListenerException(this + ": " + problem, action, cause);
	}

	/**
	 * Calls the method.
	 * @param topic where the message comes from
	 * @param message the message
	 * @param headers its headers and what else is told in headers
	 * @param provided what parameters may ask for by their type
	 * @throws Exception what the method throws, or why it cannot be called
	 */
	void call(String topic, Message message, Map<String, String> headers, Object... provided) throws Exception {
		Supplier<Observation.Context> received = () -> {
			ReceiverContext<Map<String, String>> receiver = new ReceiverContext<>(Map::get, Kind.CONSUMER);
			receiver.setCarrier(headers);
			return receiver;
		};
		Observation.createNotStarted("micro.message.process", received, this.context.observations())
			.contextualName(topic + " process")
			.lowCardinalityKeyValue("topic", topic)
			.lowCardinalityKeyValue("listener",
					this.method.getDeclaringClass().getSimpleName() + "." + this.method.getName())
			.observeChecked(
					() -> this.handler.obtain().invoke(this.context.payloads().message(message, headers), provided));
	}

	@Override
	public String toString() {
		return "@" + this.annotation.getSimpleName() + " on " + this.method;
	}

	/**
	 * What all methods are called with.
	 *
	 * @param beans the beans
	 * @param methods finds arguments
	 * @param payloads reads what messages say
	 * @param observations observes each call
	 */
	record Context(ConfigurableListableBeanFactory beans, MessageHandlerMethodFactory methods, Payloads payloads,
			ObservationRegistry observations) {
	}

}
