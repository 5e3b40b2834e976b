package mu.micro.local;

import java.time.Duration;

class DirectoryRegistryTests extends ProcessContract {

	DirectoryRegistryTests() {
		super(RegistryProcess.Kind.DIRECTORY);
	}

	@Override
	protected Duration settle() {
		return Duration.ofSeconds(1);
	}

	@Override
	protected Duration shortestTtl() {
		return Duration.ofSeconds(1);
	}

}
