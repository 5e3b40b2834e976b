package mu.micro.proxy;

import java.io.InputStream;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import mu.micro.MicroException;
import mu.micro.grpc.Errors;

/**
 * How a call ends.
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
	 * The end of a call at its service. What a service said is kept as it is; where
	 * nobody answered, the error says so.
	 * @param service the service's name
	 * @param status the end's status
	 * @param trailers the end's trailers
	 * @return how to end the call in front
	 */
	static Refusal ofUnanswered(String service, Status status, Metadata trailers) {
		// Only what was made here has a cause, or says that no instance runs.
		boolean local = status.getCause() != null || trailers.keys().isEmpty();
		if (status.getCode() != Status.Code.UNAVAILABLE || !local) {
			return new Refusal(status, trailers);
		}
		Throwable cause = status.getCause();
		String reason = (cause != null && cause.getMessage() != null) ? cause.getMessage() : status.getDescription();
		return of(new MicroException.Unavailable(
				"'" + service + "' did not answer, or ended in mid-call: " + reason + "; see 'micro services' for what runs"));
	}

	/**
	 * Ends a call that was passed on to nobody.
	 * @param call the call
	 * @return hears nothing
	 */
	ServerCall.Listener<InputStream> end(ServerCall<InputStream, InputStream> call) {
		call.close(this.status, this.trailers);
		return new ServerCall.Listener<>() {
		};
	}

}
