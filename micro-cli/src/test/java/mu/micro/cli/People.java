package mu.micro.cli;

import io.grpc.stub.StreamObserver;
import mu.micro.cli.helloworld.PeopleGrpc;
import mu.micro.cli.helloworld.Request;
import mu.micro.cli.helloworld.Response;

/**
 * A second gRPC service of the same service.
 */
final class People extends PeopleGrpc.PeopleImplBase {

	@Override
	public void listAll(Request request, StreamObserver<Response> call) {
		call.onNext(Response.newBuilder().setMsg("Jane, " + request.getName()).build());
		call.onCompleted();
	}

}
