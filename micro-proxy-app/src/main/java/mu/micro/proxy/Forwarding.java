package mu.micro.proxy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Context;
import io.grpc.ForwardingServerCallListener;
import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import mu.micro.MicroException;
import mu.micro.grpc.Channels;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.jspecify.annotations.Nullable;

/**
 * Every method of every service: each call goes to the service that it is for, whatever
 * kind of call it is. What the proxy answers itself it answers only where no header names
 * a service.
 */
final class Forwarding extends HandlerRegistry {

	private static final int MOST_METHODS = 10_000;

	private static final int LONGEST_KEPT = 256;

	/**
	 * Bytes in one question to the proxy itself.
	 */
	private static final int MOST_OWN = 64 * 1024;

	private static final String JSON = "application/grpc+json";

	private final Routes routes;

	private final Registry registry;

	private final Channels channels;

	private final Executor blocking;

	private final Map<String, ServerMethodDefinition<?, ?>> own = new HashMap<>();

	private final Map<String, ServerMethodDefinition<?, ?>> methods = new ConcurrentHashMap<>();

	/**
	 * Passes calls on.
	 * @param routes which service a call is for
	 * @param registry where a single instance is looked up
	 * @param channels how services are reached
	 * @param blocking where looking up may block
	 * @param own what the proxy answers itself
	 */
	Forwarding(Routes routes, Registry registry, Channels channels, Executor blocking,
			List<ServerServiceDefinition> own) {
		this.routes = routes;
		this.registry = registry;
		this.channels = channels;
		this.blocking = blocking;
		for (ServerServiceDefinition service : own) {
			ServerInterceptors
				.intercept(ServerInterceptors.useMarshalledMessages(service, Payloads.MARSHALLER), new UnlessNamed())
				.getMethods()
				.forEach((method) -> this.own.put(method.getMethodDescriptor().getFullMethodName(), method));
		}
	}

	@Override
	public ServerMethodDefinition<?, ?> lookupMethod(String name, @Nullable String authority) {
		ServerMethodDefinition<?, ?> method = this.own.get(name);
		if (method == null) {
			method = this.methods.get(name);
		}
		return (method != null) ? method : add(name);
	}

	private ServerMethodDefinition<?, ?> add(String name) {
		ServerMethodDefinition<?, ?> method = ServerMethodDefinition.create(describe(name), this::start);
		if (name.length() <= LONGEST_KEPT) {
			// Callers choose the names: what they fill is emptied.
			if (this.methods.size() >= MOST_METHODS) {
				this.methods.clear();
			}
			this.methods.put(name, method);
		}
		return method;
	}

	private static MethodDescriptor<InputStream, InputStream> describe(String name) {
		return MethodDescriptor.newBuilder(Payloads.MARSHALLER, Payloads.MARSHALLER)
			.setFullMethodName(name)
			.setType(MethodDescriptor.MethodType.UNKNOWN)
			.build();
	}

	private ServerCall.Listener<InputStream> start(ServerCall<InputStream, InputStream> call, Metadata headers) {
		try {
			refuseJson(headers);
			Headers.checkSize(headers, call.getMethodDescriptor().getFullMethodName());
			MethodDescriptor<InputStream, InputStream> method = call.getMethodDescriptor();
			String service = this.routes.find(headers.get(Headers.SERVICE), method.getServiceName());
			CallMeter.routed(service);
			String instance = headers.get(Headers.INSTANCE);
			CallOptions options = Headers.passOn(headers);
			if (instance == null) {
				return relay(call, headers, service, this.channels.to(service), options);
			}
			Later later = new Later(call);
			this.blocking.execute(Context.current()
				.wrap(() -> later.start(() -> to(service, instance),
						(channel) -> relay(call, headers, service, channel, options))));
			return later;
		}
		catch (MicroException ex) {
			return Refusal.of(ex).end(call);
		}
	}

	private static Relay relay(ServerCall<InputStream, InputStream> call, Metadata headers, String service,
			Channel channel, CallOptions options) {
		MethodDescriptor<InputStream, InputStream> method = call.getMethodDescriptor();
		// The kind of a method that the proxy answers itself is known, and may be no more
		// than a guess at another's.
		MethodDescriptor<InputStream, InputStream> passed = (method.getType() == MethodDescriptor.MethodType.UNKNOWN)
				? method : describe(method.getFullMethodName());
		return Relay.start(call, headers, passed, channel, options, service);
	}

	private Channel to(String service, String id) {
		Instance instance = this.registry.instances(service)
			.stream()
			.filter((candidate) -> candidate.id().equals(id))
			.findFirst()
			.orElseThrow(() -> new MicroException.NotFound("'" + service + "' has no instance '" + id
					+ "', which the micro-instance header names: leave the header out to reach any instance, or "
					+ "see 'micro get service " + service + "' for their ids"));
		return this.channels.to(instance);
	}

	private static void refuseJson(Metadata headers) {
		String type = headers.get(Headers.CONTENT_TYPE);
		if (type != null && type.startsWith(JSON)) {
			throw new MicroException.Unimplemented("the proxy does not read " + JSON
					+ ": send Protocol Buffers as application/grpc, or JSON to the gateway");
		}
	}

	/**
	 * Passes a call of the proxy's own methods on if a header names a service.
	 */
	private final class UnlessNamed implements ServerInterceptor {

		@Override
		@SuppressWarnings("unchecked")
		public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers,
				ServerCallHandler<Q, A> next) {
			if (!headers.containsKey(Headers.SERVICE)) {
				return (ServerCall.Listener<Q>) new Own((ServerCall<InputStream, InputStream>) call,
						(ServerCall.Listener<InputStream>) next.startCall(call, headers));
			}
			return (ServerCall.Listener<Q>) start((ServerCall<InputStream, InputStream>) call, headers);
		}

	}

	/**
	 * Hands the proxy's own methods messages that they can read, and none that is large.
	 */
	private static final class Own
			extends ForwardingServerCallListener.SimpleForwardingServerCallListener<InputStream> {

		private final ServerCall<InputStream, InputStream> call;

		private boolean refused;

		Own(ServerCall<InputStream, InputStream> call, ServerCall.Listener<InputStream> listener) {
			super(listener);
			this.call = call;
		}

		@Override
		public void onMessage(InputStream message) {
			if (refuse(message)) {
				return;
			}
			super.onMessage(Payloads.copy(message));
		}

		private boolean refuse(InputStream message) {
			try {
				if (!this.refused && message.available() <= MOST_OWN) {
					return false;
				}
				message.close();
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
			if (this.refused) {
				return true;
			}
			this.refused = true;
			Refusal
				.of(new MicroException.Exhausted("the proxy's own services take messages of up to " + MOST_OWN
						+ " bytes: ask for less at a time"))
				.end(this.call);
			return true;
		}

		@Override
		public void onHalfClose() {
			if (!this.refused) {
				super.onHalfClose();
			}
		}

		@Override
		public void onReady() {
			if (!this.refused) {
				super.onReady();
			}
		}

	}

}
