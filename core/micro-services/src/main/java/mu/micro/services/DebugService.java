package mu.micro.services;

import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.wire.debug.DebugGrpc;
import mu.micro.wire.debug.HealthRequest;
import mu.micro.wire.debug.HealthResponse;
import mu.micro.wire.debug.LogRequest;
import mu.micro.wire.debug.LogResponse;
import mu.micro.wire.debug.StatsRequest;
import mu.micro.wire.debug.StatsResponse;
import mu.micro.wire.debug.TraceRequest;
import mu.micro.wire.debug.TraceResponse;

/**
 * What every service answers about itself: its health, and what it has done and uses. It
 * offers no logs and no traces.
 */
public final class DebugService extends DebugGrpc.DebugImplBase {

	private static final String NAME = "debug";

	private final Supplier<String> health;

	private final CallCounter calls;

	/**
	 * Answers for a service.
	 * @param health tells {@code ok}, or what is wrong
	 * @param calls counts the server's calls
	 */
	public DebugService(Supplier<String> health, CallCounter calls) {
		this.health = health;
		this.calls = calls;
	}

	@Override
	public void health(HealthRequest request, StreamObserver<HealthResponse> call) {
		Reply.with(NAME, call, () -> HealthResponse.newBuilder().setStatus(this.health.get()).build());
	}

	@Override
	public void stats(StatsRequest request, StreamObserver<StatsResponse> call) {
		Reply.with(NAME, call, this::stats);
	}

	private StatsResponse stats() {
		long now = System.currentTimeMillis();
		long started = ManagementFactory.getRuntimeMXBean().getStartTime();
		return StatsResponse.newBuilder()
			.setTimestamp(TimeUnit.MILLISECONDS.toSeconds(now))
			.setStarted(TimeUnit.MILLISECONDS.toSeconds(started))
			.setUptime(TimeUnit.MILLISECONDS.toSeconds(now - started))
			.setMemory(ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed())
			.setThreads(ManagementFactory.getThreadMXBean().getThreadCount())
			.setGc(TimeUnit.MILLISECONDS.toNanos(ManagementFactory.getGarbageCollectorMXBeans()
				.stream()
				.mapToLong(GarbageCollectorMXBean::getCollectionTime)
				.filter((time) -> time > 0)
				.sum()))
			.setRequests(this.calls.requests())
			.setErrors(this.calls.errors())
			.build();
	}

	@Override
	public void log(LogRequest request, StreamObserver<LogResponse> call) {
		Reply.with(NAME, call, () -> {
			throw new MicroException.Unimplemented(
					"this service keeps no log to be read from afar; read what it writes where it runs");
		});
	}

	@Override
	public void trace(TraceRequest request, StreamObserver<TraceResponse> call) {
		Reply.with(NAME, call, () -> {
			throw new MicroException.Unimplemented(
					"this service keeps no traces to be read from afar; read them where it exports them to");
		});
	}

}
