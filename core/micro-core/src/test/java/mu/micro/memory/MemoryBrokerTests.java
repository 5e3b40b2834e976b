package mu.micro.memory;

import mu.micro.Scoped;
import mu.micro.broker.Broker;
import mu.micro.tck.BrokerContract;

class MemoryBrokerTests extends BrokerContract {

	private final MemoryBroker broker = new MemoryBroker();

	@Override
	protected Scoped<Broker> open() {
		return new MemoryBroker(this.broker);
	}

}
