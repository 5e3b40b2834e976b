package mu.micro.remote;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import mu.micro.Scoped;
import mu.micro.events.Events;
import mu.micro.events.Retention;
import mu.micro.memory.MemoryEvents;
import mu.micro.tck.EventsContract;
import mu.micro.tck.TestClock;
import org.junit.jupiter.api.AfterEach;

class RemoteEventsTests extends EventsContract {

	private final TestClock clock = TestClock.running();

	private final MemoryEvents events = new MemoryEvents(this.clock, Retention.DEFAULT);

	private final Map<Retention, TestServer> servers = new HashMap<>();

	private final List<Scoped<Events>> views = new ArrayList<>();

	@AfterEach
	void endServers() {
		// Before the servers, or consumers would try to reach them again.
		this.views.forEach(Scoped::close);
		this.servers.values().forEach(TestServer::close);
		this.events.close();
	}

	@Override
	protected Scoped<Events> open(Retention retention) {
		TestServer server = this.servers.computeIfAbsent(retention,
				(each) -> new TestServer(0, new MemoryEvents(this.events, each)));
		Scoped<Events> view = new RemoteEvents(server.address(), Duration.ofSeconds(10));
		this.views.add(view);
		return view;
	}

	@Override
	protected void pass(Duration time) {
		this.clock.advance(time);
	}

}
