package mu.micro.services;

import java.time.Instant;
import java.util.List;

import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.Outbox;
import mu.micro.grpc.Entries;
import mu.micro.grpc.Messages;
import mu.micro.store.TableWrite;
import mu.micro.wire.events.AppendRequest;
import mu.micro.wire.events.AppendResponse;
import mu.micro.wire.events.ApplyRequest;
import mu.micro.wire.events.ApplyResponse;
import mu.micro.wire.events.GroupsRequest;
import mu.micro.wire.events.GroupsResponse;
import mu.micro.wire.events.NamesRequest;
import mu.micro.wire.events.NamesResponse;
import mu.micro.wire.events.OffsetAtRequest;
import mu.micro.wire.events.OffsetAtResponse;
import mu.micro.wire.events.RangeRequest;
import mu.micro.wire.events.RangeResponse;
import mu.micro.wire.events.RemoveGroupRequest;
import mu.micro.wire.events.RemoveGroupResponse;
import mu.micro.wire.events.TopicsGrpc;
import org.jspecify.annotations.Nullable;

/**
 * Topics on the wire, whole but for consuming.
 * <p>
 * Handlers block and must not run on an event loop.
 *
 * @see StreamService
 */
public final class TopicsService extends TopicsGrpc.TopicsImplBase {

	private static final String NAME = StreamService.NAME;

	private final Scoped<Events> events;

	private final @Nullable Scoped<Outbox> outboxes;

	private final String namespace;

	/**
	 * Serves topics.
	 * @param events where the events are; not closed by this
	 * @param outboxes writes to the store with events, not closed by this; null where
	 * they are not kept in one place
	 * @param namespace the namespace of calls that name none
	 */
	public TopicsService(Scoped<Events> events, @Nullable Scoped<Outbox> outboxes, String namespace) {
		this.events = events;
		this.outboxes = outboxes;
		this.namespace = Limits.name("namespace", namespace);
	}

	@Override
	public void append(AppendRequest request, StreamObserver<AppendResponse> call) {
		Reply.with(NAME, call, () -> {
			Append append = Messages.fromMessage(request.getAppend());
			Event event = in(request.getNamespace()).append(append.topic(), append.message());
			return AppendResponse.newBuilder().setEvent(Messages.toMessage(event)).build();
		});
	}

	@Override
	public void read(RangeRequest request, StreamObserver<RangeResponse> call) {
		Reply.with(NAME, call, () -> {
			RangeResponse.Builder answer = RangeResponse.newBuilder();
			in(request.getNamespace()).read(request.getTopic(), request.getFrom(), request.getLimit())
				.forEach((event) -> answer.addEvents(Messages.toMessage(event)));
			return answer.build();
		});
	}

	@Override
	public void offsetAt(OffsetAtRequest request, StreamObserver<OffsetAtResponse> call) {
		Reply.with(NAME, call,
				() -> OffsetAtResponse.newBuilder()
					.setOffset(in(request.getNamespace()).offsetAt(request.getTopic(),
							Instant.ofEpochMilli(request.getTimeMs())))
					.build());
	}

	@Override
	public void names(NamesRequest request, StreamObserver<NamesResponse> call) {
		Reply.with(NAME, call,
				() -> NamesResponse.newBuilder().addAllTopics(in(request.getNamespace()).topics()).build());
	}

	@Override
	public void groups(GroupsRequest request, StreamObserver<GroupsResponse> call) {
		Reply.with(NAME, call, () -> {
			GroupsResponse.Builder answer = GroupsResponse.newBuilder();
			in(request.getNamespace()).groups(request.getTopic())
				.forEach((state) -> answer.addGroups(Messages.toMessage(state)));
			return answer.build();
		});
	}

	@Override
	public void removeGroup(RemoveGroupRequest request, StreamObserver<RemoveGroupResponse> call) {
		Reply.with(NAME, call,
				() -> RemoveGroupResponse.newBuilder()
					.setFound(in(request.getNamespace()).removeGroup(request.getTopic(), request.getGroup()))
					.build());
	}

	@Override
	public void apply(ApplyRequest request, StreamObserver<ApplyResponse> call) {
		Reply.with(NAME, call, () -> {
			List<TableWrite> writes = request.getWritesList().stream().map(Entries::fromMessage).toList();
			List<Append> appends = request.getAppendsList().stream().map(Messages::fromMessage).toList();
			if (this.outboxes == null) {
				throw new MicroException.Unimplemented(
						"the store and the events of this server are not kept in one place, so that nothing can be done"
								+ " to both in one step; write, then append");
			}
			ApplyResponse.Builder answer = ApplyResponse.newBuilder();
			this.outboxes.in(namespace(request.getNamespace()))
				.apply(writes, appends)
				.forEach((event) -> answer.addEvents(Messages.toMessage(event)));
			return answer.build();
		});
	}

	private Events in(String name) {
		return this.events.in(namespace(name));
	}

	private String namespace(String name) {
		return (name.isEmpty()) ? this.namespace : name;
	}

}
