package mu.micro.samples.orders;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.spring.messaging.BrokerListener;
import mu.micro.spring.messaging.BrokerTemplate;
import mu.micro.spring.messaging.EventConsumer;
import mu.micro.spring.messaging.EventsTemplate;
import mu.micro.spring.messaging.Payloads;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Profile;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Takes orders, bills each of them once, and shows what was ordered: all of it in one
 * program, or each in programs of its own, as the profiles say.
 */
@SpringBootApplication
@EnableScheduling
public class OrdersApplication {

	private static final Log logger = LogFactory.getLog(OrdersApplication.class);

	public static void main(String[] args) {
		SpringApplication.run(OrdersApplication.class, args);
	}

	/**
	 * Takes an order now and then: it is kept and told of in one transaction, so that
	 * there is none that nobody hears of, and nobody hears of one that there is not.
	 */
	@Component
	@Profile("orders")
	static class Till {

		private static final List<String> ARTICLES = List.of("milk", "bread", "salt");

		private final EventsTemplate events;

		private final Payloads payloads;

		Till(EventsTemplate events, Payloads payloads) {
			this.events = events;
			this.payloads = payloads;
		}

		@Scheduled(fixedDelayString = "${orders.pause}")
		void takeAnOrder() {
			String order = UUID.randomUUID().toString().substring(0, 8);
			ThreadLocalRandom random = ThreadLocalRandom.current();
			OrderPlaced placed = new OrderPlaced(order, ARTICLES.get(random.nextInt(ARTICLES.size())),
					random.nextInt(100, 1000));
			Message message = this.payloads.write(placed, order, Map.of());
			Write write = Write.put(order, message.body()).withWhen(When.ABSENT);
			try {
				this.events.append("orders", message, List.of(new TableWrite("orders", write)));
				logger.info("placed " + order + ": " + placed.article());
			}
			catch (MicroException.Unavailable ex) {
				logger.warn("not placed: " + ex.getMessage());
			}
		}

	}

	/**
	 * Bills orders: of all that run, one bills each.
	 */
	@Component
	@Profile("billing")
	static class Billing {

		private final BrokerTemplate broker;

		private final Duration takes;

		Billing(BrokerTemplate broker, @Value("${orders.billing-takes}") Duration takes) {
			this.broker = broker;
			this.takes = takes;
		}

		@EventConsumer(topic = "orders", group = "billing", maxInFlight = "4")
		void bill(OrderPlaced placed, @Header(EventConsumer.ATTEMPT) int attempt) throws InterruptedException {
			Thread.sleep(this.takes.toMillis());
			logger.info("billed " + placed.order() + ((attempt > 1) ? " at attempt " + attempt : ""));
			this.broker.publish("bills", placed.order());
		}

		@BrokerListener(topic = "bills", queue = "mail")
		void mail(String order) {
			logger.info("mailed " + order);
		}

	}

	/**
	 * Knows all orders, by reading them from the first one whenever it starts.
	 */
	@Component
	@Profile("view")
	static class View {

		private int orders;

		private long cents;

		@EventConsumer(topic = "orders", group = "view-${random.uuid}")
		void add(OrderPlaced placed) {
			this.orders++;
			this.cents += placed.cents();
			logger.info("%d orders, %.2f altogether".formatted(this.orders, this.cents / 100.0));
		}

	}

}
