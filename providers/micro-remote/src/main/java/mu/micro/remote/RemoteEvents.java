package mu.micro.remote;

import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

import io.grpc.ManagedChannel;
import mu.micro.Limits;
import mu.micro.Message;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import mu.micro.events.Handler;
import mu.micro.grpc.Messages;
import mu.micro.wire.events.AppendRequest;
import mu.micro.wire.events.ConsumeRequest;
import mu.micro.wire.events.GroupsRequest;
import mu.micro.wire.events.NamesRequest;
import mu.micro.wire.events.OffsetAtRequest;
import mu.micro.wire.events.RangeRequest;
import mu.micro.wire.events.RemoveGroupRequest;
import mu.micro.wire.events.TopicsGrpc;

/**
 * The events of a Micro server.
 * <p>
 * <strong>Reads</strong> end within the timeout, and are
 * {@link MicroException.Unavailable} if the server has not answered by then.
 * <p>
 * <strong>Appends</strong> end within the timeout too. One that did not reach the server
 * is {@link MicroException.Unavailable}; one that did, and was not answered, is
 * {@link MicroException.OutcomeUnknown}, and may be repeated with the same message.
 * <p>
 * <strong>Consumers</strong> outlive the server. They join when it has answered, within
 * the timeout, and join again whenever their connection broke; what they had not
 * acknowledged by then is delivered again, to whoever is in the group, and handlers that
 * run are interrupted.
 */
public final class RemoteEvents implements Scoped<Events> {

	/**
	 * How long handlers are waited for when closing before they are interrupted, and
	 * then.
	 */
	private static final Duration CLOSING = Duration.ofSeconds(2);

	private final Connection server;

	private final Duration silence;

	private final Set<RemoteConsumer> consumers = ConcurrentHashMap.newKeySet();

	/**
	 * The events of the server at an address. Nothing is asked before the first call.
	 * @param address the server's {@code host:port}; a host of several addresses is tried
	 * at each
	 * @param timeout how long one call may take
	 * @throws MicroException.Invalid if the address is none
	 */
	public RemoteEvents(String address, Duration timeout) {
		this(address, timeout, LastingCall.SILENCE);
	}

	RemoteEvents(String address, Duration timeout, Duration silence) {
		this.server = new Connection(address, timeout);
		this.silence = silence;
	}

	/**
	 * The events of the server behind a channel.
	 * @param address where the channel leads, for messages
	 * @param timeout how long one call may take
	 * @param channel the channel, closed by this
	 */
	public RemoteEvents(String address, Duration timeout, ManagedChannel channel) {
		this.server = new Connection(address, timeout, channel);
		this.silence = LastingCall.SILENCE;
	}

	@Override
	public Events in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	/**
	 * Ends all consumers. Handlers have two seconds to return, and are interrupted then.
	 */
	@Override
	public void close() {
		if (!this.server.leave()) {
			return;
		}
		this.consumers.forEach(RemoteConsumer::leave);
		awaitHandlers();
		this.consumers.forEach(RemoteConsumer::interrupt);
		awaitHandlers();
		CompletableFuture<?>[] left = this.consumers.stream()
			.map(RemoteConsumer::leave)
			.toArray(CompletableFuture<?>[]::new);
		Connection.awaitEnd(CompletableFuture.allOf(left), this.server.timeout());
		this.consumers.forEach(RemoteConsumer::cancel);
		this.server.close();
	}

	private void awaitHandlers() {
		long end = System.nanoTime() + CLOSING.toNanos();
		this.consumers.forEach((consumer) -> consumer.awaitHandlers(end));
	}

	private final class View implements Events {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public Event append(String topic, Message message) {
			AppendRequest request = AppendRequest.newBuilder()
				.setNamespace(this.namespace)
				.setAppend(Messages.toMessage(new Append(topic, message)))
				.build();
			return Messages
				.fromMessage(RemoteEvents.this.server.write(TopicsGrpc.getAppendMethod(), request).getEvent());
		}

		@Override
		public List<Event> read(String topic, long from, int limit) {
			RangeRequest request = RangeRequest.newBuilder()
				.setNamespace(this.namespace)
				.setTopic(topic(topic))
				.setFrom(from)
				.setLimit(limit)
				.build();
			return RemoteEvents.this.server.read(TopicsGrpc.getReadMethod(), request)
				.getEventsList()
				.stream()
				.map(Messages::fromMessage)
				.toList();
		}

		@Override
		public long offsetAt(String topic, Instant time) {
			OffsetAtRequest request = OffsetAtRequest.newBuilder()
				.setNamespace(this.namespace)
				.setTopic(topic(topic))
				.setTimeMs(Messages.milliseconds(time))
				.build();
			return RemoteEvents.this.server.read(TopicsGrpc.getOffsetAtMethod(), request).getOffset();
		}

		@Override
		public Set<String> topics() {
			NamesRequest request = NamesRequest.newBuilder().setNamespace(this.namespace).build();
			return Collections.unmodifiableSet(new LinkedHashSet<>(
					RemoteEvents.this.server.read(TopicsGrpc.getNamesMethod(), request).getTopicsList()));
		}

		@Override
		public List<GroupState> groups(String topic) {
			GroupsRequest request = GroupsRequest.newBuilder()
				.setNamespace(this.namespace)
				.setTopic(topic(topic))
				.build();
			return RemoteEvents.this.server.read(TopicsGrpc.getGroupsMethod(), request)
				.getGroupsList()
				.stream()
				.map(Messages::fromMessage)
				.toList();
		}

		@Override
		public boolean removeGroup(String topic, String group) {
			RemoveGroupRequest request = RemoveGroupRequest.newBuilder()
				.setNamespace(this.namespace)
				.setTopic(topic(topic))
				.setGroup(Limits.name("group's name", group))
				.build();
			return RemoteEvents.this.server.write(TopicsGrpc.getRemoveGroupMethod(), request).getFound();
		}

		@Override
		public Subscription consume(String topic, Group group, Handler handler) {
			ConsumeRequest.Builder request = ConsumeRequest.newBuilder()
				.setNamespace(this.namespace)
				.setTopic(topic(topic))
				.setGroup(group.name())
				.setAckWait(group.ackWait().toNanos())
				.setMaxDeliveries(group.maxDeliveries())
				.setMaxInFlight(group.maxInFlight())
				.setStandingMs(RemoteEvents.this.silence.dividedBy(3).toMillis())
				.setAcksAll(true);
			Messages.write(group.from(), request);
			if (!topic.endsWith(DEAD)) {
				Limits.name("topic for dead letters", topic + DEAD);
			}
			RemoteConsumer consumer = new RemoteConsumer(RemoteEvents.this.server, RemoteEvents.this.silence,
					request.build(), group, handler, RemoteEvents.this.consumers::remove);
			RemoteEvents.this.server.keep(RemoteEvents.this.consumers, consumer);
			consumer.join();
			return consumer;
		}

		private static String topic(String topic) {
			return Limits.name("topic", topic);
		}

	}

}
