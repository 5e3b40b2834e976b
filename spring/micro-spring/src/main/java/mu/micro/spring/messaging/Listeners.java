package mu.micro.spring.messaging;

import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.UndeclaredThrowableException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;

import io.micrometer.observation.ObservationRegistry;
import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Subscription;
import mu.micro.broker.Broker;
import mu.micro.core.DeadLetters;
import mu.micro.core.HandlerFailure;
import mu.micro.core.Threads;
import mu.micro.events.Append;
import mu.micro.events.Delivery;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.From;
import mu.micro.events.Group;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryAware;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.format.datetime.standard.DurationFormatterUtils;
import org.springframework.messaging.handler.annotation.support.DefaultMessageHandlerMethodFactory;
import org.springframework.util.ReflectionUtils;
import org.springframework.util.function.SingletonSupplier;

/**
 * Makes {@link BrokerListener} and {@link EventConsumer} work: finds the methods once all
 * beans are there, and has them called while the context runs.
 * <p>
 * It starts before servers do, and stops after them: then no call starts, and those that
 * run are waited for, for as long as the lifecycle's timeout for a phase says. All
 * methods are begun with at once, so that a start takes as long as the slowest; after it
 * each is called with what comes. Where the broker or the events cannot be reached it
 * tries again, and the log says for which method.
 */
public final class Listeners implements BeanFactoryAware, SmartInitializingSingleton, SmartLifecycle, DisposableBean {

	private static final Log logger = LogFactory.getLog(Listeners.class);

	private static final System.Logger failures = System.getLogger(Listeners.class.getName());

	private static final long RETRY_MILLIS = 500;

	private static final List<Class<? extends Annotation>> ANNOTATIONS = List.of(BrokerListener.class,
			EventConsumer.class);

	private final ObjectProvider<Broker> broker;

	private final ObjectProvider<Events> events;

	private final String application;

	private final ObjectProvider<Payloads> payloads;

	private final ObservationRegistry observations;

	private final ExecutorService beginning = Threads.perTask("micro-listeners-beginning");

	private final ScheduledExecutorService timer = Threads.timer("micro-listeners");

	private final List<Listening> all = new ArrayList<>();

	private @Nullable ConfigurableListableBeanFactory beans;

	private volatile boolean running;

	/**
	 * Listens to nothing yet.
	 * @param broker whose messages to handle, asked for once a method does
	 * @param events which events to handle, asked for once a method does
	 * @param application the application's name, and that of groups without one; may be
	 * empty
	 * @param payloads reads what messages say, asked for once a method is found
	 * @param observations observes each call
	 */
	public Listeners(ObjectProvider<Broker> broker, ObjectProvider<Events> events, String application,
			ObjectProvider<Payloads> payloads, ObservationRegistry observations) {
		this.broker = broker;
		this.events = events;
		this.application = application;
		this.payloads = payloads;
		this.observations = observations;
	}

	@Override
	public void setBeanFactory(BeanFactory beanFactory) {
		this.beans = (ConfigurableListableBeanFactory) beanFactory;
	}

	/**
	 * Finds the methods.
	 * @throws WrongListenerException if one is declared in a way that cannot work
	 */
	@Override
	public void afterSingletonsInstantiated() {
		ConfigurableListableBeanFactory beans = Objects.requireNonNull(this.beans, "this is no bean");
		SingletonSupplier<ListenerMethod.Context> context = SingletonSupplier.of(() -> context(beans));
		for (String bean : beans.getBeanNamesForType(Object.class)) {
			declarations(beans, bean).forEach((method, declarations) -> declarations.forEach((each) -> {
				ListenerMethod target = new ListenerMethod(each.annotationType(), bean, method, context.obtain());
				this.all.add(new Listening(target, open(each, target)));
			}));
		}
	}

	/*
	 * A bean whose class cannot be looked at, because what it names is missing, is let
	 * be: it may never be made.
	 */
	private static Map<Method, Set<Annotation>> declarations(ConfigurableListableBeanFactory beans, String bean) {
		try {
			Class<?> type = AutoProxyUtils.determineTargetClass(beans, bean);
			if (type != null && !type.getName().startsWith("org.springframework.")
					&& AnnotationUtils.isCandidateClass(type, ANNOTATIONS)) {
				return MethodIntrospector.selectMethods(type, Listeners::annotations);
			}
		}
		catch (BeansException | LinkageError ex) {
			logger.debug("The class of bean '" + bean + "' cannot be looked at", ex);
		}
		return Map.of();
	}

	private ListenerMethod.Context context(ConfigurableListableBeanFactory beans) {
		Payloads payloads = this.payloads.getObject();
		DefaultMessageHandlerMethodFactory methods = new DefaultMessageHandlerMethodFactory();
		methods.setBeanFactory(beans);
		methods.setCustomArgumentResolvers(List.of(new PayloadArgument(payloads)));
		methods.afterPropertiesSet();
		return new ListenerMethod.Context(beans, methods, payloads, this.observations);
	}

	private static @Nullable Set<Annotation> annotations(Method method) {
		Set<Annotation> all = new LinkedHashSet<>();
		all.addAll(AnnotatedElementUtils.findMergedRepeatableAnnotations(method, BrokerListener.class));
		all.addAll(AnnotatedElementUtils.findMergedRepeatableAnnotations(method, EventConsumer.class));
		return (all.isEmpty()) ? null : all;
	}

	private Supplier<Subscription> open(Annotation declaration, ListenerMethod target) {
		try {
			return (declaration instanceof EventConsumer consumer) ? open(consumer, target)
					: open((BrokerListener) declaration, target);
		}
		catch (MicroException.Invalid ex) {
			throw target.wrong(String.valueOf(ex.getMessage()), "change it, or the property that it is from");
		}
	}

	private Supplier<Subscription> open(BrokerListener listener, ListenerMethod target) {
		String topic = Limits.name("topic", target.resolve(listener.topic()));
		String shared = target.resolve(listener.queue());
		String queue = (shared.isEmpty()) ? null : Limits.name("queue", shared);
		Broker source = target.present(Broker.class, this.broker);
		return () -> source.subscribe(topic, queue, (message) -> {
			try {
				target.call(topic, message, message.headers(), message);
			}
			catch (RuntimeException ex) {
				throw ex;
			}
			catch (Exception ex) {
				throw new UndeclaredThrowableException(ex);
			}
		});
	}

	private Supplier<Subscription> open(EventConsumer consumer, ListenerMethod target) {
		String topic = Limits.name("topic", target.resolve(consumer.topic()));
		Group group = group(consumer, target);
		Events source = target.present(Events.class, this.events);
		return () -> source.consume(topic, group, (delivery) -> {
			Message message = delivery.event().message();
			try {
				target.call(topic, message, headers(delivery), delivery, delivery.event(), message);
			}
			catch (UnreadableException ex) {
				putAside(source, group.name(), delivery, ex);
			}
		});
	}

	/*
	 * What comes twice, if it is not acknowledged after this, is one letter all the same:
	 * it has the event's id.
	 */
	private static void putAside(Events events, String group, Delivery delivery, UnreadableException why) {
		String error = HandlerFailure.log(failures, "group '" + group + "' cannot read event "
				+ delivery.event().offset() + " of topic '" + delivery.event().topic() + "'", why);
		Append letter = DeadLetters.of(delivery.event(), group, delivery.attempt(), error);
		if (letter == null) {
			return;
		}
		Event kept = events.append(letter.topic(), letter.message());
		if (!group.equals(kept.message().headers().get(Events.DEAD_GROUP))) {
			Append another = DeadLetters.another(letter);
			events.append(another.topic(), another.message());
		}
	}

	private Group group(EventConsumer consumer, ListenerMethod target) {
		String named = target.resolve(consumer.group());
		String name = (named.isEmpty()) ? this.application : named;
		if (name.isEmpty()) {
			throw target.wrong("the group has no name", "name it, or set spring.application.name");
		}
		Group group = Group.of(name);
		String from = target.resolve(consumer.from());
		if (!from.isEmpty()) {
			group = group.withFrom(from(from, target));
		}
		String ackWait = target.resolve(consumer.ackWait());
		if (!ackWait.isEmpty()) {
			group = group.withAckWait(duration(ackWait, target));
		}
		String maxDeliveries = target.resolve(consumer.maxDeliveries());
		if (!maxDeliveries.isEmpty()) {
			group = group.withMaxDeliveries(number("maxDeliveries", maxDeliveries, target));
		}
		String maxInFlight = target.resolve(consumer.maxInFlight());
		return (maxInFlight.isEmpty()) ? group : group.withMaxInFlight(number("maxInFlight", maxInFlight, target));
	}

	private static From from(String from, ListenerMethod target) {
		switch (from) {
			case "start":
				return From.START;
			case "now":
				return From.NOW;
		}
		try {
			return (from.chars().allMatch(Character::isDigit)) ? From.offset(Long.parseLong(from))
					: From.time(Instant.parse(from));
		}
		catch (NumberFormatException | DateTimeParseException ex) {
			throw target.wrong("from '" + from + "' is no place to begin",
					"write start, now, an offset, or a time such as 2026-01-31T12:00:00Z");
		}
	}

	private static Duration duration(String duration, ListenerMethod target) {
		try {
			return DurationFormatterUtils.detectAndParse(duration);
		}
		catch (IllegalArgumentException ex) {
			throw target.wrong("the ackWait '" + duration + "' is no duration", "write it as in 30s, 2m or PT30S");
		}
	}

	private static int number(String attribute, String number, ListenerMethod target) {
		try {
			return Integer.parseInt(number);
		}
		catch (NumberFormatException ex) {
			throw target.wrong(attribute + " '" + number + "' is no number", "write it as in 10");
		}
	}

	private static Map<String, String> headers(Delivery delivery) {
		Map<String, String> headers = new HashMap<>(delivery.event().message().headers());
		headers.put(EventConsumer.ATTEMPT, String.valueOf(delivery.attempt()));
		headers.remove(EventConsumer.ERROR);
		if (delivery.error() != null) {
			headers.put(EventConsumer.ERROR, delivery.error());
		}
		return headers;
	}

	/**
	 * Begins to have the methods called.
	 * @throws WrongListenerException if a method's messages are refused
	 * @throws MicroException.Cancelled if the thread is interrupted
	 */
	@Override
	public void start() {
		this.running = true;
		try {
			each(Listening::begin, this.beginning).get();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new MicroException.Cancelled("the start of the listeners was interrupted", ex);
		}
		catch (ExecutionException ex) {
			ReflectionUtils.rethrowRuntimeException(ex.getCause());
		}
	}

	private CompletableFuture<Void> each(Consumer<Listening> action, ExecutorService threads) {
		return CompletableFuture.allOf(this.all.stream()
			.map((listening) -> CompletableFuture.runAsync(() -> action.accept(listening), threads))
			.toArray(CompletableFuture<?>[]::new));
	}

	@Override
	public void stop(Runnable callback) {
		this.running = false;
		ExecutorService closing = Threads.perTask("micro-listeners-closing");
		each(Listening::end, closing).whenComplete((none, ex) -> {
			closing.shutdown();
			if (ex != null) {
				logger.warn("A listener could not be stopped", ex);
			}
			callback.run();
		});
	}

	@Override
	public void stop() {
		CompletableFuture<Void> stopped = new CompletableFuture<>();
		stop(() -> stopped.complete(null));
		stopped.join();
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	/**
	 * After what handlers use, and before the servers of web and gRPC.
	 */
	@Override
	public int getPhase() {
		return DEFAULT_PHASE - 4096;
	}

	/**
	 * Ends what goes on although the context did not come to its start.
	 */
	@Override
	public void destroy() {
		this.running = false;
		this.timer.shutdownNow();
		this.beginning.shutdownNow();
		this.all.forEach(Listening::end);
	}

	/**
	 * One declaration, and its subscription while there is one.
	 */
	private final class Listening {

		private final ListenerMethod target;

		private final Supplier<Subscription> source;

		private final ReentrantLock lock = new ReentrantLock();

		private @Nullable Subscription subscription;

		private @Nullable String problem;

		private @Nullable Future<?> next;

		Listening(ListenerMethod target, Supplier<Subscription> source) {
			this.target = target;
			this.source = source;
		}

		/*
		 * A broker that is away does not keep the application from starting.
		 */
		void begin() {
			this.lock.lock();
			try {
				if (Listeners.this.running && this.subscription == null) {
					this.subscription = this.source.get();
					this.problem = null;
				}
			}
			catch (RuntimeException ex) {
				if (this.problem == null && !passing(ex)) {
					throw (ex instanceof MicroException) ? this.target.wrong(String.valueOf(ex.getMessage()),
							"change the declaration, or what refuses it", ex) : ex;
				}
				retry(String.valueOf(ex.getMessage()));
			}
			finally {
				this.lock.unlock();
			}
		}

		private static boolean passing(RuntimeException ex) {
			return ex instanceof MicroException.Unavailable || ex instanceof MicroException.TimedOut
					|| ex instanceof MicroException.OutcomeUnknown;
		}

		private void retry(String reason) {
			if (!reason.equals(this.problem)) {
				logger.warn(this.target + " is not called yet, and it is tried again every " + RETRY_MILLIS + " ms: "
						+ reason);
			}
			this.problem = reason;
			this.next = Listeners.this.timer.schedule(() -> Listeners.this.beginning.execute(this::begin), RETRY_MILLIS,
					TimeUnit.MILLISECONDS);
		}

		void end() {
			Subscription open;
			this.lock.lock();
			try {
				open = this.subscription;
				this.subscription = null;
				this.problem = null;
				if (this.next != null) {
					this.next.cancel(false);
				}
			}
			finally {
				this.lock.unlock();
			}
			if (open != null) {
				open.close();
			}
		}

	}

}
