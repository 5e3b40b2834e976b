package mu.micro.grpc;

import java.io.IOException;
import java.util.stream.Stream;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import mu.micro.MicroException;
import mu.micro.wire.errors.Error;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class ErrorsTests {

	static Stream<Arguments> everyKind() {
		return Stream.of(
				Arguments.of(new MicroException.Invalid("why"), Status.Code.INVALID_ARGUMENT, 400, "Bad Request"),
				Arguments.of(new MicroException.Unauthenticated("why"), Status.Code.UNAUTHENTICATED, 401,
						"Unauthorized"),
				Arguments.of(new MicroException.Denied("why"), Status.Code.PERMISSION_DENIED, 403, "Forbidden"),
				Arguments.of(new MicroException.NotFound("why"), Status.Code.NOT_FOUND, 404, "Not Found"),
				Arguments.of(new MicroException.Conflict("why"), Status.Code.ALREADY_EXISTS, 409, "Conflict"),
				Arguments.of(new MicroException.Exhausted("why"), Status.Code.RESOURCE_EXHAUSTED, 429,
						"Too Many Requests"),
				Arguments.of(new MicroException.Cancelled("why", null), Status.Code.CANCELLED, 499,
						"Client Closed Request"),
				Arguments.of(new MicroException.Internal("why", null), Status.Code.INTERNAL, 500,
						"Internal Server Error"),
				Arguments.of(new MicroException.Unimplemented("why"), Status.Code.UNIMPLEMENTED, 501,
						"Not Implemented"),
				Arguments.of(new MicroException.OutcomeUnknown("why", null), Status.Code.UNKNOWN, 502, "Bad Gateway"),
				Arguments.of(new MicroException.Unavailable("why"), Status.Code.UNAVAILABLE, 503,
						"Service Unavailable"),
				Arguments.of(new MicroException.TimedOut("why", null), Status.Code.DEADLINE_EXCEEDED, 504,
						"Gateway Timeout"));
	}

	@Test
	void aReasonIsThatOfTheInnermostCauseWithoutTheSystemCall() {
		Exception refused = new IOException("finishConnect(..) failed with error(-111): Connection refused");
		assertThat(Errors.reason(Status.UNAVAILABLE.withCause(new IllegalStateException(refused)).asRuntimeException()))
			.isEqualTo("Connection refused");
		assertThat(Errors.reason(Status.UNAVAILABLE.withDescription("gone").asRuntimeException())).isEqualTo("gone");
		assertThat(Errors.reason(new IllegalStateException())).isEqualTo("IllegalStateException");
	}

	@Test
	void everyKindIsTested() {
		assertThat(everyKind().<Class<?>>map((arguments) -> arguments.get()[0].getClass()).toList())
			.containsExactlyInAnyOrder(MicroException.class.getPermittedSubclasses());
	}

	@ParameterizedTest
	@MethodSource("everyKind")
	void everyKindGoesOutAndComesBack(MicroException ex, Status.Code code, int http, String reason) {
		StatusRuntimeException sent = Errors.toStatus("foo", ex);
		assertThat(sent.getStatus().getCode()).isEqualTo(code);
		assertThat(sent.getStatus().getDescription()).isEqualTo("why");
		assertThat(Errors.http(ex)).isEqualTo(http);
		assertThat(Errors.read("bar", sent.getStatus(), sent.getTrailers()))
			.isEqualTo(Error.newBuilder().setId("foo").setCode(http).setDetail("why").setStatus(reason).build());
		MicroException received = Errors.toException(sent);
		assertThat(received).hasSameClassAs(ex).hasMessage("why");
		assertThat(Errors.toException(new StatusException(sent.getStatus(), sent.getTrailers()))).hasSameClassAs(ex);
		assertThat(Errors.toException(ex)).isSameAs(ex);
	}

	@ParameterizedTest
	@EnumSource(value = Status.Code.class, names = "OK", mode = EnumSource.Mode.EXCLUDE)
	void everyStatusWithoutAnErrorMeansSomething(Status.Code code) {
		Status status = code.toStatus().withDescription("why");
		assertThat(Errors.toException(status.asRuntimeException())).hasMessage("why");
		Error error = Errors.read("foo", status, null);
		assertThat(error.getId()).isEqualTo("foo");
		assertThat(error.getCode()).isBetween(400, 599);
		assertThat(error.getDetail()).isEqualTo("why");
		assertThat(error.getStatus()).doesNotStartWith("HTTP");
		assertThat(Errors.read("foo", code.toStatus(), new Metadata()).getDetail()).isEqualTo(code.name());
	}

	@Test
	void aTimeoutOfMicroV3IsATimeout() {
		StatusRuntimeException sent = sent(Status.Code.DEADLINE_EXCEEDED,
				Any.pack(Error.newBuilder().setId("foo").setCode(408).setDetail("too slow").build()));
		assertThat(Errors.toException(sent)).isInstanceOf(MicroException.TimedOut.class).hasMessage("too slow");
		assertThat(Errors.read("", sent.getStatus(), sent.getTrailers()).getCode()).isEqualTo(408);
	}

	@ParameterizedTest
	@ValueSource(ints = { 0, -1, 200, 399, 600, Integer.MAX_VALUE })
	void aCodeThatIsNoErrorIsNotBelieved(int code) {
		StatusRuntimeException sent = sent(Status.Code.NOT_FOUND,
				Any.pack(Error.newBuilder().setId("foo").setCode(code).setDetail("hm").build()));
		Error error = Errors.read("bar", sent.getStatus(), sent.getTrailers());
		assertThat(error).isEqualTo(Errors.error("bar", 404, "why"));
	}

	@Test
	void whoSaidItIsFilledInWhereMissing() {
		StatusRuntimeException sent = sent(Status.Code.NOT_FOUND,
				Any.pack(Error.newBuilder().setCode(404).setDetail("hm").build()));
		assertThat(Errors.read("bar", sent.getStatus(), sent.getTrailers()).getId()).isEqualTo("bar");
	}

	@Test
	void otherDetailsAreSkipped() {
		StatusRuntimeException sent = sent(Status.Code.NOT_FOUND, Any.pack(Duration.getDefaultInstance()));
		assertThat(Errors.toException(sent)).isInstanceOf(MicroException.NotFound.class).hasMessage("why");
		StatusRuntimeException broken = sent(Status.Code.NOT_FOUND,
				Any.newBuilder()
					.setTypeUrl("type.googleapis.com/errors.Error")
					.setValue(com.google.protobuf.ByteString.copyFromUtf8("\u0007 nonsense"))
					.build());
		assertThat(Errors.toException(broken)).isInstanceOf(MicroException.NotFound.class).hasMessage("why");
	}

	@Test
	void trailersThatAreNoStatusAreSkipped() {
		Metadata trailers = new Metadata();
		trailers.put(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
				new byte[] { 7, 7, 7 });
		Status status = Status.NOT_FOUND.withDescription("why");
		assertThat(Errors.read("foo", status, trailers)).isEqualTo(Errors.error("foo", 404, "why"));
		StatusRuntimeException other = sent(Status.Code.INTERNAL, Any.pack(Errors.error("foo", 500, "hm")));
		assertThat(Errors.read("foo", status, other.getTrailers()).getCode()).isBetween(400, 599);
	}

	@Test
	void anythingElseIsADefect() {
		assertThat(Errors.toException(new IllegalStateException("oops"))).isInstanceOf(MicroException.Internal.class)
			.hasMessage("oops");
		assertThat(Errors.toException(new NullPointerException())).hasMessage("NullPointerException");
	}

	private static StatusRuntimeException sent(Status.Code code, Any detail) {
		return StatusProto.toStatusRuntimeException(
				com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage("why").addDetails(detail).build());
	}

}
