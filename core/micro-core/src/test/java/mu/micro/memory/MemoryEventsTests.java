package mu.micro.memory;

import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.events.Events;
import mu.micro.events.Retention;
import mu.micro.tck.EventsContract;
import mu.micro.tck.TestClock;
import org.junit.jupiter.api.AfterEach;

class MemoryEventsTests extends EventsContract {

	private final TestClock clock = TestClock.running();

	private final MemoryEvents events = new MemoryEvents(this.clock, Retention.DEFAULT);

	@Override
	protected Scoped<Events> open(Retention retention) {
		return new MemoryEvents(this.events, retention);
	}

	@Override
	protected void pass(Duration time) {
		this.clock.advance(time);
	}

	@AfterEach
	void closeEvents() {
		this.events.close();
	}

}
