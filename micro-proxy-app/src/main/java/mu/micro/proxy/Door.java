package mu.micro.proxy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import mu.micro.autoconfigure.PortTakenException;
import mu.micro.grpc.Channels;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.context.SmartLifecycle;

/**
 * The port that callers of all services connect to. It listens before the application
 * registers and closes after it has left the registry.
 */
final class Door implements SmartLifecycle {

	/**
	 * Before and after Boot's gRPC server, whose phase is the last.
	 */
	private static final int PHASE = Integer.MAX_VALUE - 512;

	/**
	 * What one stream may have on its way here: with the messages themselves, all that a
	 * slow service makes the proxy keep.
	 */
	private static final int WINDOW = 256 * 1024;

	/**
	 * More than goes on to services, so that callers hear why theirs are refused.
	 */
	private static final int MAX_HEADERS = 16 * 1024;

	/**
	 * Streams that one connection may reset, or make the proxy reset, in ten seconds: far
	 * above what clients do whose calls time out, far below what an attack needs.
	 */
	private static final int MAX_RESETS = 2000;

	private static final int RESETS_WINDOW_SECONDS = 10;

	private static final int HANDSHAKE_SECONDS = 10;

	private static final int SHORTEST_PING_SECONDS = 10;

	private static final int PING_SECONDS = 60;

	private static final int PING_TIMEOUT_SECONDS = 20;

	private static final int IDLE_MINUTES = 15;

	private static final int CUT_OFF_SECONDS = 1;

	private static final Log logger = LogFactory.getLog(Door.class);

	private final InetSocketAddress address;

	private final ProxyProperties properties;

	private final Forwarding forwarding;

	private final HealthService health;

	private final Channels channels;

	private final CallMeter meter;

	private volatile @Nullable Server server;

	/**
	 * Closed.
	 * @param host the address to listen on
	 * @param properties the port and the limits
	 * @param forwarding where calls go
	 * @param health told before the door closes
	 * @param channels how services are reached; closed when the time to drain is over, so
	 * that callers hear of an error
	 * @param meter counts calls
	 */
	Door(String host, ProxyProperties properties, Forwarding forwarding, HealthService health, Channels channels,
			CallMeter meter) {
		this.address = new InetSocketAddress(host, properties.port());
		this.properties = properties;
		this.forwarding = forwarding;
		this.health = health;
		this.channels = channels;
		this.meter = meter;
	}

	/**
	 * The port that is listened on.
	 * @return the port
	 * @throws IllegalStateException if the door is closed
	 */
	int port() {
		Server running = this.server;
		if (running == null) {
			throw new IllegalStateException("the door is closed");
		}
		return running.getPort();
	}

	@Override
	public void start() {
		Server starting = NettyServerBuilder.forAddress(this.address, InsecureServerCredentials.create())
			.directExecutor()
			.fallbackHandlerRegistry(this.forwarding)
			.addStreamTracerFactory(this.meter)
			.maxInboundMessageSize(this.properties.maxMessageBytes())
			.maxInboundMetadataSize(MAX_HEADERS)
			.maxConcurrentCallsPerConnection(this.properties.maxCallsPerConnection())
			.maxRstFramesPerWindow(MAX_RESETS, RESETS_WINDOW_SECONDS)
			.flowControlWindow(WINDOW)
			.handshakeTimeout(HANDSHAKE_SECONDS, TimeUnit.SECONDS)
			.permitKeepAliveTime(SHORTEST_PING_SECONDS, TimeUnit.SECONDS)
			.permitKeepAliveWithoutCalls(true)
			.keepAliveTime(PING_SECONDS, TimeUnit.SECONDS)
			.keepAliveTimeout(PING_TIMEOUT_SECONDS, TimeUnit.SECONDS)
			.maxConnectionIdle(IDLE_MINUTES, TimeUnit.MINUTES)
			.build();
		try {
			this.server = starting.start();
		}
		catch (IOException ex) {
			if (inUse(ex)) {
				throw new PortTakenException(this.address.getPort(), "micro.proxy.port", ex);
			}
			throw new UncheckedIOException("cannot listen on " + this.address, ex);
		}
		logger.info("gRPC for all services at " + this.address.getHostString() + ":" + port());
	}

	// Java's own sockets and the native ones have no type in common for it.
	private static boolean inUse(Throwable failure) {
		for (Throwable ex = failure; ex != null; ex = ex.getCause()) {
			if (ex instanceof IOException && ex.getMessage() != null && ex.getMessage().contains("in use")) {
				return true;
			}
		}
		return false;
	}

	@Override
	public void stop() {
		Server running = this.server;
		if (running == null) {
			return;
		}
		running.shutdown();
		this.health.stop();
		try {
			if (!running.awaitTermination(this.properties.drainTimeout().toMillis(), TimeUnit.MILLISECONDS)) {
				this.channels.close();
			}
			if (!running.awaitTermination(CUT_OFF_SECONDS, TimeUnit.SECONDS)) {
				running.shutdownNow().awaitTermination(CUT_OFF_SECONDS, TimeUnit.SECONDS);
			}
		}
		catch (InterruptedException ex) {
			running.shutdownNow();
			Thread.currentThread().interrupt();
		}
		this.server = null;
	}

	@Override
	public boolean isRunning() {
		return this.server != null;
	}

	@Override
	public int getPhase() {
		return PHASE;
	}

}
