package mu.micro.samples.helloworld;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.spring.MicroService;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class HelloworldApplication {

	public static void main(String[] args) {
		SpringApplication.run(HelloworldApplication.class, args);
	}

	@MicroService
	static class Helloworld extends HelloworldGrpc.HelloworldImplBase {

		private static final long MAX_COUNT = 1_000_000;

		@Override
		public void call(Request request, StreamObserver<Response> response) {
			response.onNext(Response.newBuilder().setMsg("Hello " + request.getName()).build());
			response.onCompleted();
		}

		@Override
		public void stream(StreamingRequest request, StreamObserver<StreamingResponse> response) {
			if (request.getCount() < 0 || request.getCount() > MAX_COUNT) {
				throw new MicroException.Invalid("count is not between 0 and " + MAX_COUNT);
			}
			ServerCallStreamObserver<StreamingResponse> client = (ServerCallStreamObserver<StreamingResponse>) response;
			client.setOnReadyHandler(new Runnable() {

				private long next = 1;

				@Override
				public void run() {
					while (client.isReady() && this.next <= request.getCount()) {
						client.onNext(StreamingResponse.newBuilder().setCount(this.next++).build());
					}
					if (this.next == request.getCount() + 1) {
						this.next++;
						client.onCompleted();
					}
				}

			});
		}

		@Override
		public StreamObserver<Ping> pingPong(StreamObserver<Pong> response) {
			return new StreamObserver<>() {

				@Override
				public void onNext(Ping ping) {
					response.onNext(Pong.newBuilder().setStroke(ping.getStroke()).build());
				}

				@Override
				public void onError(Throwable failure) {
				}

				@Override
				public void onCompleted() {
					response.onCompleted();
				}

			};
		}

	}

}
