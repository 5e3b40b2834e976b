package mu.micro.broker;

import mu.micro.Subscription;

/**
 * A subscription that knows what it could not take.
 */
public interface BrokerSubscription extends Subscription {

	/**
	 * How many messages were dropped because too many waited for the handler.
	 * @return the number since the subscription began
	 */
	long dropped();

}
