package mu.micro.proxy;

import java.io.InputStream;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import mu.micro.MicroException;
import mu.micro.grpc.Errors;

/**
 * How the proxy itself ends a call.
 *
 * @param status the status
 * @param trailers the trailers
 */
record Refusal(Status status, Metadata trailers) {

	private static final String ID = "proxy";

	/**
	 * The proxy's own error.
	 * @param ex what is wrong
	 * @return the error with its details
	 */
	static Refusal of(MicroException ex) {
		StatusRuntimeException failure = Errors.toStatus(ID, ex);
		Metadata trailers = failure.getTrailers();
		return new Refusal(failure.getStatus(), (trailers != null) ? trailers : new Metadata());
	}

	/**
	 * The same, to be thrown or told.
	 * @return the exception
	 */
	StatusRuntimeException exception() {
		return this.status.asRuntimeException(this.trailers);
	}

	/**
	 * Ends a call.
	 * @param call the call
	 * @return hears nothing
	 */
	ServerCall.Listener<InputStream> end(ServerCall<InputStream, InputStream> call) {
		call.close(this.status, this.trailers);
		return new ServerCall.Listener<>() {
		};
	}

}
