package mu.micro.grpc;

import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.regex.Pattern;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import mu.micro.MicroException;
import mu.micro.wire.errors.Error;
import org.jspecify.annotations.Nullable;

/**
 * Errors on the wire and off it: a {@link MicroException} is one gRPC status, one HTTP
 * status, and an {@code errors.Error} as the first detail of its
 * {@code google.rpc.Status} (<a href="https://google.aip.dev/193">AIP-193</a>).
 */
public final class Errors {

	private static final List<Kind> KINDS = List.of(
			new Kind(MicroException.Invalid.class, Status.Code.INVALID_ARGUMENT, 400, MicroException.Invalid::new),
			new Kind(MicroException.Unauthenticated.class, Status.Code.UNAUTHENTICATED, 401,
					(message, cause) -> new MicroException.Unauthenticated(message)),
			new Kind(MicroException.Denied.class, Status.Code.PERMISSION_DENIED, 403,
					(message, cause) -> new MicroException.Denied(message)),
			new Kind(MicroException.NotFound.class, Status.Code.NOT_FOUND, 404,
					(message, cause) -> new MicroException.NotFound(message)),
			new Kind(MicroException.Conflict.class, Status.Code.ALREADY_EXISTS, 409,
					(message, cause) -> new MicroException.Conflict(message)),
			new Kind(MicroException.Exhausted.class, Status.Code.RESOURCE_EXHAUSTED, 429,
					(message, cause) -> new MicroException.Exhausted(message)),
			new Kind(MicroException.Cancelled.class, Status.Code.CANCELLED, 499, MicroException.Cancelled::new),
			new Kind(MicroException.Internal.class, Status.Code.INTERNAL, 500, MicroException.Internal::new),
			new Kind(MicroException.Unimplemented.class, Status.Code.UNIMPLEMENTED, 501,
					(message, cause) -> new MicroException.Unimplemented(message)),
			new Kind(MicroException.OutcomeUnknown.class, Status.Code.UNKNOWN, 502, MicroException.OutcomeUnknown::new),
			new Kind(MicroException.Unavailable.class, Status.Code.UNAVAILABLE, 503, MicroException.Unavailable::new),
			new Kind(MicroException.TimedOut.class, Status.Code.DEADLINE_EXCEEDED, 504, MicroException.TimedOut::new));

	/**
	 * The codes that have no kind of their own, and the kind they are read as.
	 */
	private static final Map<Status.Code, Status.Code> READ_AS = Map.of(Status.Code.ABORTED, Status.Code.ALREADY_EXISTS,
			Status.Code.FAILED_PRECONDITION, Status.Code.ALREADY_EXISTS, Status.Code.OUT_OF_RANGE,
			Status.Code.INVALID_ARGUMENT, Status.Code.DATA_LOSS, Status.Code.INTERNAL);

	private static final Map<Integer, String> REASONS = Map.ofEntries(Map.entry(400, "Bad Request"),
			Map.entry(401, "Unauthorized"), Map.entry(403, "Forbidden"), Map.entry(404, "Not Found"),
			Map.entry(405, "Method Not Allowed"), Map.entry(408, "Request Timeout"), Map.entry(409, "Conflict"),
			Map.entry(412, "Precondition Failed"), Map.entry(413, "Content Too Large"), Map.entry(414, "URI Too Long"),
			Map.entry(415, "Unsupported Media Type"), Map.entry(429, "Too Many Requests"),
			Map.entry(431, "Request Header Fields Too Large"), Map.entry(499, "Client Closed Request"),
			Map.entry(500, "Internal Server Error"), Map.entry(501, "Not Implemented"), Map.entry(502, "Bad Gateway"),
			Map.entry(503, "Service Unavailable"), Map.entry(504, "Gateway Timeout"));

	private static final Pattern SYSTEM_CALL = Pattern.compile("^\\w+\\(.*?\\) failed with error\\(-?\\d+\\): ");

	private Errors() {
	}

	/**
	 * What to throw, or end a call with, at a gRPC server.
	 * @param id who says so: the service's name
	 * @param ex what happened
	 * @return the status, with the {@code errors.Error} in its trailers
	 */
	public static StatusRuntimeException toStatus(String id, MicroException ex) {
		Kind kind = KINDS.stream().filter((candidate) -> candidate.type == ex.getClass()).findFirst().orElseThrow();
		Error error = error(id, kind.http, message(ex));
		return StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
			.setCode(kind.code.value())
			.setMessage(error.getDetail())
			.addDetails(Any.pack(error))
			.build());
	}

	/**
	 * What a failed call means to its caller.
	 * @param failure what the call ended with; anything but a gRPC status is
	 * {@link MicroException.Internal}
	 * @return the exception to throw
	 */
	public static MicroException toException(Throwable failure) {
		if (failure instanceof MicroException ex) {
			return ex;
		}
		Status status = status(failure);
		if (status == null) {
			return new MicroException.Internal(message(failure), failure);
		}
		Error error = read("", status, Status.trailersFromThrowable(failure));
		Status.Code code = READ_AS.getOrDefault(status.getCode(), status.getCode());
		return KINDS.stream()
			.filter((kind) -> kind.code == code)
			.findFirst()
			.map((kind) -> kind.make.apply(error.getDetail(), failure))
			.orElseThrow(() -> new IllegalArgumentException("not a failure: " + status));
	}

	/**
	 * The error that a failed call carries or, where it carries none, what its status
	 * says. The code is an HTTP status from 400 to 599.
	 * @param id who to name where the call does not say: the service's name
	 * @param status how the call ended, not OK
	 * @param trailers the call's trailers
	 * @return the error
	 */
	public static Error read(String id, Status status, @Nullable Metadata trailers) {
		Error sent = sent(status, trailers);
		if (sent != null && sent.getCode() >= 400 && sent.getCode() <= 599) {
			return (sent.getId().isEmpty()) ? sent.toBuilder().setId(id).build() : sent;
		}
		String detail = (status.getDescription() != null) ? status.getDescription() : status.getCode().name();
		return error(id, http(status.getCode()), detail);
	}

	/**
	 * An error in its own words.
	 * @param id who says so
	 * @param code an HTTP status
	 * @param detail what happened and what to do
	 * @return the error, its status the code's reason phrase
	 */
	public static Error error(String id, int code, String detail) {
		return Error.newBuilder()
			.setId(id)
			.setCode(code)
			.setDetail(detail)
			.setStatus(REASONS.getOrDefault(code, "HTTP " + code))
			.build();
	}

	/**
	 * The HTTP status of an exception.
	 * @param ex what happened
	 * @return 400 to 599
	 */
	public static int http(MicroException ex) {
		return KINDS.stream().filter((kind) -> kind.type == ex.getClass()).findFirst().orElseThrow().http;
	}

	private static int http(Status.Code code) {
		if (code == Status.Code.FAILED_PRECONDITION) {
			return 412;
		}
		Status.Code known = READ_AS.getOrDefault(code, code);
		return KINDS.stream().filter((kind) -> kind.code == known).findFirst().map(Kind::http).orElse(500);
	}

	/**
	 * What went wrong in the end.
	 * @param failure what failed
	 * @return the words of the innermost cause, without the system call that Netty's
	 * native transports name before them
	 */
	public static String reason(Throwable failure) {
		Throwable cause = failure;
		while (cause.getCause() != null && cause.getCause() != cause) {
			cause = cause.getCause();
		}
		if (cause instanceof StatusRuntimeException ex && ex.getStatus().getDescription() != null) {
			return ex.getStatus().getDescription();
		}
		return SYSTEM_CALL.matcher(message(cause)).replaceFirst("");
	}

	private static @Nullable Status status(Throwable failure) {
		if (failure instanceof StatusRuntimeException ex) {
			return ex.getStatus();
		}
		return (failure instanceof StatusException ex) ? ex.getStatus() : null;
	}

	private static @Nullable Error sent(Status status, @Nullable Metadata trailers) {
		if (trailers == null) {
			return null;
		}
		try {
			com.google.rpc.Status rich = StatusProto.fromStatusAndTrailers(status, trailers);
			return (rich.getDetailsCount() > 0 && rich.getDetails(0).is(Error.class))
					? rich.getDetails(0).unpack(Error.class) : null;
		}
		catch (InvalidProtocolBufferException | IllegalArgumentException ex) {
			// Whoever sent it, its status still says what happened.
			return null;
		}
	}

	private static String message(Throwable ex) {
		return (ex.getMessage() != null) ? ex.getMessage() : ex.getClass().getSimpleName();
	}

	private record Kind(Class<? extends MicroException> type, Status.Code code, int http,
			BiFunction<String, @Nullable Throwable, MicroException> make) {
	}

}
