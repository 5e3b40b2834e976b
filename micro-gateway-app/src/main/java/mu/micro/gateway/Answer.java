package mu.micro.gateway;

import java.nio.charset.StandardCharsets;
import java.util.Map;

import mu.micro.wire.errors.Error;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * What a request is answered with.
 *
 * @param status the HTTP status
 * @param body a JSON object in UTF-8, or nothing
 * @param headers more headers
 */
record Answer(int status, byte[] body, Map<String, String> headers) {

	private static final int OK = 200;

	static Answer ok(String json) {
		return new Answer(OK, json.getBytes(StandardCharsets.UTF_8), Map.of());
	}

	static Answer of(Error error, Map<String, String> headers) {
		return new Answer(error.getCode(), json(error).getBytes(StandardCharsets.UTF_8), headers);
	}

	private static String json(Error error) {
		return JsonNodeFactory.instance.objectNode()
			.put("id", error.getId())
			.put("code", error.getCode())
			.put("detail", error.getDetail())
			.put("status", error.getStatus())
			.toString();
	}

}
