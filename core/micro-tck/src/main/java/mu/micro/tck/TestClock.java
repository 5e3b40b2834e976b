package mu.micro.tck;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A clock that a test moves: one that stands still otherwise, or one that goes on.
 */
public final class TestClock extends Clock {

	private final Clock clock;

	private final AtomicReference<Duration> ahead;

	/**
	 * A clock that stands at a moment with nanoseconds, which nobody may lose or count
	 * on.
	 */
	public TestClock() {
		this(Clock.fixed(Instant.parse("2026-03-01T12:00:00.123456789Z"), ZoneOffset.UTC));
	}

	private TestClock(Clock clock) {
		this(clock, new AtomicReference<>(Duration.ZERO));
	}

	private TestClock(Clock clock, AtomicReference<Duration> ahead) {
		this.clock = clock;
		this.ahead = ahead;
	}

	/**
	 * A clock that goes on as the system's does, for what waits for real.
	 * @return the clock
	 */
	public static TestClock running() {
		return new TestClock(Clock.systemUTC());
	}

	/**
	 * Makes time pass.
	 * @param time how much
	 */
	public void advance(Duration time) {
		this.ahead.updateAndGet((before) -> before.plus(time));
	}

	@Override
	public Instant instant() {
		return this.clock.instant().plus(this.ahead.get());
	}

	@Override
	public ZoneId getZone() {
		return this.clock.getZone();
	}

	@Override
	public Clock withZone(ZoneId other) {
		return new TestClock(this.clock.withZone(other), this.ahead);
	}

}
