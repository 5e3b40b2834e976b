package mu.micro.remote;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.sync.Sync;
import mu.micro.tck.LockProcess;
import mu.micro.tck.SyncContract;
import org.junit.jupiter.api.AfterEach;

class RemoteSyncTests extends SyncContract {

	private final TestServer server = new TestServer();

	@AfterEach
	void endServer() {
		this.server.close();
	}

	@Override
	protected Scoped<Sync> open() {
		return new RemoteSync(this.server.address(), Duration.ofSeconds(5), Clock.systemUTC());
	}

	@Override
	protected Duration shortestTtl() {
		return Duration.ofSeconds(1);
	}

	@Override
	protected Node start(String namespace, String name, Duration ttl) throws IOException {
		return LockProcess.start(LockHolder.class, namespace, name, ttl, this.server.address());
	}

}
