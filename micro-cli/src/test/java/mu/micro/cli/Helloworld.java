package mu.micro.cli;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.cli.helloworld.Everything;
import mu.micro.cli.helloworld.Failing;
import mu.micro.cli.helloworld.HelloworldGrpc;
import mu.micro.cli.helloworld.Request;
import mu.micro.cli.helloworld.Response;
import mu.micro.cli.helloworld.StreamRequest;
import mu.micro.grpc.Errors;

/**
 * Greets. The name "nobody" is never answered.
 */
final class Helloworld extends HelloworldGrpc.HelloworldImplBase {

	@Override
	public void call(Request request, StreamObserver<Response> call) {
		if (request.getName().equals("nobody")) {
			return;
		}
		call.onNext(hello(request));
		call.onCompleted();
	}

	@Override
	public void stream(StreamRequest request, StreamObserver<Response> call) {
		for (long i = 1; i <= request.getCount(); i++) {
			call.onNext(Response.newBuilder().setMsg("Hello " + i).build());
		}
		if (request.getCount() < 0) {
			call.onError(Status.OUT_OF_RANGE.withDescription("the count is negative").asException());
			return;
		}
		call.onCompleted();
	}

	@Override
	public StreamObserver<Request> chat(StreamObserver<Response> call) {
		return new StreamObserver<>() {

			@Override
			public void onNext(Request request) {
				call.onNext(hello(request));
			}

			@Override
			public void onError(Throwable failure) {
				call.onError(failure);
			}

			@Override
			public void onCompleted() {
				call.onCompleted();
			}

		};
	}

	@Override
	public StreamObserver<Request> collect(StreamObserver<Response> call) {
		StringBuilder names = new StringBuilder();
		return new StreamObserver<>() {

			@Override
			public void onNext(Request request) {
				names.append(request.getName());
			}

			@Override
			public void onError(Throwable failure) {
				names.setLength(0);
			}

			@Override
			public void onCompleted() {
				call.onNext(Response.newBuilder().setMsg(names.toString()).build());
				call.onCompleted();
			}

		};
	}

	@Override
	public void echo(Everything request, StreamObserver<Everything> call) {
		call.onNext(request);
		call.onCompleted();
	}

	@Override
	public void failWith(Failing request, StreamObserver<Response> call) {
		MicroException meant = Errors
			.toException(Status.fromCodeValue(request.getCode()).withDescription(request.getDetail()).asException());
		call.onError(Errors.toStatus("helloworld", meant));
	}

	private static Response hello(Request request) {
		return Response.newBuilder().setMsg("Hello " + request.getName()).build();
	}

}
