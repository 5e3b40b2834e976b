package mu.micro.memory;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.core.EventLog;
import mu.micro.events.Event;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import org.jspecify.annotations.Nullable;

/**
 * A view of logs that can be away, stand still, fail, or keep their answers and their
 * news to themselves.
 */
final class TroubledLogs implements Scoped<EventLog> {

	private final EventLog log;

	/**
	 * What was asked for: how many outcomes, and how many events.
	 */
	private final List<int[]> exchanges = new CopyOnWriteArrayList<>();

	private final AtomicReference<@Nullable Throwable> before = new AtomicReference<>();

	private final AtomicReference<@Nullable Throwable> after = new AtomicReference<>();

	private volatile boolean away;

	private volatile boolean deaf;

	private volatile Duration late = Duration.ZERO;

	private volatile CountDownLatch moving = new CountDownLatch(0);

	TroubledLogs(EventLog log) {
		this.log = log;
	}

	void away(boolean is) {
		this.away = is;
	}

	void deaf() {
		this.deaf = true;
	}

	/**
	 * Has news of what is watched from now on be told so much later.
	 */
	void late(Duration by) {
		this.late = by;
	}

	/**
	 * Has exchanges wait until {@link #go()}.
	 */
	void halt() {
		this.moving = new CountDownLatch(1);
	}

	void go() {
		this.moving.countDown();
	}

	/**
	 * Fails the next exchange instead of doing it.
	 */
	void failBefore(Throwable failure) {
		this.before.set(failure);
	}

	/**
	 * Does the next exchange and fails.
	 */
	void failAfter(Throwable failure) {
		this.after.set(failure);
	}

	List<int[]> exchanges() {
		return this.exchanges;
	}

	@Override
	public EventLog in(String namespace) {
		return new Troubled();
	}

	@Override
	public void close() {
		this.away = true;
	}

	private <T> T call(Supplier<T> call) {
		if (this.away) {
			throw new MicroException.Unavailable("away");
		}
		return call.get();
	}

	private static void fail(AtomicReference<@Nullable Throwable> failure) {
		Throwable thrown = failure.getAndSet(null);
		if (thrown instanceof Error error) {
			throw error;
		}
		if (thrown != null) {
			throw (RuntimeException) thrown;
		}
	}

	private final class Troubled implements EventLog {

		private final EventLog log = TroubledLogs.this.log;

		@Override
		public Event append(String topic, Message message) {
			return call(() -> this.log.append(topic, message));
		}

		@Override
		public List<Event> read(String topic, long from, int limit) {
			return call(() -> this.log.read(topic, from, limit));
		}

		@Override
		public long offsetAt(String topic, Instant time) {
			return call(() -> this.log.offsetAt(topic, time));
		}

		@Override
		public Set<String> topics() {
			return call(this.log::topics);
		}

		@Override
		public List<GroupState> groups(String topic) {
			return call(() -> this.log.groups(topic));
		}

		@Override
		public boolean removeGroup(String topic, String group) {
			return call(() -> this.log.removeGroup(topic, group));
		}

		@Override
		public void join(String topic, Group group) {
			call(() -> {
				this.log.join(topic, group);
				return topic;
			});
		}

		@Override
		public Taken exchange(String topic, Group group, List<Outcome> outcomes, int wanted) {
			TroubledLogs.this.exchanges.add(new int[] { outcomes.size(), wanted });
			try {
				TroubledLogs.this.moving.await();
			}
			catch (InterruptedException ex) {
				throw new MicroException.Cancelled("interrupted", ex);
			}
			return call(() -> {
				fail(TroubledLogs.this.before);
				Taken taken = this.log.exchange(topic, group, new ArrayList<>(outcomes), wanted);
				fail(TroubledLogs.this.after);
				return taken;
			});
		}

		@Override
		public Subscription watch(String topic, Runnable news) {
			return call(() -> TroubledLogs.this.deaf ? () -> {
			} : this.log.watch(topic, later(news)));
		}

		private Runnable later(Runnable news) {
			Duration by = TroubledLogs.this.late;
			return (by.isZero()) ? news
					: () -> CompletableFuture.delayedExecutor(by.toMillis(), TimeUnit.MILLISECONDS).execute(news);
		}

	}

}
