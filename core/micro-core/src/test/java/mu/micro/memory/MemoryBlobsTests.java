package mu.micro.memory;

import mu.micro.Scoped;
import mu.micro.blob.Blobs;
import mu.micro.tck.BlobsContract;

class MemoryBlobsTests extends BlobsContract {

	private final MemoryBlobs blobs = new MemoryBlobs();

	@Override
	protected Scoped<Blobs> open() {
		return new MemoryBlobs(this.blobs);
	}

}
