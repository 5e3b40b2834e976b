package mu.micro.autoconfigure;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.beans.factory.SmartInitializingSingleton;

/**
 * Says in one line which profile and which providers an application runs with.
 */
class ProvidersLog implements SmartInitializingSingleton {

	private static final Log logger = LogFactory.getLog(ProvidersLog.class);

	private final MicroProperties properties;

	ProvidersLog(MicroProperties properties) {
		this.properties = properties;
	}

	@Override
	public void afterSingletonsInstantiated() {
		logger.info("Micro profile " + this.properties.profile().id() + ": registry "
				+ this.properties.registry().type().id() + ", store " + this.properties.store().type().id()
				+ ", config " + this.properties.config().type().id() + ", sync " + this.properties.sync().type().id()
				+ ", broker " + this.properties.broker().type().id() + ", events "
				+ this.properties.events().type().id());
	}

}
