package mu.micro.remote;

import java.time.Duration;
import java.util.List;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.events.Append;
import mu.micro.tck.OutboxContract;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class RemoteOutboxTests extends OutboxContract {

	private final TestServer server = new TestServer();

	@AfterEach
	void endServer() {
		this.server.close();
	}

	@Override
	protected View open() {
		Duration timeout = Duration.ofSeconds(10);
		return new View(new RemoteOutbox(this.server.address(), timeout),
				new RemoteDatabases(this.server.address(), timeout), new RemoteEvents(this.server.address(), timeout));
	}

	@Test
	void whatIsNotAnsweredIsUnknownAndWhatCannotBeSentIsNot() {
		List<Append> appends = List.of(new Append("t", Message.of(new byte[0])));
		try (RemoteOutbox outbox = new RemoteOutbox(this.server.address(), Duration.ofMillis(500))) {
			outbox.in("micro").apply(List.of(), appends);
			this.server.pause();
			assertThatExceptionOfType(MicroException.OutcomeUnknown.class)
				.isThrownBy(() -> outbox.in("micro").apply(List.of(), appends));
			this.server.close();
		}
		try (RemoteOutbox outbox = new RemoteOutbox(this.server.address(), Duration.ofMillis(500))) {
			assertThatExceptionOfType(MicroException.Unavailable.class)
				.isThrownBy(() -> outbox.in("micro").apply(List.of(), appends));
		}
	}

}
