package mu.micro.services;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.grpc.stub.ServerCallStreamObserver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class HandoverTests {

	private final Handover<String> handover = new Handover<>(Duration.ofMinutes(10));

	private final ResultStream<String> stream = new ResultStream<>("id", new Unready(), this.handover::take, () -> {
	});

	@Test
	void nobodyWaitsOnceItIsClosed() throws Exception {
		assertThat(this.handover.offer(this.stream, "first")).isTrue();
		List<CompletableFuture<Boolean>> waiting = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			waiting.add(CompletableFuture.supplyAsync(() -> this.handover.awaitTaken(this.stream), (task) -> {
				Thread thread = new Thread(task);
				thread.setDaemon(true);
				thread.start();
			}));
		}
		TimeUnit.MILLISECONDS.sleep(100);
		this.handover.close();
		for (CompletableFuture<Boolean> each : waiting) {
			assertThat(each.get(10, TimeUnit.SECONDS)).isFalse();
		}
		assertThat(this.handover.offer(this.stream, "second")).isFalse();
		assertThat(this.handover.offer(this.stream, "third")).isFalse();
	}

	/**
	 * A call whose client takes nothing.
	 */
	private static final class Unready extends ServerCallStreamObserver<String> {

		@Override
		public boolean isCancelled() {
			return false;
		}

		@Override
		public boolean isReady() {
			return false;
		}

		@Override
		public void setOnCancelHandler(Runnable handler) {
		}

		@Override
		public void setOnReadyHandler(Runnable handler) {
		}

		@Override
		public void setCompression(String compression) {
		}

		@Override
		public void disableAutoInboundFlowControl() {
		}

		@Override
		public void request(int count) {
		}

		@Override
		public void setMessageCompression(boolean enable) {
		}

		@Override
		public void onNext(String value) {
		}

		@Override
		public void onError(Throwable failure) {
		}

		@Override
		public void onCompleted() {
		}

	}

}
