package mu.micro.services;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import mu.micro.Lease;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.grpc.Errors;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import mu.micro.wire.errors.Error;
import mu.micro.wire.registry.Endpoint;
import mu.micro.wire.registry.GetRequest;
import mu.micro.wire.registry.ListRequest;
import mu.micro.wire.registry.Node;
import mu.micro.wire.registry.Options;
import mu.micro.wire.registry.RegistryGrpc;
import mu.micro.wire.registry.Result;
import mu.micro.wire.registry.Service;
import mu.micro.wire.registry.Value;
import mu.micro.wire.registry.WatchRequest;
import mu.micro.wire.sync.SyncGrpc;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

class RegistryServiceTests {

	private static final Duration TTL = Duration.ofSeconds(30);

	private final Counted registry = new Counted();

	private final Registry mine = this.registry.in("micro");

	private final RegistryService service = new RegistryService(this.registry, "micro", Duration.ofSeconds(5), 3);

	private final List<ClientCall<?, ?>> calls = new ArrayList<>();

	private Server server;

	private ManagedChannel channel;

	private RegistryGrpc.RegistryBlockingStub stub;

	@BeforeEach
	void startServer() throws Exception {
		this.server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(this.service)
			.addService(ProtoReflectionServiceV1.newInstance())
			.build()
			.start();
		// A window of its own size, so that little lies on the way to a client that takes
		// nothing.
		this.channel = NettyChannelBuilder
			.forTarget("dns:///127.0.0.1:" + this.server.getPort(), InsecureChannelCredentials.create())
			.flowControlWindow(64 * 1024)
			.build();
		this.stub = RegistryGrpc.newBlockingStub(this.channel);
	}

	@AfterEach
	void stopServer() throws Exception {
		this.calls.forEach((call) -> call.cancel("over", null));
		this.service.close();
		this.channel.shutdownNow();
		this.server.shutdownNow().awaitTermination();
		this.registry.close();
	}

	@Test
	void aNodeIsAnsweredWithItsAddressAndItsPort() {
		register(node("a", "10.0.0.1:4711").toBuilder().putMetadata("zone", "one").build());
		Service found = only("foo");
		assertThat(found.getName()).isEqualTo("foo");
		assertThat(found.getVersion()).isEqualTo("latest");
		assertThat(found.getNodesList()).containsExactly(Node.newBuilder()
			.setId("a")
			.setAddress("10.0.0.1:4711")
			.setPort(4711)
			.putMetadata("zone", "one")
			.build());
	}

	@Test
	void addressesAreReadInEveryForm() {
		register(Node.newBuilder().setId("a").setAddress("host").setPort(1).build());
		register(Node.newBuilder().setId("b").setAddress("[::1]:2").build());
		register(Node.newBuilder().setId("c").setAddress("fe80::1").setPort(3).build());
		assertThat(only("foo").getNodesList()).extracting(Node::getAddress)
			.containsExactly("host:1", "[::1]:2", "[fe80::1]:3");
		assertThat(this.mine.instances("foo")).extracting(Instance::host).containsExactly("host", "::1", "fe80::1");
	}

	@Test
	void whatIsNoAddressIsRefused() {
		for (String address : List.of("", "host", "host:", "host:port", "host:70000", ":80", "::1")) {
			assertThat(refused(() -> register(node("a", address)))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		assertThat(refused(() -> this.stub.register(Service.newBuilder().setName("foo").build())))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(refused(() -> register(node("", "host:1")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(refused(() -> this.stub.register(service(node("a", "host:1")).toBuilder().setName("").build())))
			.isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void eachVersionIsAServiceOfItsOwn() {
		this.mine.register(instance("a", 1), TTL);
		this.mine.register(new Instance("foo", "v2", "b", "127.0.0.1", 2, Map.of()), TTL);
		this.mine.register(instance("c", 3), TTL);
		List<Service> services = this.stub.getService(get("foo")).getServicesList();
		assertThat(services).extracting(Service::getVersion).containsExactly("latest", "v2");
		assertThat(services.get(0).getNodesList()).extracting(Node::getId).containsExactly("a", "c");
		assertThat(services.get(1).getNodesList()).extracting(Node::getId).containsExactly("b");
		assertThat(this.stub.listServices(ListRequest.getDefaultInstance()).getServicesList())
			.extracting((service) -> service.getName() + " " + service.getVersion())
			.containsExactly("foo latest", "foo v2");
	}

	@Test
	void aServiceThatIsNotThereIsNotFound() {
		StatusRuntimeException ex = failure(() -> this.stub.getService(get("nobody")));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		Error error = Errors.read("", ex.getStatus(), ex.getTrailers());
		assertThat(error.getId()).isEqualTo("registry");
		assertThat(error.getCode()).isEqualTo(404);
		assertThat(error.getDetail()).contains("service 'nobody' not found", "start it");
		assertThat(refused(() -> this.stub.getService(get("")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
	}

	@Test
	void aNamespaceIsSaidInTheOptionsAndIsTheServersOwnOtherwise() {
		Options elsewhere = Options.newBuilder().setDomain("elsewhere").build();
		this.stub.register(service(node("a", "host:1")).toBuilder().setOptions(elsewhere).build());
		assertThat(refused(() -> this.stub.getService(get("foo")))).isEqualTo(Status.Code.NOT_FOUND);
		assertThat(this.stub.getService(get("foo").toBuilder().setOptions(elsewhere).build()).getServicesList())
			.hasSize(1);
		assertThat(this.stub.listServices(ListRequest.getDefaultInstance()).getServicesList()).isEmpty();
		assertThat(this.stub.listServices(ListRequest.newBuilder().setOptions(elsewhere).build()).getServicesList())
			.hasSize(1);
		Options all = Options.newBuilder().setDomain("*").build();
		StatusRuntimeException ex = failure(
				() -> this.stub.listServices(ListRequest.newBuilder().setOptions(all).build()));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
		assertThat(ex.getStatus().getDescription()).contains("all namespaces", "'micro'");
	}

	@Test
	void endpointsAreReadFromALivingInstance() {
		register(node("a", "127.0.0.1:" + this.server.getPort()));
		Service found = only("foo");
		assertThat(found.getEndpointsList()).extracting(Endpoint::getName)
			.containsExactly("Registry.GetService", "Registry.Register", "Registry.Deregister", "Registry.ListServices",
					"Registry.Watch");
		assertThat(found.getEndpoints(0).getMetadataMap()).isEmpty();
		assertThat(found.getEndpoints(4).getMetadataMap()).containsExactly(Map.entry("stream", "true"));
		Value request = found.getEndpoints(0).getRequest();
		assertThat(request.getType()).isEqualTo("GetRequest");
		assertThat(request.getValuesList()).extracting((value) -> value.getName() + " " + value.getType())
			.containsExactly("service string", "options Options", "nodes_only bool");
		assertThat(request.getValues(1).getValuesList()).extracting(Value::getName)
			.containsExactly("ttl", "domain", "lease");
		assertThat(this.stub.getService(get("foo").toBuilder().setNodesOnly(true).build())
			.getServices(0)
			.getEndpointsList()).isEmpty();
	}

	@Test
	void ofAProcessThatServesSeveralOnlyTheEndpointsOfTheServiceAreTold() throws Exception {
		Server both = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
			.addService(this.service)
			.addService(new SyncGrpc.SyncImplBase() {
			})
			.addService(ProtoReflectionServiceV1.newInstance())
			.build()
			.start();
		try {
			for (String name : List.of("sync", "foo")) {
				this.mine.register(new Instance(name, "latest", "a", "127.0.0.1", both.getPort(), Map.of()), TTL);
			}
			assertThat(this.stub.getService(get("sync")).getServices(0).getEndpointsList())
				.extracting(Endpoint::getName)
				.isNotEmpty()
				.allMatch((name) -> name.startsWith("Sync."));
			assertThat(only("foo").getEndpointsList()).extracting(Endpoint::getName)
				.contains("Registry.Watch", "Sync.Acquire");
		}
		finally {
			both.shutdownNow().awaitTermination();
		}
	}

	@Test
	void anInstanceThatCannotBeAskedIsAnsweredWithoutEndpoints() {
		this.mine.register(instance("a", 1), TTL);
		assertThat(only("foo").getNodesList()).hasSize(1);
		assertThat(only("foo").getEndpointsList()).isEmpty();
	}

	@Test
	void registeringAgainRenewsWithoutTouchingTheRegistry() {
		register(node("a", "host:1"));
		register(node("a", "host:1"));
		long lease = this.stub.register(service(node("a", "host:1"))).getLease();
		assertThat(renew(lease, node("a", "host:1"))).isEqualTo(lease);
		assertThat(this.registry.registered).hasValue(1);
	}

	@Test
	void registeringAgainWithOtherContentReplaces() {
		register(node("a", "host:1"));
		register(node("a", "host:2"));
		assertThat(this.mine.instances("foo")).extracting(Instance::port).containsExactly(2);
		assertThat(this.registry.registered).hasValue(2);
	}

	@Test
	void aNodeThatIsNotRenewedEnds() {
		this.stub.register(service(node("a", "host:1")).toBuilder().setOptions(seconds(3)).build());
		this.stub.register(service(node("b", "host:2")));
		Awaitility.await()
			.during(Duration.ofSeconds(4))
			.atMost(Duration.ofSeconds(10))
			.pollInterval(Duration.ofMillis(100))
			.until(() -> {
				this.stub.register(service(node("a", "host:1")).toBuilder().setOptions(seconds(3)).build());
				return this.mine.instances("foo").size() == 2;
			});
		assertThat(this.registry.registered).hasValue(2);
		await(() -> this.mine.instances("foo").size() == 1);
		assertThat(this.mine.instances("foo")).extracting(Instance::id).containsExactly("b");
	}

	@Test
	void theTtlHasBounds() {
		for (long ttl : new long[] { -1, 86401, Long.MAX_VALUE }) {
			assertThat(refused(() -> this.stub
				.register(service(node("a", "host:1")).toBuilder().setOptions(seconds(ttl)).build())))
				.isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
		this.stub.register(service(node("a", "host:1")).toBuilder().setOptions(seconds(86400)).build());
	}

	@Test
	void aLaterLeaseIsNotTakenByAnEarlierOne() {
		long first = this.stub.register(service(node("a", "host:1"))).getLease();
		long second = this.stub.register(service(node("a", "host:2"))).getLease();
		assertThat(second).isGreaterThan(first);
		assertThat(refused(() -> renew(first, node("a", "host:1")))).isEqualTo(Status.Code.ALREADY_EXISTS);
		this.stub.deregister(leased(first, node("a", "host:1")));
		assertThat(this.mine.instances("foo")).extracting(Instance::port).containsExactly(2);
		assertThat(renew(second, node("a", "host:2"))).isEqualTo(second);
		this.stub.deregister(leased(second, node("a", "host:2")));
		assertThat(this.mine.instances("foo")).isEmpty();
	}

	@Test
	void aServerThatForgotTakesTheLaterLeaseWhoeverComesFirst() {
		renew(7, node("a", "host:1"));
		renew(8, node("a", "host:2"));
		assertThat(refused(() -> renew(7, node("a", "host:1")))).isEqualTo(Status.Code.ALREADY_EXISTS);
		assertThat(this.mine.instances("foo")).extracting(Instance::port).containsExactly(2);
		assertThat(this.stub.register(service(node("a", "host:3"))).getLease()).isGreaterThan(8);
	}

	@Test
	void aClockThatWentBackKeepsNobodyOut() {
		long ahead = TimeUnit.MILLISECONDS.toMicros(System.currentTimeMillis()) + TimeUnit.HOURS.toMicros(1);
		renew(ahead, node("a", "host:1"));
		assertThat(this.stub.register(service(node("a", "host:2"))).getLease()).isGreaterThan(ahead);
		for (long number : new long[] { -1, Long.MAX_VALUE }) {
			assertThat(refused(() -> renew(number, node("a", "host:1")))).isEqualTo(Status.Code.INVALID_ARGUMENT);
		}
	}

	@Test
	void aNodeAnnouncedElsewhereSinceIsNotTakenBack() {
		long lease = this.stub.register(service(node("a", "host:1"))).getLease();
		Lease elsewhere = this.mine.register(instance("a", 2), TTL);
		assertThat(refused(() -> renew(lease, node("a", "host:1")))).isEqualTo(Status.Code.ALREADY_EXISTS);
		elsewhere.close();
		renew(lease, node("a", "host:1"));
		assertThat(this.mine.instances("foo")).extracting(Instance::port).containsExactly(1);
	}

	@Test
	void deregisteringEndsANodeAndIsIdempotent() {
		register(node("a", "host:1"));
		register(node("b", "host:2"));
		this.stub.deregister(service(Node.newBuilder().setId("a").build()));
		this.stub.deregister(service(Node.newBuilder().setId("a").build()));
		assertThat(this.mine.instances("foo")).extracting(Instance::id).containsExactly("b");
	}

	@Test
	void theNumberOfNodesHasALimit() {
		register(node("a", "host:1"), node("b", "host:2"), node("c", "host:3"));
		StatusRuntimeException ex = failure(() -> register(node("d", "host:4")));
		assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
		assertThat(ex.getStatus().getDescription()).contains("3 nodes");
		register(node("a", "host:5"));
		this.stub.deregister(service(node("b", "host:2")));
		register(node("d", "host:4"));
		assertThat(this.mine.instances("foo")).extracting(Instance::id).containsExactly("a", "c", "d");
	}

	@Test
	void aWatchTellsChangesAndNothingAtTheStart() {
		this.mine.register(instance("a", 1), TTL);
		Watcher watcher = watch(WatchRequest.newBuilder().setService("foo").build(), 100);
		await(() -> this.registry.told.get() == 1);
		Lease second = this.mine.register(instance("b", 2), TTL);
		await(() -> watcher.said().equals(List.of("create foo latest [b]")));
		this.mine.register(instance("a", 3), TTL);
		await(() -> watcher.said().size() == 2);
		second.close();
		await(() -> watcher.said().size() == 3);
		this.mine.register(new Instance("foo", "v2", "a", "127.0.0.1", 3, Map.of()), TTL);
		await(() -> watcher.said().size() == 5);
		assertThat(watcher.said()).containsExactly("create foo latest [b]", "update foo latest [a]",
				"delete foo latest [b]", "delete foo latest [a]", "create foo v2 [a]");
		assertThat(watcher.results.get(1).getService().getNodes(0).getPort()).isEqualTo(3);
		assertThat(watcher.results.get(1).getTimestamp()).isPositive();
	}

	@Test
	void allServicesCanBeWatched() {
		this.mine.register(instance("a", 1), TTL);
		Watcher watcher = watch(WatchRequest.getDefaultInstance(), 100);
		await(() -> this.registry.told.get() == 2);
		Lease bar = this.mine.register(new Instance("bar", "latest", "b", "127.0.0.1", 2, Map.of()), TTL);
		await(() -> watcher.said().equals(List.of("create bar latest [b]")));
		bar.close();
		await(() -> watcher.said().size() == 2 && this.registry.watches.get() == 2);
		this.mine.register(new Instance("bar", "latest", "c", "127.0.0.1", 2, Map.of()), TTL);
		await(() -> watcher.said().size() == 3);
		this.mine.register(instance("a", 3), TTL);
		await(() -> watcher.said().size() == 4);
		assertThat(watcher.said()).containsExactly("create bar latest [b]", "delete bar latest [b]",
				"create bar latest [c]", "update foo latest [a]");
		watcher.call.cancel("enough", null);
		await(() -> this.registry.watches.get() == 0);
	}

	@Test
	void aWholeWatchTellsAllAtOnceAndAfterEachChange() {
		this.mine.register(instance("a", 1), TTL);
		Watcher watcher = watch(WatchRequest.newBuilder().setService("foo").setWhole(true).build(), 100);
		await(() -> watcher.results.size() == 1);
		assertThat(watcher.whole(0)).containsExactly("foo latest [a]");
		Lease second = this.mine.register(new Instance("foo", "v2", "b", "127.0.0.1", 2, Map.of()), TTL);
		await(() -> watcher.results.size() == 2);
		assertThat(watcher.whole(1)).containsExactly("foo latest [a]", "foo v2 [b]");
		second.close();
		await(() -> watcher.results.size() == 3);
		assertThat(watcher.whole(2)).containsExactly("foo latest [a]");
		Watcher nothing = watch(WatchRequest.newBuilder().setService("nobody").setWhole(true).build(), 100);
		await(() -> nothing.results.size() == 1);
		assertThat(nothing.whole(0)).isEmpty();
		Watcher names = watch(WatchRequest.newBuilder().setWhole(true).build(), 100);
		await(() -> names.results.size() == 1);
		assertThat(names.whole(0)).containsExactly("foo  []");
	}

	@Test
	void aSlowClientGetsTheLastStateAndNothingPilesUp() {
		Watcher whole = watch(WatchRequest.newBuilder().setService("foo").setWhole(true).build(), 0);
		Watcher changes = watch(WatchRequest.newBuilder().setService("foo").build(), 0);
		await(() -> this.registry.told.get() == 2);
		String filler = "x".repeat(900);
		int last = 500;
		for (int i = 1; i <= last; i++) {
			this.mine.register(new Instance("foo", "latest", "a", "127.0.0.1", i, Map.of("filler", filler)), TTL);
		}
		whole.call.request(1000);
		changes.call.request(1000);
		await(() -> !whole.results.isEmpty() && last == port(whole.last().getServices(0)));
		await(() -> !changes.results.isEmpty() && last == port(changes.last().getService()));
		assertThat(whole.results).hasSizeLessThan(200);
		assertThat(changes.results).hasSizeLessThan(200);
		assertThat(changes.said().get(0)).isEqualTo("create foo latest [a]");
		// None at all where the first was not sent before the last was made.
		assertThat(changes.said().subList(1, changes.said().size())).allMatch("update foo latest [a]"::equals);
	}

	@Test
	void aWatchEndsWhenItsClientGoesAway() {
		Watcher one = watch(WatchRequest.newBuilder().setService("foo").setWhole(true).build(), 1);
		Watcher other = watch(WatchRequest.newBuilder().setService("foo").build(), 1);
		await(() -> this.registry.watches.get() == 2);
		one.call.cancel("enough", null);
		await(() -> this.registry.watches.get() == 1);
		this.channel.shutdownNow();
		await(() -> this.registry.watches.get() == 0);
		assertThat(other.results).isEmpty();
	}

	@Test
	void watchesEndWhenTheServerIsAboutToStop() throws Exception {
		Watcher watcher = watch(WatchRequest.newBuilder().setWhole(true).build(), 10);
		await(() -> watcher.results.size() == 1 && this.registry.watches.get() == 1);
		this.service.endWatches();
		await(() -> watcher.status.get() != null);
		assertThat(watcher.status.get().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
		await(() -> this.registry.watches.get() == 0);
		Watcher late = watch(WatchRequest.newBuilder().setWhole(true).build(), 10);
		await(() -> late.status.get() != null);
		register(node("a", "host:1"));
		assertThat(this.server.shutdown().awaitTermination(5, TimeUnit.SECONDS)).isTrue();
	}

	@Test
	void watchesAreTakenAgainWhenTheServerIsStartedAgain() {
		this.service.endWatches();
		this.service.resumeWatches();
		Watcher watcher = watch(WatchRequest.newBuilder().setWhole(true).build(), 10);
		await(() -> watcher.results.size() == 1);
		this.service.close();
		await(() -> watcher.status.get() != null);
		this.service.resumeWatches();
		Watcher late = watch(WatchRequest.newBuilder().setWhole(true).build(), 10);
		await(() -> late.status.get() != null);
		assertThat(late.status.get().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
	}

	@Test
	void endpointsAreToldWhileTheServerIsAboutToStop() {
		register(node("a", "127.0.0.1:" + this.server.getPort()));
		this.service.endWatches();
		assertThat(only("foo").getEndpointsList()).isNotEmpty();
	}

	@Test
	void closingEndsWhatIsKeptForOthers() {
		register(node("a", "host:1"), node("b", "host:2"));
		this.service.close();
		this.service.close();
		assertThat(this.mine.instances("foo")).isEmpty();
		assertThat(refused(() -> register(node("a", "host:1")))).isEqualTo(Status.Code.UNAVAILABLE);
	}

	private Watcher watch(WatchRequest request, int wanted) {
		ClientCall<WatchRequest, Result> call = this.channel.newCall(RegistryGrpc.getWatchMethod(),
				CallOptions.DEFAULT);
		this.calls.add(call);
		Watcher watcher = new Watcher(call);
		call.start(watcher, new Metadata());
		call.sendMessage(request);
		call.halfClose();
		if (wanted > 0) {
			call.request(wanted);
		}
		return watcher;
	}

	private void register(Node... nodes) {
		this.stub.register(service(nodes));
	}

	private long renew(long lease, Node node) {
		return this.stub.register(leased(lease, node)).getLease();
	}

	private Service only(String name) {
		List<Service> services = this.stub.getService(get(name)).getServicesList();
		assertThat(services).hasSize(1);
		return services.get(0);
	}

	private static Service leased(long lease, Node node) {
		return service(node).toBuilder().setOptions(Options.newBuilder().setLease(lease)).build();
	}

	private static Service service(Node... nodes) {
		return Service.newBuilder().setName("foo").addAllNodes(List.of(nodes)).build();
	}

	private static Node node(String id, String address) {
		return Node.newBuilder().setId(id).setAddress(address).build();
	}

	private static Options seconds(long ttl) {
		return Options.newBuilder().setTtl(ttl).build();
	}

	private static GetRequest get(String name) {
		return GetRequest.newBuilder().setService(name).build();
	}

	private static Instance instance(String id, int port) {
		return new Instance("foo", "latest", id, "127.0.0.1", port, Map.of());
	}

	private static int port(Service service) {
		return (int) service.getNodes(0).getPort();
	}

	private static StatusRuntimeException failure(Runnable call) {
		return catchThrowableOfType(StatusRuntimeException.class, call::run);
	}

	private static Status.Code refused(Runnable call) {
		StatusRuntimeException ex = failure(call);
		return (ex != null) ? ex.getStatus().getCode() : Status.Code.OK;
	}

	private static void await(BooleanSupplier condition) {
		Awaitility.await()
			.atMost(Duration.ofSeconds(10))
			.pollInterval(Duration.ofMillis(10))
			.until(condition::getAsBoolean);
	}

	/**
	 * A client that takes as many results as it asked for.
	 */
	private static final class Watcher extends ClientCall.Listener<Result> {

		private final ClientCall<WatchRequest, Result> call;

		private final List<Result> results = new CopyOnWriteArrayList<>();

		private final AtomicReference<Status> status = new AtomicReference<>();

		Watcher(ClientCall<WatchRequest, Result> call) {
			this.call = call;
		}

		@Override
		public void onMessage(Result result) {
			this.results.add(result);
		}

		@Override
		public void onClose(Status status, Metadata trailers) {
			this.status.set(status);
		}

		Result last() {
			return this.results.get(this.results.size() - 1);
		}

		List<String> said() {
			return this.results.stream().map((result) -> result.getAction() + " " + text(result.getService())).toList();
		}

		List<String> whole(int index) {
			return this.results.get(index).getServicesList().stream().map(Watcher::text).toList();
		}

		private static String text(Service service) {
			return service.getName() + " " + service.getVersion() + " "
					+ service.getNodesList().stream().map(Node::getId).toList();
		}

	}

	/**
	 * A registry in memory that counts what is done with it.
	 */
	private static final class Counted implements Scoped<Registry> {

		private final MemoryRegistry registry = new MemoryRegistry();

		private final AtomicInteger registered = new AtomicInteger();

		private final AtomicInteger watches = new AtomicInteger();

		private final AtomicInteger told = new AtomicInteger();

		@Override
		public Registry in(String namespace) {
			Registry scoped = this.registry.in(namespace);
			return new Registry() {

				@Override
				public Lease register(Instance instance, Duration ttl) {
					Counted.this.registered.incrementAndGet();
					return scoped.register(instance, ttl);
				}

				@Override
				public List<Instance> instances(String service) {
					return scoped.instances(service);
				}

				@Override
				public Set<String> services() {
					return scoped.services();
				}

				@Override
				public Subscription watch(String service, Consumer<List<Instance>> listener) {
					return counted(scoped.watch(service, telling(listener)));
				}

				@Override
				public Subscription watch(Consumer<Set<String>> listener) {
					return counted(scoped.watch(telling(listener)));
				}

			};
		}

		private <T> Consumer<T> telling(Consumer<T> listener) {
			return (state) -> {
				listener.accept(state);
				this.told.incrementAndGet();
			};
		}

		private Subscription counted(Subscription subscription) {
			this.watches.incrementAndGet();
			return () -> {
				subscription.close();
				this.watches.decrementAndGet();
			};
		}

		@Override
		public void close() {
			this.registry.close();
		}

	}

}
