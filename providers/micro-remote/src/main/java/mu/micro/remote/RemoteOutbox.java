package mu.micro.remote;

import java.time.Duration;
import java.util.List;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Outbox;
import mu.micro.grpc.Entries;
import mu.micro.grpc.Messages;
import mu.micro.store.TableWrite;
import mu.micro.wire.events.ApplyRequest;
import mu.micro.wire.events.TopicsGrpc;

/**
 * The outboxes of a Micro server, which are {@link MicroException.Unimplemented} where
 * the server keeps its store and its events in two places.
 * <p>
 * A call ends within the timeout. One that did not reach the server is
 * {@link MicroException.Unavailable}; one that did, and was not answered, is
 * {@link MicroException.OutcomeUnknown}.
 */
public final class RemoteOutbox implements Scoped<Outbox> {

	private final Connection server;

	/**
	 * The outboxes of the server at an address. Nothing is asked before the first call.
	 * @param address the server's {@code host:port}; a host of several addresses is tried
	 * at each
	 * @param timeout how long one call may take
	 * @throws MicroException.Invalid if the address is none
	 */
	public RemoteOutbox(String address, Duration timeout) {
		this.server = new Connection(address, timeout);
	}

	@Override
	public Outbox in(String namespace) {
		Limits.name("namespace", namespace);
		return (writes, appends) -> apply(namespace, writes, appends);
	}

	private List<Event> apply(String namespace, List<TableWrite> writes, List<Append> appends) {
		List<TableWrite> checked = (writes.isEmpty()) ? List.of() : TableWrite.batch(writes);
		ApplyRequest.Builder request = ApplyRequest.newBuilder().setNamespace(namespace);
		checked.forEach((each) -> request.addWrites(Entries.toMessage(each)));
		Append.batch(checked, appends).forEach((each) -> request.addAppends(Messages.toMessage(each)));
		return this.server.write(TopicsGrpc.getApplyMethod(), request.build())
			.getEventsList()
			.stream()
			.map(Messages::fromMessage)
			.toList();
	}

	@Override
	public void close() {
		this.server.close();
	}

}
