package mu.micro.samples.greeting;

import java.util.concurrent.TimeUnit;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import mu.micro.grpc.Errors;
import mu.micro.samples.helloworld.HelloworldGrpc.HelloworldBlockingStub;
import mu.micro.spring.MicroService;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.grpc.client.ImportGrpcClients;

@SpringBootApplication
@ImportGrpcClients(target = "micro:///helloworld", types = HelloworldBlockingStub.class)
public class GreetingApplication {

	public static void main(String[] args) {
		SpringApplication.run(GreetingApplication.class, args);
	}

	@MicroService
	static class Greeting extends GreetingGrpc.GreetingImplBase {

		private static final int TIMEOUT_SECONDS = 5;

		private final HelloworldBlockingStub helloworld;

		Greeting(HelloworldBlockingStub helloworld) {
			this.helloworld = helloworld;
		}

		@Override
		public void call(Request request, StreamObserver<Response> response) {
			String hello = hello(request.getName());
			response.onNext(Response.newBuilder().setGreeting(hello + ", welcome").build());
			response.onCompleted();
		}

		private String hello(String name) {
			try {
				return this.helloworld.withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS)
					.call(mu.micro.samples.helloworld.Request.newBuilder().setName(name).build())
					.getMsg();
			}
			catch (StatusRuntimeException ex) {
				throw Errors.toException(ex);
			}
		}

	}

}
