package mu.micro.auth;

import mu.micro.Limits;
import mu.micro.MicroException;

/**
 * What is called, or in a {@link Rule} what may be. Who decides about a call makes its
 * resource from what will be called, never from the words of a request.
 *
 * @param type what it is: {@link #CORE}, {@link #SERVICE}, or another within
 * {@link Limits#NAME}
 * @param name the service's name
 * @param endpoint the endpoint, as in {@code Helloworld.Call}, or a path, which begins
 * with a slash and is a canonical one: no empty, {@code .} or {@code ..} segments,
 * nothing percent-encoded, no backslash, no dot or space at a segment's end
 */
public record Resource(String type, String name, String endpoint) {

	/**
	 * The type of what Micro's core services offer.
	 */
	public static final String CORE = "core";

	/**
	 * The type of what all other services offer.
	 */
	public static final String SERVICE = "service";

	/**
	 * Stands for any, in a rule.
	 */
	public static final String ANY = "*";

	/**
	 * Checks.
	 * @throws MicroException.Invalid if a part is no {@link Limits#name name}, type or
	 * name holds a colon, or a path is not canonical
	 */
	public Resource {
		part("type", type);
		part("name", name);
		Limits.text("resource's endpoint", endpoint, Limits.KEY);
		if (endpoint.isBlank() || endpoint.chars().anyMatch(Character::isISOControl)) {
			throw new MicroException.Invalid("the resource's endpoint is blank or holds a control character");
		}
		if (endpoint.startsWith("/")) {
			path(endpoint);
		}
	}

	/**
	 * Reads the three parts with colons between them, as in
	 * {@code service:helloworld:Helloworld.Call}.
	 * @param text the text
	 * @return the resource
	 * @throws MicroException.Invalid if it has not three parts, or one of them is none
	 */
	public static Resource parse(String text) {
		String[] parts = text.split(":", 3);
		if (parts.length != 3) {
			throw new MicroException.Invalid("'" + text
					+ "' is no resource: write type:name:endpoint, with * for any, as in service:helloworld:*");
		}
		return new Resource(parts[0], parts[1], parts[2]);
	}

	private static void part(String what, String part) {
		Limits.name("resource's " + what, part);
		if (part.indexOf(':') >= 0) {
			throw new MicroException.Invalid("the resource's " + what + " holds a colon");
		}
	}

	private static void path(String path) {
		if (path.indexOf('%') >= 0 || path.indexOf('\\') >= 0) {
			throw new MicroException.Invalid("the path holds a '%' or a backslash: decode it first");
		}
		String[] segments = path.substring(1).split("/", -1);
		for (int i = 0; i < segments.length; i++) {
			String segment = segments[i];
			boolean last = i == segments.length - 1;
			if ((segment.isEmpty() && !last) || segment.endsWith(".") || segment.endsWith(" ")) {
				throw new MicroException.Invalid("the path '" + path
						+ "' is not canonical: it has an empty segment, or one that ends with a dot or a space");
			}
		}
	}

	/**
	 * Whether a rule for this is about what is called.
	 * @param called what is called, without wildcards
	 * @return whether each part is {@link #ANY}, or the same, or, for a path that ends
	 * with {@code /*}, a path below it
	 */
	public boolean covers(Resource called) {
		return covers(this.type, called.type) && covers(this.name, called.name)
				&& (covers(this.endpoint, called.endpoint) || below(this.endpoint, called.endpoint));
	}

	private static boolean covers(String part, String called) {
		return part.equals(ANY) || part.equals(called);
	}

	private static boolean below(String endpoint, String called) {
		return endpoint.startsWith("/") && endpoint.endsWith("/*")
				&& called.startsWith(endpoint.substring(0, endpoint.length() - 1));
	}

	/**
	 * The three parts with colons between them.
	 */
	@Override
	public String toString() {
		return this.type + ":" + this.name + ":" + this.endpoint;
	}

}
