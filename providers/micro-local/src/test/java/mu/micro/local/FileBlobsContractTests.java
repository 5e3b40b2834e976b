package mu.micro.local;

import java.nio.file.Path;
import java.time.Clock;

import mu.micro.Scoped;
import mu.micro.blob.Blobs;
import mu.micro.tck.BlobsContract;
import org.junit.jupiter.api.io.TempDir;

class FileBlobsContractTests extends BlobsContract {

	@TempDir
	private Path directory;

	@Override
	protected Scoped<Blobs> open() {
		return new FileBlobs(this.directory.resolve("blobs"), Clock.systemUTC());
	}

}
