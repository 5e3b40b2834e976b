package mu.micro.services;

import java.util.function.Supplier;

import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;
import mu.micro.grpc.Errors;

/**
 * How a handler answers: with a message, or with the error of what it threw.
 */
final class Reply {

	private static final System.Logger logger = System.getLogger(Reply.class.getName());

	private Reply() {
	}

	static <T> void with(String id, StreamObserver<T> call, Supplier<? extends T> answer) {
		T message;
		try {
			message = answer.get();
		}
		catch (RuntimeException ex) {
			error(id, call, ex);
			return;
		}
		call.onNext(message);
		call.onCompleted();
	}

	static void error(String id, StreamObserver<?> call, RuntimeException failure) {
		if (failure instanceof MicroException ex) {
			call.onError(Errors.toStatus(id, ex));
			return;
		}
		logger.log(System.Logger.Level.ERROR, "a call of '" + id + "' failed", failure);
		call.onError(Errors.toStatus(id, new MicroException.Internal(
				"'" + id + "' failed; its log says why (" + failure.getClass().getSimpleName() + ")", failure)));
	}

}
