package mu.micro.gateway;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import mu.micro.Limits;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * The endpoint that a path means, by the table of Micro v3: <pre>
 * /foo                 foo          Foo.Call
 * /foo/bar             foo          Foo.Bar
 * /foo/bar/baz         foo          Bar.Baz
 * /foo/bar/baz/cat     foo.bar      Baz.Cat
 * /v1/foo              v1.foo       Foo.Call
 * /v1/foo/bar          v1.foo       Foo.Bar
 * /v1/foo/bar/baz      v1.foo       Bar.Baz
 * </pre> Empty parts count for nothing, so slashes may be doubled or trail. Parts with
 * hyphens become one word: {@code baz-xyz} is {@code BazXyz}.
 *
 * @param service the service's name
 * @param endpoint {@code Handler.Method}
 */
record Route(String service, String endpoint) {

	private static final Pattern VERSION = Pattern.compile("v[0-9]+");

	/**
	 * Reads a path.
	 * @param path the path as it came, percent-encoded
	 * @return the endpoint, or null if the path has no parts
	 * @throws MicroException.Invalid if the path is encoded wrongly, or the service's
	 * name is over its limit
	 */
	static @Nullable Route of(String path) {
		List<String> parts = new ArrayList<>();
		for (String part : path.split("/")) {
			if (!part.isEmpty()) {
				parts.add(PercentEncoding.decode(part, false));
			}
		}
		if (parts.isEmpty()) {
			return null;
		}
		boolean versioned = parts.size() > 1 && VERSION.matcher(parts.get(0)).matches();
		int most = (versioned) ? 2 : 1;
		int named = Math.max(most, parts.size() - 2);
		String service = Limits.name("service's name", String.join(".", parts.subList(0, named)));
		List<String> rest = parts.subList(named, parts.size());
		return switch (rest.size()) {
			case 0 -> new Route(service, endpoint(handler(service), "call"));
			case 1 -> new Route(service, endpoint(handler(service), rest.get(0)));
			default -> new Route(service, endpoint(rest.get(0), rest.get(1)));
		};
	}

	private static String handler(String service) {
		return service.substring(service.lastIndexOf('.') + 1);
	}

	private static String endpoint(String handler, String method) {
		return camelCase(handler) + "." + camelCase(method);
	}

	private static String camelCase(String part) {
		return List.of(part.split("-")).stream().map(Route::capitalized).collect(Collectors.joining());
	}

	private static String capitalized(String word) {
		if (word.isEmpty()) {
			return word;
		}
		int first = word.codePointAt(0);
		return Character.toString(Character.toTitleCase(first)) + word.substring(Character.charCount(first));
	}

}
