package mu.micro.samples.greeting;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import mu.micro.samples.helloworld.HelloworldGrpc;
import mu.micro.spring.MicroService;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.TestConfiguration;
import org.springframework.grpc.client.ImportGrpcClients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

@SpringBootTest(properties = "micro.profile=test")
class GreetingApplicationTests {

	@Autowired
	private GreetingGrpc.GreetingBlockingStub greeting;

	@Test
	void greetsInTheWordsOfHelloworld() {
		assertThat(this.greeting.call(Request.newBuilder().setName("Jane").build()).getGreeting())
			.isEqualTo("Hi Jane, welcome");
	}

	@Test
	void passesOnWhatHelloworldRefuses() {
		assertThatExceptionOfType(StatusRuntimeException.class)
			.isThrownBy(() -> this.greeting.call(Request.getDefaultInstance()))
			.satisfies((ex) -> assertThat(ex.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT));
	}

	@TestConfiguration(proxyBeanMethods = false)
	@ImportGrpcClients(target = "micro:///greeting", types = GreetingGrpc.GreetingBlockingStub.class)
	static class Helloworlds {

		@MicroService("helloworld")
		static class Helloworld extends HelloworldGrpc.HelloworldImplBase {

			@Override
			public void call(mu.micro.samples.helloworld.Request request,
					StreamObserver<mu.micro.samples.helloworld.Response> response) {
				if (request.getName().isEmpty()) {
					response.onError(Status.INVALID_ARGUMENT.withDescription("no name").asRuntimeException());
					return;
				}
				response.onNext(
						mu.micro.samples.helloworld.Response.newBuilder().setMsg("Hi " + request.getName()).build());
				response.onCompleted();
			}

		}

	}

}
