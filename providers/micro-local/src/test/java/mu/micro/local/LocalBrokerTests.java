package mu.micro.local;

import java.nio.file.Path;

import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.tck.BrokerContract;
import org.junit.jupiter.api.io.TempDir;

class LocalBrokerTests extends BrokerContract {

	@TempDir
	private Path directory;

	@Override
	protected Scoped<Broker> open() {
		return new LocalBroker(this.directory);
	}

}
