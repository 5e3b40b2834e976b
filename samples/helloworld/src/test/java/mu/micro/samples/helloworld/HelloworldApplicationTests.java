package mu.micro.samples.helloworld;

import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.grpc.client.ImportGrpcClients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@SpringBootTest(properties = "micro.profile=test")
class HelloworldApplicationTests {

	@Autowired
	private HelloworldGrpc.HelloworldBlockingStub helloworld;

	@Autowired
	private HelloworldGrpc.HelloworldStub async;

	@Test
	void saysHello() {
		Response response = this.helloworld.call(Request.newBuilder().setName("Jane").build());
		assertThat(response.getMsg()).isEqualTo("Hello Jane");
	}

	@Test
	void counts() {
		Iterator<StreamingResponse> responses = this.helloworld
			.stream(StreamingRequest.newBuilder().setCount(1000).build());
		for (long expected : LongStream.rangeClosed(1, 1000).toArray()) {
			assertThat(responses.next().getCount()).isEqualTo(expected);
		}
		assertThat(responses.hasNext()).isFalse();
	}

	@Test
	void refusesToCountBackwards() {
		Iterator<StreamingResponse> responses = this.helloworld
			.stream(StreamingRequest.newBuilder().setCount(-1).build());
		assertThatExceptionOfType(StatusRuntimeException.class).isThrownBy(responses::hasNext)
			.satisfies((ex) -> assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT));
	}

	@Test
	void answersEachPing() throws Exception {
		List<Long> pongs = new CopyOnWriteArrayList<>();
		CountDownLatch done = new CountDownLatch(1);
		StreamObserver<Ping> pings = this.async.pingPong(new StreamObserver<>() {

			@Override
			public void onNext(Pong pong) {
				pongs.add(pong.getStroke());
			}

			@Override
			public void onError(Throwable failure) {
				done.countDown();
			}

			@Override
			public void onCompleted() {
				done.countDown();
			}

		});
		for (long stroke = 1; stroke <= 3; stroke++) {
			pings.onNext(Ping.newBuilder().setStroke(stroke).build());
		}
		pings.onCompleted();
		assertThat(done.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(pongs).containsExactly(1L, 2L, 3L);
	}

	@TestConfiguration(proxyBeanMethods = false)
	@ImportGrpcClients(target = "micro:///helloworld",
			types = { HelloworldGrpc.HelloworldBlockingStub.class, HelloworldGrpc.HelloworldStub.class })
	static class Clients {

	}

}
