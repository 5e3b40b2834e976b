package mu.micro.remote;

import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.blob.Blobs;
import mu.micro.tck.BlobsContract;
import org.junit.jupiter.api.AfterEach;

class RemoteBlobsTests extends BlobsContract {

	private final TestServer server = new TestServer();

	@AfterEach
	void endServer() {
		this.server.close();
	}

	@Override
	protected Scoped<Blobs> open() {
		return new RemoteBlobs(this.server.address(), Duration.ofSeconds(10));
	}

}
