package mu.micro.memory;

import java.time.Duration;

import mu.micro.Scoped;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.tck.RegistryContract;

class MemoryRegistryTests extends RegistryContract {

	private final MemoryRegistry registry = new MemoryRegistry();

	@Override
	protected Scoped<Registry> open() {
		return new MemoryRegistry(this.registry);
	}

	@Override
	protected Duration settle() {
		return Duration.ZERO;
	}

	@Override
	protected Duration shortestTtl() {
		return Duration.ofSeconds(1);
	}

	@Override
	protected Node start(String namespace, Instance instance, Duration ttl) {
		Scoped<Registry> view = open();
		view.in(namespace).register(instance, ttl);
		return view::close;
	}

}
