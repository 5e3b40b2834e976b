package mu.micro.core;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import mu.micro.Lease;
import mu.micro.MicroException;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@Timeout(60)
class SnapshotRegistryTests {

	private static final Duration TTL = Duration.ofSeconds(30);

	private static final int ROUNDS = 300;

	private final ExecutorService threads = Executors.newCachedThreadPool();

	@AfterEach
	void endThreads() {
		this.threads.shutdownNow();
	}

	@Test
	void whatIsAnnouncedWhileTheRegistryClosesIsTakenBack() {
		SetRegistry registry = new SetRegistry();
		registry.beforeAnnouncing = () -> get(this.threads.submit(registry::close));
		assertThatExceptionOfType(MicroException.Unavailable.class)
			.isThrownBy(() -> registry.in("namespace").register(instance("a"), TTL));
		assertThat(registry.announced).isEmpty();
	}

	@Test
	void nothingOutlivesACloseHoweverManyCallAtOnce() throws Exception {
		for (int round = 0; round < ROUNDS; round++) {
			SetRegistry registry = new SetRegistry();
			Registry view = registry.in("namespace");
			AtomicInteger calls = new AtomicInteger();
			CyclicBarrier start = new CyclicBarrier(6);
			List<Future<Object>> leases = new ArrayList<>();
			List<Future<Object>> others = new ArrayList<>();
			for (String id : List.of("a", "b")) {
				leases.add(submit(start, () -> view.register(instance(id), TTL)));
				others.add(submit(start, () -> view.watch((names) -> calls.incrementAndGet())));
				others.add(submit(start, () -> {
					registry.close();
					return registry;
				}));
			}
			for (Future<Object> other : others) {
				outcome(other);
			}
			for (Future<Object> lease : leases) {
				if (outcome(lease) instanceof Lease held) {
					assertThat(held.held()).isFalse();
				}
			}
			assertThat(registry.announced).isEmpty();
			assertThat(registry.released).hasValue(1);
			int before = calls.get();
			int reads = registry.reads.get();
			registry.changed();
			assertThat(registry.reads).hasValue(reads);
			assertThat(calls).hasValue(before);
		}
	}

	private Future<Object> submit(CyclicBarrier start, Callable<Object> task) {
		return this.threads.submit(() -> {
			start.await(10, TimeUnit.SECONDS);
			return task.call();
		});
	}

	/**
	 * What the task gave, or that it came too late.
	 */
	private static Object outcome(Future<Object> task) throws Exception {
		try {
			return task.get(10, TimeUnit.SECONDS);
		}
		catch (ExecutionException ex) {
			assertThat(ex).hasCauseInstanceOf(MicroException.Unavailable.class);
			return ex.getCause();
		}
	}

	private static void get(Future<?> task) {
		try {
			task.get(10, TimeUnit.SECONDS);
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static Instance instance(String id) {
		return new Instance("service", "latest", id, "127.0.0.1", 1, Map.of());
	}

	/**
	 * Keeps what is announced even when it is closed.
	 */
	private static final class SetRegistry extends SnapshotRegistry {

		private final Set<HeldLease> announced = ConcurrentHashMap.newKeySet();

		private final AtomicInteger reads = new AtomicInteger();

		private final AtomicInteger released = new AtomicInteger();

		private Runnable beforeAnnouncing = () -> {
		};

		@Override
		protected List<Instance> instances(String namespace, String service) {
			return List.of();
		}

		@Override
		protected Set<String> services(String namespace) {
			this.reads.incrementAndGet();
			return new TreeSet<>();
		}

		@Override
		protected void announce(String namespace, Instance instance, Duration ttl, HeldLease lease) {
			this.beforeAnnouncing.run();
			this.announced.add(lease);
			changed(namespace);
		}

		@Override
		protected void withdraw(String namespace, Instance instance, HeldLease lease) {
			this.announced.remove(lease);
			changed(namespace);
		}

		@Override
		protected void release() {
			this.released.incrementAndGet();
		}

	}

}
