package mu.micro.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.grpc.stub.StreamObserver;
import mu.micro.wire.broker.BrokerGrpc;
import mu.micro.wire.broker.Empty;
import mu.micro.wire.broker.Message;
import mu.micro.wire.broker.PublishRequest;
import mu.micro.wire.broker.SubscribeRequest;
import mu.micro.wire.config.ConfigGrpc;
import mu.micro.wire.config.SetRequest;
import mu.micro.wire.config.SetResponse;
import mu.micro.wire.debug.DebugGrpc;
import mu.micro.wire.debug.StatsRequest;
import mu.micro.wire.debug.StatsResponse;
import mu.micro.wire.events.AckRequest;
import mu.micro.wire.events.AppendRequest;
import mu.micro.wire.events.AppendResponse;
import mu.micro.wire.events.ConsumeRequest;
import mu.micro.wire.events.Event;
import mu.micro.wire.events.Group;
import mu.micro.wire.events.GroupsRequest;
import mu.micro.wire.events.GroupsResponse;
import mu.micro.wire.events.NamesRequest;
import mu.micro.wire.events.NamesResponse;
import mu.micro.wire.events.RangeRequest;
import mu.micro.wire.events.RangeResponse;
import mu.micro.wire.events.StreamGrpc;
import mu.micro.wire.events.TopicsGrpc;
import mu.micro.wire.registry.GetRequest;
import mu.micro.wire.registry.GetResponse;
import mu.micro.wire.registry.ListRequest;
import mu.micro.wire.registry.ListResponse;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.RegistryGrpc;
import mu.micro.wire.registry.Result;
import mu.micro.wire.registry.Service;
import mu.micro.wire.registry.WatchRequest;
import mu.micro.wire.store.ApplyRequest;
import mu.micro.wire.store.ApplyResponse;
import mu.micro.wire.store.Blob;
import mu.micro.wire.store.BlobListRequest;
import mu.micro.wire.store.BlobListResponse;
import mu.micro.wire.store.BlobReadRequest;
import mu.micro.wire.store.BlobReadResponse;
import mu.micro.wire.store.BlobStoreGrpc;
import mu.micro.wire.store.BlobWriteRequest;
import mu.micro.wire.store.BlobWriteResponse;
import mu.micro.wire.store.DatabaseGrpc;
import mu.micro.wire.store.Entry;
import mu.micro.wire.store.PageRequest;
import mu.micro.wire.store.PageResponse;
import mu.micro.wire.store.SnapshotRequest;
import mu.micro.wire.store.SnapshotResponse;
import mu.micro.wire.store.TableEntry;
import mu.micro.wire.sync.AcquireRequest;
import mu.micro.wire.sync.AcquireResponse;
import mu.micro.wire.sync.SyncGrpc;

/**
 * Runs commands against a server of its own on loopback, so that an archive of classes
 * made meanwhile ({@code -XX:ArchiveClassesAtExit}) holds what commands load, whether or
 * not Micro is running.
 */
public final class Training {

	private static final List<String> COMMANDS = List.of("services", "services --output=json", "get service registry",
			"registry --help", "registry list-services --options.domain=micro",
			"call registry Registry.ListServices {\"options\":{}}", "stream registry Registry.Watch {}",
			"debug stats registry", "store read key", "store read key --prefix --verbose",
			"store read key --output=json", "store write key value --expiry=10s", "store list", "store delete key",
			"store snapshot -", "blob put key -", "blob get key", "blob list", "config get", "config set path {}",
			"lock run name -- true", "broker publish topic body", "broker subscribe topic --count=1",
			"events publish topic body", "events consume topic --group=name --count=1",
			"events read topic --limit=1 --verbose", "events topics", "events groups topic", "help", "help store read",
			"version");

	private Training() {
	}

	/**
	 * Trains, prints nothing, and ends the process.
	 * @param args not read
	 * @throws IOException if loopback has no port to listen on
	 */
	public static void main(String[] args) throws IOException {
		new QuietStart();
		System.exit(run());
	}

	/**
	 * Trains.
	 * @return 0, or the exit code of a command that failed
	 * @throws IOException if loopback has no port to listen on
	 */
	static int run() throws IOException {
		Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(new Registry())
			.addService(new Debug())
			.addService(new Store())
			.addService(new Blobs())
			.addService(new Config())
			.addService(new Sync())
			.addService(new Broker())
			.addService(new Topics())
			.addService(new Consuming())
			.addService(ProtoReflectionServiceV1.newInstance())
			.build()
			.start();
		try {
			PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
			Micro micro = new Micro(Map.of("MICRO_PROXY", "127.0.0.1:" + server.getPort()),
					InputStream.nullInputStream(), nowhere, nowhere);
			int failed = 0;
			for (String command : COMMANDS) {
				int code = micro.run(command.split(" "));
				// The lock is taken, so that nothing is run.
				failed = (code != 0 && code != LockCommands.TAKEN) ? code : failed;
			}
			return failed;
		}
		finally {
			server.shutdownNow();
		}
	}

	private static final class Registry extends RegistryGrpc.RegistryImplBase {

		private static final Service SERVICE = Service.newBuilder()
			.setName("registry")
			.setVersion("latest")
			.addNodes(Node.newBuilder().setId("one").setAddress("127.0.0.1:1").putMetadata("key", "value"))
			.build();

		@Override
		public void getService(GetRequest request, StreamObserver<GetResponse> call) {
			call.onNext(GetResponse.newBuilder().addServices(SERVICE).build());
			call.onCompleted();
		}

		@Override
		public void listServices(ListRequest request, StreamObserver<ListResponse> call) {
			call.onNext(ListResponse.newBuilder().addServices(SERVICE).build());
			call.onCompleted();
		}

		@Override
		public void watch(WatchRequest request, StreamObserver<Result> call) {
			call.onNext(Result.newBuilder().addServices(SERVICE).build());
			call.onCompleted();
		}

	}

	private static final class Debug extends DebugGrpc.DebugImplBase {

		@Override
		public void stats(StatsRequest request, StreamObserver<StatsResponse> call) {
			call.onNext(StatsResponse.newBuilder().setStarted(1).build());
			call.onCompleted();
		}

	}

	private static final class Store extends DatabaseGrpc.DatabaseImplBase {

		private static final Entry ENTRY = Entry.newBuilder()
			.setKey("key")
			.setRevision(1)
			.setExpires(Long.MAX_VALUE)
			.putMetadata("name", "value")
			.build();

		@Override
		public void get(mu.micro.wire.store.GetRequest request, StreamObserver<mu.micro.wire.store.GetResponse> call) {
			call.onNext(mu.micro.wire.store.GetResponse.newBuilder().setEntry(ENTRY).build());
			call.onCompleted();
		}

		@Override
		public void list(PageRequest request, StreamObserver<PageResponse> call) {
			call.onNext(PageResponse.newBuilder().addEntries(ENTRY).build());
			call.onCompleted();
		}

		@Override
		public void apply(ApplyRequest request, StreamObserver<ApplyResponse> call) {
			call.onNext(ApplyResponse.newBuilder().addRevisions(1).build());
			call.onCompleted();
		}

		@Override
		public void snapshot(SnapshotRequest request, StreamObserver<SnapshotResponse> call) {
			call.onNext(SnapshotResponse.newBuilder()
				.addEntries(TableEntry.newBuilder().setTable("table").setEntry(ENTRY))
				.setRevision(1)
				.build());
			call.onCompleted();
		}

	}

	private static final class Blobs extends BlobStoreGrpc.BlobStoreImplBase {

		// Of nothing at all.
		private static final Blob BLOB = Blob.newBuilder().setKey("key").setContentType("text/plain").build();

		@Override
		public void read(BlobReadRequest request, StreamObserver<BlobReadResponse> call) {
			call.onNext(BlobReadResponse.newBuilder().setKnown(BLOB).build());
			call.onCompleted();
		}

		@Override
		public StreamObserver<BlobWriteRequest> write(StreamObserver<BlobWriteResponse> call) {
			return new Requests<>() {

				@Override
				public void onNext(BlobWriteRequest message) {
					// Nothing is kept.
				}

				@Override
				public void onCompleted() {
					call.onNext(BlobWriteResponse.newBuilder().setKnown(BLOB).build());
					call.onCompleted();
				}

			};
		}

		@Override
		public void list(BlobListRequest request, StreamObserver<BlobListResponse> call) {
			call.onNext(BlobListResponse.newBuilder().addKnown(BLOB).build());
			call.onCompleted();
		}

	}

	private static final class Config extends ConfigGrpc.ConfigImplBase {

		@Override
		public void get(mu.micro.wire.config.GetRequest request,
				StreamObserver<mu.micro.wire.config.GetResponse> call) {
			call.onNext(mu.micro.wire.config.GetResponse.newBuilder()
				.setValue(mu.micro.wire.config.Value.newBuilder().setData("{\"key\":[1,\"text\"]}"))
				.build());
			call.onCompleted();
		}

		@Override
		public void set(SetRequest request, StreamObserver<SetResponse> call) {
			call.onNext(SetResponse.getDefaultInstance());
			call.onCompleted();
		}

	}

	private static final class Sync extends SyncGrpc.SyncImplBase {

		@Override
		public void acquire(AcquireRequest request, StreamObserver<AcquireResponse> call) {
			call.onNext(AcquireResponse.getDefaultInstance());
			call.onCompleted();
		}

	}

	private static final class Broker extends BrokerGrpc.BrokerImplBase {

		@Override
		public void publish(PublishRequest request, StreamObserver<Empty> call) {
			call.onNext(Empty.getDefaultInstance());
			call.onCompleted();
		}

		@Override
		public StreamObserver<SubscribeRequest> subscribe(StreamObserver<Message> call) {
			return new Requests<>() {

				@Override
				public void onNext(SubscribeRequest request) {
					call.onNext(Message.newBuilder().setStanding(true).build());
					call.onNext(Message.newBuilder().setId("one").build());
				}

			};
		}

	}

	private static final class Topics extends TopicsGrpc.TopicsImplBase {

		private static final Event EVENT = Event.newBuilder()
			.setTopic("topic")
			.setId("one")
			.setOffset(1)
			.setAttempt(1)
			.build();

		@Override
		public void append(AppendRequest request, StreamObserver<AppendResponse> call) {
			call.onNext(AppendResponse.newBuilder().setEvent(EVENT).build());
			call.onCompleted();
		}

		@Override
		public void read(RangeRequest request, StreamObserver<RangeResponse> call) {
			call.onNext(RangeResponse.newBuilder().addEvents(EVENT).build());
			call.onCompleted();
		}

		@Override
		public void names(NamesRequest request, StreamObserver<NamesResponse> call) {
			call.onNext(NamesResponse.newBuilder().addTopics("topic").build());
			call.onCompleted();
		}

		@Override
		public void groups(GroupsRequest request, StreamObserver<GroupsResponse> call) {
			call.onNext(GroupsResponse.newBuilder().addGroups(Group.newBuilder().setName("name").setNext(1)).build());
			call.onCompleted();
		}

	}

	private static final class Consuming extends StreamGrpc.StreamImplBase {

		@Override
		public StreamObserver<ConsumeRequest> consume(StreamObserver<Event> call) {
			return new Requests<>() {

				@Override
				public void onNext(ConsumeRequest request) {
					// All but the first are an AckRequest.
					if (request.getUnknownFields().hasField(AckRequest.LEAVING_FIELD_NUMBER)) {
						call.onCompleted();
					}
					else if (!request.getTopic().isEmpty()) {
						call.onNext(Event.newBuilder().setStanding(true).build());
						call.onNext(Topics.EVENT);
					}
				}

			};
		}

	}

	private abstract static class Requests<T> implements StreamObserver<T> {

		@Override
		public void onError(Throwable failure) {
			// The client's business.
		}

		@Override
		public void onCompleted() {
			// So is this.
		}

	}

}
