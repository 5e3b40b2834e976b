package mu.micro.autoconfigure;

import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import mu.micro.MicroException;
import mu.micro.grpc.Errors;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.grpc.server.exception.GrpcExceptionHandler;

/**
 * Gives the errors of handlers the one form. What a handler did not mean to throw is
 * logged here and hidden from the caller.
 */
class ServiceExceptionHandler implements GrpcExceptionHandler {

	private static final Log logger = LogFactory.getLog(ServiceExceptionHandler.class);

	private final String service;

	ServiceExceptionHandler(String service) {
		this.service = service;
	}

	@Override
	public @Nullable StatusException handleException(Throwable exception) {
		if (exception instanceof StatusException || exception instanceof StatusRuntimeException) {
			return null;
		}
		if (exception instanceof MicroException known) {
			return checked(Errors.toStatus(this.service, known));
		}
		logger.error("A call of '" + this.service + "' failed", exception);
		return checked(Errors.toStatus(this.service,
				new MicroException.Internal("'" + this.service + "' failed; its log says why", exception)));
	}

	private static StatusException checked(StatusRuntimeException ex) {
		Status status = ex.getStatus();
		return new StatusException(status, ex.getTrailers());
	}

}
