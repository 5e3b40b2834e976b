package mu.micro.local;

import java.time.Duration;

class MdnsRegistryTests extends ProcessContract {

	MdnsRegistryTests() {
		super(RegistryProcess.Kind.MDNS);
	}

	@Override
	protected Duration settle() {
		return Duration.ofSeconds(2);
	}

	@Override
	protected Duration shortestTtl() {
		return Duration.ofSeconds(7);
	}

}
