package mu.micro.data;

import java.time.Clock;

import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Databases;
import org.jspecify.annotations.Nullable;

/**
 * Writing in memory.
 */
class MemoryWritingTests extends WritingContract {

	private @Nullable MemoryDatabases first;

	@Override
	Databases open(Clock time) {
		if (this.first != null) {
			return new MemoryDatabases(this.first);
		}
		this.first = new MemoryDatabases(time);
		return this.first;
	}

}
