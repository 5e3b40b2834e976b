package mu.micro.spring;

import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

import mu.micro.Subscription;
import mu.micro.core.StoreLocks;
import mu.micro.core.StoreSync;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Store;
import mu.micro.sync.Lock;
import mu.micro.sync.Sync;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.support.DefaultLifecycleProcessor;
import org.springframework.context.support.PropertySourcesPlaceholderConfigurer;
import org.springframework.core.env.MapPropertySource;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

@Timeout(60)
class LeaderOnlyTests {

	private static final Duration TTL = Duration.ofSeconds(3);

	private final MemoryDatabases databases = new MemoryDatabases();

	private final Store table = this.databases.in("micro").table(StoreLocks.TABLE);

	private final List<AutoCloseable> open = new ArrayList<>();

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable closeable : this.open) {
			closeable.close();
		}
		this.databases.close();
	}

	@Test
	void ofTwoInstancesOneRunsAndTheOtherTakesOver() {
		AtomicInteger running = new AtomicInteger();
		Often one = new Often(running);
		Often two = new Often(running);
		AnnotationConfigApplicationContext first = application(one);
		application(two);
		await(() -> one.runs.get() >= 10);
		during(Duration.ofMillis(500), () -> two.runs.get() == 0);
		int before = one.runs.get();
		await(() -> one.runs.get() > before);
		first.close();
		int last = one.runs.get();
		await(() -> two.runs.get() >= 10);
		assertThat(one.runs).hasValue(last);
		assertThat(one.most).hasValue(1);
		assertThat(two.most).hasValue(1);
	}

	@Test
	void aJobsFirstRunIsNotLost() {
		Hourly one = new Hourly();
		Hourly two = new Hourly();
		application(one);
		await(() -> one.runs.get() == 1);
		application(two);
		during(Duration.ofMillis(1500), () -> two.runs.get() == 0);
		assertThat(one.runs).hasValue(1);
	}

	@Test
	void whenLeadershipIsLostARunningJobIsInterruptedAndItsThreadGoesOnClean() {
		Busy busy = new Busy();
		AnnotationConfigApplicationContext context = application(busy);
		Leadership leadership = context.getBean(Leadership.class);
		await(() -> busy.events.equals(List.of("begun")));
		long token = leadership.lock("busy").token();
		assertThat(token).isEqualTo(this.table.get("busy").revision());
		this.table.delete("busy");
		await(() -> busy.events.size() >= 3);
		assertThat(busy.events).startsWith("begun", "interrupted", "begun");
		assertThat(leadership.lock("busy").token()).isGreaterThan(token);
	}

	@Test
	void anApplicationThatEndsInterruptsItsJobAndLeadsUntilThatEnded() throws Exception {
		Slow one = new Slow();
		Slow two = new Slow();
		AnnotationConfigApplicationContext first = application(one);
		assertThat(one.begun.await(10, TimeUnit.SECONDS)).isTrue();
		application(two);
		Thread closing = new Thread(first::close);
		closing.start();
		assertThat(one.interrupted.await(10, TimeUnit.SECONDS)).isTrue();
		during(Duration.ofSeconds(1), () -> two.begun.getCount() == 1);
		assertThat(this.table.get("slow")).isNotNull();
		one.end.countDown();
		assertThat(two.begun.await(10, TimeUnit.SECONDS)).isTrue();
		closing.join(10_000);
		two.end.countDown();
	}

	@Test
	void aJobThatDoesNotEndDoesNotKeepTheApplicationFromEnding() throws Exception {
		Slow one = new Slow();
		AnnotationConfigApplicationContext first = application(one);
		assertThat(one.begun.await(10, TimeUnit.SECONDS)).isTrue();
		long start = System.nanoTime();
		first.close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(TTL, TTL.plusSeconds(8));
		assertThat(this.table.get("slow")).isNull();
		one.end.countDown();
	}

	@Test
	void aLeaderMakesCallsAndThrowsWhatTheyThrowAndAnotherLeavesThemOut() {
		Direct one = new Direct();
		Direct two = new Direct();
		Direct leader = application(one).getBean(Direct.class);
		assertThatIllegalStateException().isThrownBy(leader::fail).withMessage("thrown on purpose");
		AnnotationConfigApplicationContext second = application(two);
		second.getBean(Direct.class).fail();
		assertThat(two.calls).hasValue(0);
		assertThat(second.getBean(Leadership.class).lock("direct")).isNull();
		assertThat(second.getBean(Leadership.class).lock("unknown")).isNull();
	}

	@Test
	void namesAreResolvedAndStoodForOnceHoweverOftenMethodsRun() {
		Recorded sync = new Recorded();
		Named named = new Named();
		application(named, sync);
		await(() -> sync.led.size() == 1);
		sync.elected.get(0).accept(new Held());
		await(() -> named.one.get() > 10 && named.two.get() > 10);
		assertThat(sync.led).containsExactly("resolved");
		assertThat(sync.locks).hasValue(0);
	}

	@Test
	void aContextThatIsStartedAgainLeadsAgain() {
		Often often = new Often(new AtomicInteger());
		AnnotationConfigApplicationContext context = application(often);
		await(() -> often.runs.get() > 0);
		Leadership leadership = context.getBean(Leadership.class);
		leadership.stop();
		assertThat(leadership.isRunning()).isFalse();
		assertThat(leadership.lock("often")).isNull();
		assertThat(this.table.get("often")).isNull();
		int before = often.runs.get();
		during(Duration.ofMillis(300), () -> often.runs.get() == before);
		leadership.start();
		await(() -> often.runs.get() > before);
	}

	@Test
	void methodsThatCannotBeLeftOutAreRefused() {
		for (Object wrong : List.of(new Private(), new Final(), new Returning())) {
			assertThatExceptionOfType(BeanCreationException.class).isThrownBy(() -> application(wrong))
				.havingRootCause()
				.isInstanceOf(IllegalStateException.class)
				.withMessageContainingAll("@LeaderOnly on ", wrong.getClass().getSimpleName() + ".run()", "let it ");
		}
	}

	private AnnotationConfigApplicationContext application(Object job) {
		MemoryDatabases view = new MemoryDatabases(this.databases);
		StoreSync sync = new StoreSync(view, Clock.systemUTC());
		this.open.add(0, view);
		this.open.add(0, sync);
		return application(job, sync.in("micro"));
	}

	@SuppressWarnings("unchecked")
	private AnnotationConfigApplicationContext application(Object job, Sync sync) {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.getEnvironment()
			.getPropertySources()
			.addFirst(new MapPropertySource("test", Map.of("job.name", "resolved")));
		context.register(Application.class);
		context.registerBean(Sync.class, () -> sync);
		context.registerBean((Class<Object>) job.getClass(), () -> job);
		context.refresh();
		this.open.add(0, context);
		return context;
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(15))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

	private static void during(Duration time, BooleanSupplier condition) {
		Awaitility.await()
			.during(time)
			.atMost(time.plusSeconds(5))
			.pollInterval(Duration.ofMillis(20))
			.until(condition::getAsBoolean);
	}

	@Configuration(proxyBeanMethods = false)
	@EnableScheduling
	static class Application {

		@Bean
		static LeaderOnlyBeanPostProcessor leaderOnly(ObjectProvider<Leadership> leadership) {
			return new LeaderOnlyBeanPostProcessor(leadership);
		}

		@Bean
		static PropertySourcesPlaceholderConfigurer placeholders() {
			return new PropertySourcesPlaceholderConfigurer();
		}

		@Bean
		Leadership leadership(Sync sync) {
			return new Leadership(() -> sync, TTL);
		}

		@Bean
		ThreadPoolTaskScheduler taskScheduler() {
			return new ThreadPoolTaskScheduler();
		}

		/*
		 * How long a scheduler may wait for its tasks.
		 */
		@Bean
		DefaultLifecycleProcessor lifecycleProcessor() {
			DefaultLifecycleProcessor processor = new DefaultLifecycleProcessor();
			processor.setTimeoutPerShutdownPhase(500);
			return processor;
		}

	}

	static class Often {

		private final AtomicInteger runs = new AtomicInteger();

		private final AtomicInteger most = new AtomicInteger();

		private final AtomicInteger running;

		Often(AtomicInteger running) {
			this.running = running;
		}

		@Scheduled(fixedRate = 20)
		@LeaderOnly("often")
		void run() {
			this.most.accumulateAndGet(this.running.incrementAndGet(), Math::max);
			LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
			this.running.decrementAndGet();
			this.runs.incrementAndGet();
		}

	}

	static class Hourly {

		private final AtomicInteger runs = new AtomicInteger();

		@Scheduled(fixedRate = 1, timeUnit = TimeUnit.HOURS)
		@LeaderOnly("hourly")
		void run() {
			this.runs.incrementAndGet();
		}

	}

	static class Busy {

		private final List<String> events = new CopyOnWriteArrayList<>();

		@Scheduled(fixedDelay = 10)
		@LeaderOnly("busy")
		void run() {
			this.events.add((Thread.currentThread().isInterrupted()) ? "unclean" : "begun");
			while (!Thread.currentThread().isInterrupted()) {
				Thread.onSpinWait();
			}
			this.events.add("interrupted");
		}

	}

	static class Slow {

		private final CountDownLatch begun = new CountDownLatch(1);

		private final CountDownLatch interrupted = new CountDownLatch(1);

		private final CountDownLatch end = new CountDownLatch(1);

		@Scheduled(fixedDelay = 10)
		@LeaderOnly("slow")
		void run() {
			this.begun.countDown();
			while (this.end.getCount() > 0) {
				try {
					this.end.await(20, TimeUnit.SECONDS);
				}
				catch (InterruptedException ex) {
					this.interrupted.countDown();
				}
			}
		}

	}

	static class Direct {

		private final AtomicInteger calls = new AtomicInteger();

		@LeaderOnly("direct")
		void fail() {
			this.calls.incrementAndGet();
			throw new IllegalStateException("thrown on purpose");
		}

	}

	static class Named {

		private final AtomicInteger one = new AtomicInteger();

		private final AtomicInteger two = new AtomicInteger();

		@Scheduled(fixedDelay = 10)
		@LeaderOnly("${job.name}")
		void one() {
			this.one.incrementAndGet();
		}

		@Scheduled(fixedDelay = 10)
		@LeaderOnly("resolved")
		void two() {
			this.two.incrementAndGet();
		}

	}

	static class Private {

		@Scheduled(fixedDelay = 10)
		@LeaderOnly("private")
		private void run() {
		}

	}

	static class Final {

		@LeaderOnly("final")
		final void run() {
		}

	}

	static class Returning {

		@LeaderOnly("returning")
		int run() {
			return 1;
		}

	}

	/**
	 * Counts what it is asked.
	 */
	static final class Recorded implements Sync {

		private final List<String> led = new CopyOnWriteArrayList<>();

		private final List<Consumer<Lock>> elected = new CopyOnWriteArrayList<>();

		private final AtomicInteger locks = new AtomicInteger();

		@Override
		public Lock lock(String name, Duration ttl, Duration wait) {
			this.locks.incrementAndGet();
			return null;
		}

		@Override
		public Subscription lead(String name, Duration ttl, Consumer<Lock> elected) {
			this.elected.add(elected);
			this.led.add(name);
			return () -> {
			};
		}

	}

	static final class Held implements Lock {

		@Override
		public long token() {
			return 1;
		}

		@Override
		public boolean held() {
			return true;
		}

		@Override
		public void onLost(Runnable action) {
		}

		@Override
		public void close() {
		}

	}

}
