package mu.micro.services;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.core.JsonText;
import mu.micro.wire.config.Change;
import mu.micro.wire.config.ChangeSet;
import mu.micro.wire.config.ConfigGrpc;
import mu.micro.wire.config.DeleteRequest;
import mu.micro.wire.config.DeleteResponse;
import mu.micro.wire.config.GetRequest;
import mu.micro.wire.config.GetResponse;
import mu.micro.wire.config.ReadRequest;
import mu.micro.wire.config.ReadResponse;
import mu.micro.wire.config.SetRequest;
import mu.micro.wire.config.SetResponse;
import mu.micro.wire.config.Value;
import mu.micro.wire.config.WatchRequest;
import mu.micro.wire.config.WatchResponse;
import org.jspecify.annotations.Nullable;

/**
 * Config on the wire. Secrets are encrypted and decrypted here, so clients need no key.
 * <p>
 * Handlers block and must not run on an event loop.
 */
public final class ConfigService extends ConfigGrpc.ConfigImplBase implements WatchedService, AutoCloseable {

	/**
	 * The name of the core service.
	 */
	public static final String NAME = "config";

	/**
	 * How many watches there may be at a time; one more is {@code RESOURCE_EXHAUSTED}.
	 */
	public static final int MOST_WATCHES = 10_000;

	private static final String FORMAT = "json";

	private final Scoped<Config> config;

	private final String namespace;

	private final Clock clock;

	private final OpenStreams watches;

	/**
	 * Serves config.
	 * @param config whose promises are kept; not closed by this
	 * @param namespace the namespace of calls that name none
	 * @param clock the time that {@code Read} tells
	 */
	public ConfigService(Scoped<Config> config, String namespace, Clock clock) {
		this(config, namespace, clock, MOST_WATCHES);
	}

	ConfigService(Scoped<Config> config, String namespace, Clock clock, int mostWatches) {
		this.config = config;
		this.namespace = Limits.name("namespace", namespace);
		this.clock = clock;
		this.watches = new OpenStreams(NAME, "watches", mostWatches);
	}

	@Override
	public void get(GetRequest request, StreamObserver<GetResponse> call) {
		Reply.with(NAME, call, () -> {
			Json found = find(request.getNamespace(), request.getPath(), request.getOptions().getSecret());
			return GetResponse.newBuilder().setValue(value(found)).build();
		});
	}

	@Override
	public void set(SetRequest request, StreamObserver<SetResponse> call) {
		Reply.with(NAME, call, () -> {
			String format = request.getValue().getFormat();
			if (!format.isEmpty() && !format.equals(FORMAT)) {
				throw new MicroException.Invalid(
						"the value's format '" + format + "' is not known; send it as " + FORMAT);
			}
			in(request.getNamespace()).set(request.getPath(), JsonText.parse(request.getValue().getData()),
					request.getOptions().getSecret());
			return SetResponse.getDefaultInstance();
		});
	}

	@Override
	public void delete(DeleteRequest request, StreamObserver<DeleteResponse> call) {
		Reply.with(NAME, call,
				() -> DeleteResponse.newBuilder()
					.setFound(in(request.getNamespace()).remove(request.getPath()))
					.build());
	}

	@Override
	@Deprecated
	public void read(ReadRequest request, StreamObserver<ReadResponse> call) {
		Reply.with(NAME, call, () -> {
			String data = JsonText.write(find(request.getNamespace(), request.getPath(), false));
			ChangeSet set = ChangeSet.newBuilder()
				.setData(data)
				.setChecksum(checksum(data))
				.setFormat(FORMAT)
				.setSource(NAME)
				.setTimestamp(this.clock.instant().getEpochSecond())
				.build();
			Change change = Change.newBuilder()
				.setNamespace(namespace(request.getNamespace()))
				.setPath(request.getPath())
				.setChangeSet(set)
				.build();
			return ReadResponse.newBuilder().setChange(change).build();
		});
	}

	@Override
	public void watch(WatchRequest request, StreamObserver<WatchResponse> observer) {
		AtomicReference<@Nullable Optional<Json>> latest = new AtomicReference<>();
		this.watches.open((ServerCallStreamObserver<WatchResponse>) observer, () -> {
			Optional<Json> state = latest.getAndSet(null);
			return (state != null) ? response(state) : null;
		}, (stream) -> stream.add(in(request.getNamespace()).watch(request.getPath(), request.getOptions().getSecret(),
				(state) -> stream.update(() -> latest.set(Optional.ofNullable(state))))));
	}

	private static WatchResponse response(Optional<Json> state) {
		WatchResponse.Builder response = WatchResponse.newBuilder();
		state.ifPresent((json) -> response.setValue(value(json)));
		return response.build();
	}

	private Json find(String namespace, String path, boolean reveal) {
		Json found = in(namespace).get(path, reveal);
		if (found == null) {
			throw new MicroException.NotFound("config '" + path + "' not found in namespace '" + namespace(namespace)
					+ "'; set it, or read the empty path for what there is");
		}
		return found;
	}

	private Config in(String namespace) {
		return this.config.in(namespace(namespace));
	}

	private String namespace(String name) {
		return (name.isEmpty()) ? this.namespace : name;
	}

	private static Value value(Json json) {
		return Value.newBuilder().setData(JsonText.write(json)).setFormat(FORMAT).build();
	}

	private static String checksum(String data) {
		try {
			return HexFormat.of()
				.formatHex(MessageDigest.getInstance("SHA-256").digest(data.getBytes(StandardCharsets.UTF_8)));
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException("this JDK has no SHA-256", ex);
		}
	}

	@Override
	public void endWatches() {
		this.watches.end();
	}

	@Override
	public void resumeWatches() {
		this.watches.resume();
	}

	/**
	 * Ends all watches for good.
	 */
	@Override
	public void close() {
		this.watches.close();
	}

}
