package mu.micro.remote;

import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

import io.grpc.ManagedChannel;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.core.JsonText;
import mu.micro.core.LatestState;
import mu.micro.wire.config.ConfigGrpc;
import mu.micro.wire.config.DeleteRequest;
import mu.micro.wire.config.GetRequest;
import mu.micro.wire.config.Options;
import mu.micro.wire.config.SetRequest;
import mu.micro.wire.config.Value;
import mu.micro.wire.config.WatchRequest;
import mu.micro.wire.config.WatchResponse;
import org.jspecify.annotations.Nullable;

/**
 * The config of a Micro server, which keeps the keys of secrets to itself.
 * <p>
 * <strong>Reads</strong> end within the timeout, and are
 * {@link MicroException.Unavailable} if the server has not answered by then.
 * <p>
 * <strong>Changes</strong> end within the timeout too. One that did not reach the server
 * is {@link MicroException.Unavailable}; one that did, and was not answered, is
 * {@link MicroException.OutcomeUnknown}, be it that the server went away, the time was
 * over, the caller gave up or its thread was interrupted.
 * <p>
 * <strong>Watches</strong> outlive the server. They begin to tell when it can be reached,
 * keep silent while it is away, and tell the state anew if it is another one when it is
 * back. Opening one never fails because the server is away.
 */
public final class RemoteConfig implements Scoped<Config> {

	/**
	 * A watch is asked for again after this, so that a connection that died in silence is
	 * noticed.
	 */
	private static final Duration WATCH = Duration.ofMinutes(1);

	private static final String FORMAT = "json";

	private final Connection server;

	private final Duration watch;

	private final Set<Watch> watches = ConcurrentHashMap.newKeySet();

	/**
	 * The config of the server at an address. Nothing is asked before the first call.
	 * @param address the server's {@code host:port}; a host of several addresses is tried
	 * at each
	 * @param timeout how long one call may take
	 * @throws MicroException.Invalid if the address is none
	 */
	public RemoteConfig(String address, Duration timeout) {
		this(address, timeout, WATCH);
	}

	RemoteConfig(String address, Duration timeout, Duration watch) {
		this.server = new Connection(address, timeout);
		this.watch = watch;
	}

	/**
	 * The config of the server behind a channel.
	 * @param address where the channel leads, for messages
	 * @param timeout how long one call may take
	 * @param channel the channel, closed by this
	 */
	public RemoteConfig(String address, Duration timeout, ManagedChannel channel) {
		this.server = new Connection(address, timeout, channel);
		this.watch = WATCH;
	}

	@Override
	public Config in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public void close() {
		if (!this.server.leave()) {
			return;
		}
		this.watches.forEach((watch) -> watch.delivery.close());
		this.server.close();
	}

	private static Options secret(boolean secret) {
		return Options.newBuilder().setSecret(secret).build();
	}

	/**
	 * A watch that outlives the server.
	 */
	private final class Watch {

		private final LatestState<Optional<Json>> delivery;

		private final LastingCall<WatchRequest, WatchResponse> call;

		Watch(WatchRequest request, Consumer<@Nullable Json> listener) {
			this.delivery = new LatestState<>(RemoteConfig.this.server.executor(),
					(state) -> listener.accept(state.orElse(null)), this::end);
			this.call = new LastingCall<>(RemoteConfig.this.server, ConfigGrpc.getWatchMethod(),
					RemoteConfig.this.watch, RemoteConfig.this.watch, () -> request, (answer, more) -> {
						this.delivery.offer((answer.hasValue())
								? Optional.of(JsonText.parse(answer.getValue().getData())) : Optional.empty());
						more.run();
					});
		}

		private void end() {
			RemoteConfig.this.watches.remove(this);
			this.call.close();
		}

	}

	private final class View implements Config {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public @Nullable Json get(String path, boolean reveal) {
			Config.names(path);
			GetRequest request = GetRequest.newBuilder()
				.setNamespace(this.namespace)
				.setPath(path)
				.setOptions(secret(reveal))
				.build();
			try {
				return JsonText
					.parse(RemoteConfig.this.server.read(ConfigGrpc.getGetMethod(), request).getValue().getData());
			}
			catch (MicroException.NotFound ex) {
				return null;
			}
		}

		@Override
		public void set(String path, Json value, boolean secret) {
			Config.names(path);
			String text = Limits.text("JSON to set", JsonText.write(value), Config.DOCUMENT);
			SetRequest request = SetRequest.newBuilder()
				.setNamespace(this.namespace)
				.setPath(path)
				.setValue(Value.newBuilder().setData(text).setFormat(FORMAT))
				.setOptions(secret(secret))
				.build();
			RemoteConfig.this.server.write(ConfigGrpc.getSetMethod(), request);
		}

		@Override
		public boolean remove(String path) {
			Config.names(path);
			DeleteRequest request = DeleteRequest.newBuilder().setNamespace(this.namespace).setPath(path).build();
			return RemoteConfig.this.server.write(ConfigGrpc.getDeleteMethod(), request).getFound();
		}

		@Override
		public Subscription watch(String path, boolean reveal, Consumer<@Nullable Json> listener) {
			Config.names(path);
			WatchRequest request = WatchRequest.newBuilder()
				.setNamespace(this.namespace)
				.setPath(path)
				.setOptions(secret(reveal))
				.build();
			Watch watch = new Watch(request, listener);
			RemoteConfig.this.server.keep(RemoteConfig.this.watches, watch);
			watch.call.open();
			return watch.delivery;
		}

	}

}
