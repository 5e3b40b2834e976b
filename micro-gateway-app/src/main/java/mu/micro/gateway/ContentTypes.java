package mu.micro.gateway;

import java.util.Locale;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import mu.micro.grpc.Text;

/**
 * What a body may be: JSON in UTF-8, as it is, also where nothing is said.
 */
final class ContentTypes {

	private static final String CHARSET = "charset=";

	private ContentTypes() {
	}

	/**
	 * Checks the headers of a request with a body.
	 * @param headers the request's headers
	 * @throws Refusal with 415 if the body is something else
	 */
	static void check(HttpHeaders headers) {
		String encoding = headers.get(HttpHeaderNames.CONTENT_ENCODING);
		if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
			throw new Refusal(415, "a body in " + Text.shortened(encoding) + " is not read; send it uncompressed");
		}
		String type = headers.get(HttpHeaderNames.CONTENT_TYPE);
		if (type == null || type.isBlank()) {
			return;
		}
		String[] parts = type.toLowerCase(Locale.ROOT).split(";");
		String name = parts[0].strip();
		if (!name.equals("application/json") && !name.equals("text/json")
				&& !(name.startsWith("application/") && name.endsWith("+json"))) {
			throw new Refusal(415, "a body of type " + Text.shortened(name)
					+ " is not read; send JSON and add -H 'Content-Type: application/json'");
		}
		for (int i = 1; i < parts.length; i++) {
			String parameter = parts[i].strip();
			String charset = parameter.substring(Math.min(CHARSET.length(), parameter.length())).replace("\"", "");
			if (parameter.startsWith(CHARSET) && !charset.equals("utf-8") && !charset.equals("utf8")
					&& !charset.equals("us-ascii")) {
				throw new Refusal(415, "JSON in " + Text.shortened(charset) + " is not read; send it in UTF-8");
			}
		}
	}

}
