package mu.micro.services;

import java.util.List;

import com.google.protobuf.CodedOutputStream;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.grpc.Messages;
import mu.micro.wire.events.ReadRequest;
import mu.micro.wire.events.ReadResponse;
import mu.micro.wire.events.StoreGrpc;
import mu.micro.wire.events.WriteRequest;
import mu.micro.wire.events.WriteResponse;

/**
 * Reading events as Micro v3 has it. An answer has at most {@value #MOST_BYTES} bytes;
 * what would be more is {@code INVALID_ARGUMENT}, and read in parts.
 * <p>
 * Handlers block and must not run on an event loop.
 *
 * @see TopicsService
 */
public final class EventStoreService extends StoreGrpc.StoreImplBase {

	/**
	 * How many bytes one answer has at most: 32 MB.
	 */
	public static final int MOST_BYTES = 32 * 1024 * 1024;

	private static final String NAME = StreamService.NAME;

	private static final long DEFAULT_LIMIT = 250;

	private final Scoped<Events> events;

	private final String namespace;

	/**
	 * Serves events.
	 * @param events where the events are; not closed by this
	 * @param namespace the namespace of calls that name none
	 */
	public EventStoreService(Scoped<Events> events, String namespace) {
		this.events = events;
		this.namespace = Limits.name("namespace", namespace);
	}

	@Override
	public void read(ReadRequest request, StreamObserver<ReadResponse> call) {
		Reply.with(NAME, call, () -> {
			Events topics = this.events
				.in((request.getNamespace().isEmpty()) ? this.namespace : request.getNamespace());
			long limit = (request.getLimit() == 0) ? DEFAULT_LIMIT : request.getLimit();
			ReadResponse.Builder answer = ReadResponse.newBuilder();
			long from = first(topics, request);
			long bytes = 0;
			// Unsigned: what is negative here is more than there can be.
			while (from > 0 && (limit < 0 || answer.getEventsCount() < limit)) {
				long left = (limit < 0) ? Limits.PAGE : Math.min(Limits.PAGE, limit - answer.getEventsCount());
				List<Event> page = topics.read(request.getTopic(), from, (int) left);
				if (page.isEmpty()) {
					break;
				}
				for (Event event : page) {
					mu.micro.wire.events.Event message = Messages.toMessage(event);
					bytes += CodedOutputStream.computeMessageSize(ReadResponse.EVENTS_FIELD_NUMBER, message);
					if (bytes > MOST_BYTES) {
						throw new MicroException.Invalid("the events are more than " + MOST_BYTES
								+ " bytes, the limit of one answer; set limit, and go on with offset");
					}
					answer.addEvents(message);
				}
				from = page.get(page.size() - 1).offset() + 1;
			}
			return answer.build();
		});
	}

	/*
	 * The first offset to read; 0 if there is nothing so far on.
	 */
	private static long first(Events topics, ReadRequest request) {
		List<Event> oldest = topics.read(request.getTopic(), 0, 1);
		long skipped = request.getOffset();
		if (oldest.isEmpty() || skipped < 0 || skipped > Long.MAX_VALUE - oldest.get(0).offset()) {
			return 0;
		}
		return oldest.get(0).offset() + skipped;
	}

	@Override
	public void write(WriteRequest request, StreamObserver<WriteResponse> call) {
		Reply.error(NAME, call,
				new MicroException.Unimplemented("what is published is kept; publish it with Stream.Publish"));
	}

}
