package mu.micro.proxy;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;

/**
 * Counts the calls at the door: how many are open, and how long each took, by service and
 * status. Only services that calls were routed to are named, so that callers cannot make
 * up meters.
 */
final class CallMeter extends ServerStreamTracer.Factory {

	private static final int MOST_SERVICES = 1000;

	private static final String UNROUTED = "none";

	private static final String OTHERS = "others";

	private static final Context.Key<Call> CALL = Context.key("micro-proxy-call");

	private final MeterRegistry meters;

	private final AtomicInteger open = new AtomicInteger();

	private final Map<String, Map<Status.Code, Timer>> timers = new ConcurrentHashMap<>();

	/**
	 * Meters what is at the door.
	 * @param meters where meters are kept
	 */
	CallMeter(MeterRegistry meters) {
		this.meters = meters;
		Gauge.builder("micro.proxy.calls.open", this.open, AtomicInteger::get)
			.description("Calls that are open")
			.register(meters);
	}

	/**
	 * Says which service the current call goes to.
	 * @param service the service's name, as registered
	 */
	static void routed(String service) {
		Call call = CALL.get();
		if (call != null) {
			call.service = service;
		}
	}

	@Override
	public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
		this.open.incrementAndGet();
		return new Call();
	}

	private Timer timer(String service, Status.Code status) {
		String name = (this.timers.size() < MOST_SERVICES || this.timers.containsKey(service)) ? service : OTHERS;
		return this.timers.computeIfAbsent(name, (key) -> new ConcurrentHashMap<>())
			.computeIfAbsent(status,
					(key) -> Timer.builder("micro.proxy.calls")
						.description("Calls that ended, with how long they took")
						.tag("service", name)
						.tag("status", status.name())
						.register(this.meters));
	}

	private final class Call extends ServerStreamTracer {

		private final long start = System.nanoTime();

		private volatile String service = UNROUTED;

		@Override
		public Context filterContext(Context context) {
			return context.withValue(CALL, this);
		}

		@Override
		public void streamClosed(Status status) {
			CallMeter.this.open.decrementAndGet();
			timer(this.service, status.getCode()).record(Duration.ofNanos(System.nanoTime() - this.start));
		}

	}

}
