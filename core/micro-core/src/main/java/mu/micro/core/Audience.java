package mu.micro.core;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

import mu.micro.Message;
import org.jspecify.annotations.Nullable;

/**
 * Who subscribed to what: hands each message to all that have no queue, and to one member
 * of a queue. Members are chosen at random, so that each has its share, and one that has
 * room before one that has not. Keeps nothing of a topic that has no subscriptions.
 */
public final class Audience {

	private final Map<Topic, Listeners> topics = new ConcurrentHashMap<>();

	/**
	 * Adds a subscription.
	 * @param topic its topic
	 * @param queue its queue; null for none
	 * @param subscription what to deliver to
	 */
	public void add(Topic topic, @Nullable String queue, Backlog subscription) {
		this.topics.merge(topic, Listeners.NONE.with(queue, subscription),
				(before, alone) -> before.with(queue, subscription));
	}

	/**
	 * Removes a subscription, if it is there.
	 * @param topic its topic
	 * @param queue its queue; null for none
	 * @param subscription what was delivered to
	 */
	public void remove(Topic topic, @Nullable String queue, Backlog subscription) {
		this.topics.computeIfPresent(topic, (key, before) -> {
			Listeners after = before.without(queue, subscription);
			return after.isEmpty() ? null : after;
		});
	}

	/**
	 * The topics somebody subscribed to.
	 * @return them, as they change
	 */
	Set<Topic> topics() {
		return this.topics.keySet();
	}

	/**
	 * Whether a topic has subscriptions without a queue.
	 * @param topic the topic
	 * @return whether it has
	 */
	public boolean hasAll(Topic topic) {
		return !listeners(topic).all.isEmpty();
	}

	/**
	 * The queues of a topic.
	 * @param topic the topic
	 * @return how many members each has, none of them 0
	 */
	public Map<String, Integer> queues(Topic topic) {
		Map<String, Integer> members = new HashMap<>();
		listeners(topic).queues.forEach((queue, subscriptions) -> members.put(queue, subscriptions.size()));
		return members;
	}

	/**
	 * Delivers a message to all that have no queue. Never blocks on a handler.
	 * @param topic its topic
	 * @param message the message
	 */
	public void deliverToAll(Topic topic, Message message) {
		for (Backlog subscription : listeners(topic).all) {
			if (!subscription.offer(message)) {
				subscription.drop(1);
			}
		}
	}

	/**
	 * Delivers a message to one member of a queue that has room for it. Never blocks on a
	 * handler.
	 * @param topic its topic
	 * @param queue the queue
	 * @param message the message
	 * @return whether there is such a member
	 */
	public boolean deliverToOne(Topic topic, String queue, Message message) {
		List<Backlog> members = members(topic, queue);
		int first = any(members);
		for (int i = 0; i < members.size(); i++) {
			if (members.get((first + i) % members.size()).offer(message)) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Counts messages that were dropped before they came here with each that has no
	 * queue.
	 * @param topic their topic
	 * @param count how many
	 */
	public void dropForAll(Topic topic, long count) {
		listeners(topic).all.forEach((subscription) -> subscription.drop(count));
	}

	/**
	 * Counts messages that no member of a queue had room for with one of its members.
	 * @param topic their topic
	 * @param queue the queue
	 * @param count how many
	 * @return whether there is a member
	 */
	public boolean dropForOne(Topic topic, String queue, long count) {
		List<Backlog> members = members(topic, queue);
		if (members.isEmpty()) {
			return false;
		}
		members.get(any(members)).drop(count);
		return true;
	}

	private Listeners listeners(Topic topic) {
		return this.topics.getOrDefault(topic, Listeners.NONE);
	}

	private List<Backlog> members(Topic topic, String queue) {
		return listeners(topic).queues.getOrDefault(queue, List.of());
	}

	private static int any(Collection<?> members) {
		return (members.size() < 2) ? 0 : ThreadLocalRandom.current().nextInt(members.size());
	}

	/**
	 * A topic of a namespace.
	 *
	 * @param namespace the namespace
	 * @param name the topic's name there
	 */
	public record Topic(String namespace, String name) {
	}

	private record Listeners(List<Backlog> all, Map<String, List<Backlog>> queues) {

		static final Listeners NONE = new Listeners(List.of(), Map.of());

		Listeners with(@Nullable String queue, Backlog subscription) {
			if (queue == null) {
				return new Listeners(with(this.all, subscription), this.queues);
			}
			Map<String, List<Backlog>> queues = new HashMap<>(this.queues);
			queues.put(queue, with(queues.getOrDefault(queue, List.of()), subscription));
			return new Listeners(this.all, queues);
		}

		Listeners without(@Nullable String queue, Backlog subscription) {
			if (queue == null) {
				return new Listeners(without(this.all, subscription), this.queues);
			}
			Map<String, List<Backlog>> queues = new HashMap<>(this.queues);
			queues.computeIfPresent(queue, (key, members) -> {
				List<Backlog> rest = without(members, subscription);
				return rest.isEmpty() ? null : rest;
			});
			return new Listeners(this.all, queues);
		}

		boolean isEmpty() {
			return this.all.isEmpty() && this.queues.isEmpty();
		}

		private static List<Backlog> with(List<Backlog> before, Backlog added) {
			List<Backlog> after = new ArrayList<>(before);
			after.add(added);
			return List.copyOf(after);
		}

		private static List<Backlog> without(List<Backlog> before, Backlog removed) {
			return before.stream().filter((subscription) -> subscription != removed).toList();
		}

	}

}
