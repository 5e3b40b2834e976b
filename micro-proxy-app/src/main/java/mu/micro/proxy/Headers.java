package mu.micro.proxy;

import java.util.List;
import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.Metadata;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * The headers that the proxy reads, and those that end here. What belongs to gRPC itself
 * (encodings, content type, deadline) gRPC writes anew on each side.
 */
final class Headers {

	/**
	 * Names the service to call.
	 */
	static final Metadata.Key<String> SERVICE = key("micro-service");

	/**
	 * Names the one instance to call.
	 */
	static final Metadata.Key<String> INSTANCE = key("micro-instance");

	static final Metadata.Key<String> CONTENT_TYPE = key("content-type");

	/**
	 * The deadline of v3's clients, in nanoseconds from now.
	 */
	private static final Metadata.Key<String> TIMEOUT = key("timeout");

	/**
	 * The namespace is the proxy's own: a caller's word for it is worth nothing, and goes
	 * to nobody who might believe it.
	 */
	private static final Metadata.Key<String> NAMESPACE = key("micro-namespace");

	/**
	 * What a proxy asks of its own callers. HTTP/2 itself refuses all other headers that
	 * are for one hop.
	 */
	private static final Metadata.Key<String> PROXY_AUTHORIZATION = key("proxy-authorization");

	/**
	 * Bytes of headers that go on, as HTTP/2 counts them. Services take 8 KB, of which
	 * gRPC's own headers need a part.
	 */
	private static final int MOST = 7 * 1024;

	/**
	 * What HTTP/2 counts for each header beside its name and value.
	 */
	private static final int EACH = 32;

	private Headers() {
	}

	private static Metadata.Key<String> key(String name) {
		return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
	}

	/**
	 * Leaves in the headers what goes on to the service. The deadline goes on by itself:
	 * a call started within the caller's context keeps to the context's, and v3's is in
	 * the options.
	 * @param headers the caller's headers
	 * @return the options of the call to the service
	 */
	static CallOptions passOn(Metadata headers) {
		headers.discardAll(SERVICE);
		headers.discardAll(INSTANCE);
		headers.discardAll(NAMESPACE);
		headers.discardAll(PROXY_AUTHORIZATION);
		long timeout = (Context.current().getDeadline() == null) ? nanos(headers.get(TIMEOUT)) : -1;
		if (timeout < 0) {
			return CallOptions.DEFAULT;
		}
		headers.discardAll(TIMEOUT);
		return CallOptions.DEFAULT.withDeadlineAfter(timeout, TimeUnit.NANOSECONDS);
	}

	/**
	 * Refuses headers that services would not take, who cannot say why.
	 * @param headers the caller's headers
	 * @param method the full name of the method, which is sent as a header
	 * @throws MicroException.Exhausted if they are too large
	 */
	static void checkSize(Metadata headers, String method) {
		long size = method.length();
		for (String name : headers.keys()) {
			if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
				for (byte[] value : all(headers, Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER))) {
					size += EACH + name.length() + (value.length + 2L) / 3 * 4;
				}
			}
			else {
				for (String value : all(headers, key(name))) {
					size += EACH + name.length() + value.length();
				}
			}
		}
		if (size > MOST) {
			throw new MicroException.Exhausted("the headers have " + size + " bytes, more than the " + MOST
					+ " that services take: send fewer or shorter ones");
		}
	}

	private static <T> Iterable<T> all(Metadata headers, Metadata.Key<T> key) {
		Iterable<T> values = headers.getAll(key);
		return (values != null) ? values : List.of();
	}

	private static long nanos(@Nullable String timeout) {
		try {
			return (timeout != null) ? Long.parseLong(timeout) : -1;
		}
		catch (NumberFormatException ex) {
			return -1;
		}
	}

}
