package mu.micro.remote;

import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.config.Config;
import mu.micro.tck.ConfigContract;
import org.junit.jupiter.api.AfterEach;

class RemoteConfigTests extends ConfigContract {

	private final TestServer server = new TestServer();

	@AfterEach
	void endServer() {
		this.server.close();
	}

	@Override
	protected Scoped<Config> open() {
		return new RemoteConfig(this.server.address(), Duration.ofSeconds(5));
	}

}
