package mu.micro.remote;

import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.tck.BrokerContract;
import org.junit.jupiter.api.AfterEach;

class RemoteBrokerTests extends BrokerContract {

	private final TestServer server = new TestServer();

	@AfterEach
	void endServer() {
		this.server.close();
	}

	@Override
	protected Scoped<Broker> open() {
		return new RemoteBroker(this.server.address(), Duration.ofSeconds(10));
	}

}
