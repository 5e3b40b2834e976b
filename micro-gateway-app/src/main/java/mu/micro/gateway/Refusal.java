package mu.micro.gateway;

import java.util.Map;

import mu.micro.MicroException;
import mu.micro.grpc.Errors;
import mu.micro.wire.errors.Error;

/**
 * Ends a request with the error body.
 */
final class Refusal extends RuntimeException {

	/**
	 * Who says so, where the gateway does.
	 */
	static final String GATEWAY = "api";

	private final transient Error error;

	private final transient Map<String, String> headers;

	Refusal(Error error) {
		this(error, Map.of());
	}

	Refusal(int code, String detail) {
		this(Errors.error(GATEWAY, code, detail), Map.of());
	}

	Refusal(int code, String detail, String header, String value) {
		this(Errors.error(GATEWAY, code, detail), Map.of(header, value));
	}

	private Refusal(Error error, Map<String, String> headers) {
		super(error.getDetail(), null, false, false);
		this.error = error;
		this.headers = headers;
	}

	static Refusal of(MicroException ex) {
		return new Refusal(Errors.http(ex), String.valueOf(ex.getMessage()));
	}

	Answer answer() {
		return Answer.of(this.error, this.headers);
	}

}
