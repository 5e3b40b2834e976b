package mu.micro.local;

import java.time.Duration;

class LocalRegistryTests extends ProcessContract {

	LocalRegistryTests() {
		super(RegistryProcess.Kind.LOCAL);
	}

	@Override
	protected Duration settle() {
		return Duration.ofSeconds(2);
	}

	@Override
	protected Duration shortestTtl() {
		return Duration.ofSeconds(1);
	}

}
