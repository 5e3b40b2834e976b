package mu.micro.core;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.config.Config;
import mu.micro.config.Json;
import org.jspecify.annotations.Nullable;

/**
 * A namespace's config as it is kept: the object itself, where in place of a secret
 * stands {@code {".secret": "the sealed text"}}, a name that nobody can set.
 */
final class ConfigDocument {

	private static final String SECRET = ".secret";

	// A secret on the last level is one more.
	private static final int DEPTH = Config.DEPTH + 1;

	private static final Json.Struct EMPTY = Json.of(Map.of());

	private final Json.Struct root;

	private final Keyring.Seals seals;

	private ConfigDocument(Json.Struct root, Keyring.Seals seals) {
		this.root = root;
		this.seals = seals;
	}

	/**
	 * A document as it was kept.
	 * @param bytes what was kept; null for nothing
	 * @param seals the seals of the namespace
	 * @return the document
	 * @throws MicroException.Invalid if this is none
	 */
	static ConfigDocument read(byte @Nullable [] bytes, Keyring.Seals seals) {
		if (bytes == null) {
			return new ConfigDocument(EMPTY, seals);
		}
		if (JsonText.parse(new String(bytes, StandardCharsets.UTF_8), DEPTH) instanceof Json.Struct struct) {
			return new ConfigDocument(struct, seals);
		}
		throw new MicroException.Invalid("the whole is no object");
	}

	/**
	 * What to keep.
	 * @return the bytes; null for nothing
	 * @throws MicroException.Invalid if the document is over a limit
	 */
	byte @Nullable [] write() {
		if (this.root.members().isEmpty()) {
			return null;
		}
		int leaves = leaves(this.root);
		if (leaves > Config.LEAVES) {
			throw new MicroException.Invalid(
					"the config would have " + leaves + " leaves, more than the limit of " + Config.LEAVES);
		}
		byte[] bytes = JsonText.write(this.root, DEPTH).getBytes(StandardCharsets.UTF_8);
		if (bytes.length > Config.DOCUMENT) {
			throw new MicroException.Invalid(
					"the config would be " + bytes.length + " bytes, more than the limit of " + Config.DOCUMENT);
		}
		return bytes;
	}

	/**
	 * Checks what is to be set.
	 * @param path where
	 * @param value what
	 * @throws MicroException.Invalid if it is no path, or part of the value could not be
	 * there
	 */
	static void check(String path, Json value) {
		List<String> names = Config.names(path);
		if (names.isEmpty() && !(value instanceof Json.Struct)) {
			throw new MicroException.Invalid("the whole config is an object, and nothing else can be set there");
		}
		check(path, value, names.size() + 1);
	}

	private static void check(String path, Json value, int level) {
		if (value instanceof Json.Struct struct) {
			checkDepth(level);
			struct.members().forEach((name, member) -> {
				Limits.name("name in the object", name);
				if (name.indexOf('.') >= 0) {
					throw new MicroException.Invalid("the name '" + name
							+ "' in the object has a dot; set an object in an object instead, or set it by its path");
				}
				String inside = Limits.text("path", join(path, name), Limits.KEY);
				check(inside, member, level + 1);
			});
		}
		else if (value instanceof Json.Array) {
			checkArray(value, level);
		}
	}

	private static void checkArray(Json value, int level) {
		if (value instanceof Json.Array array) {
			checkDepth(level);
			array.items().forEach((item) -> checkArray(item, level + 1));
		}
		else if (value instanceof Json.Struct struct) {
			checkDepth(level);
			struct.members().values().forEach((member) -> checkArray(member, level + 1));
		}
	}

	private static void checkDepth(int level) {
		if (level > Config.DEPTH) {
			throw new MicroException.Invalid("this goes deeper than the limit of " + Config.DEPTH + " levels");
		}
	}

	/**
	 * What is at a path.
	 * @param path the path
	 * @param reveal whether to open secrets
	 * @return the value; null for none
	 */
	@Nullable Json get(String path, boolean reveal) {
		Json found = this.root;
		for (String name : Config.names(path)) {
			found = (isObject(found)) ? ((Json.Struct) found).members().get(name) : null;
			if (found == null) {
				return null;
			}
		}
		return (path.isEmpty() && found.equals(EMPTY)) ? null : show(path, found, reveal);
	}

	private Json show(String path, Json kept, boolean reveal) {
		String sealed = sealed(kept);
		if (sealed != null) {
			return (reveal) ? open(path, sealed) : Config.HIDDEN;
		}
		if (!(kept instanceof Json.Struct struct)) {
			return kept;
		}
		Map<String, Json> members = new TreeMap<>();
		struct.members().forEach((name, member) -> members.put(name, show(join(path, name), member, reveal)));
		return Json.of(members);
	}

	private Json open(String path, String sealed) {
		return JsonText.parse(new String(this.seals.open(path, sealed), StandardCharsets.UTF_8));
	}

	private Json seal(String path, Json leaf) {
		byte[] text = JsonText.write(leaf).getBytes(StandardCharsets.UTF_8);
		return Json.of(Map.of(SECRET, Json.of(this.seals.seal(path, text))));
	}

	/**
	 * The document with a value set.
	 * @param path where
	 * @param value what, checked
	 * @param secret whether to seal its leaves
	 * @return the new document
	 */
	ConfigDocument set(String path, Json value, boolean secret) {
		return with((Json.Struct) set(this.root, "", new ArrayDeque<>(Config.names(path)), value, secret));
	}

	private Json set(@Nullable Json kept, String path, Deque<String> names, Json value, boolean secret) {
		String name = names.poll();
		if (name == null) {
			return merge(kept, path, value, secret);
		}
		Map<String, Json> members = members(kept);
		members.put(name, set(members.get(name), join(path, name), names, value, secret));
		return Json.of(members);
	}

	private Json merge(@Nullable Json kept, String path, Json value, boolean secret) {
		if (value instanceof Json.Struct struct && !struct.equals(EMPTY)) {
			Map<String, Json> members = members(kept);
			struct.members()
				.forEach((name, member) -> members.put(name,
						merge(members.get(name), join(path, name), member, secret)));
			return Json.of(members);
		}
		if (kept != null
				&& (value.equals(EMPTY) && isObject(kept) || value.equals(Config.HIDDEN) && sealed(kept) != null)) {
			return kept;
		}
		return (secret) ? seal(path, value) : value;
	}

	/**
	 * The document without what is at a path.
	 * @param path the path
	 * @return the new document; this one if there is nothing
	 */
	ConfigDocument remove(String path) {
		Json left = remove(this.root, new ArrayDeque<>(Config.names(path)));
		return with((left != null) ? (Json.Struct) left : EMPTY);
	}

	private static @Nullable Json remove(Json kept, Deque<String> names) {
		String name = names.poll();
		if (name == null) {
			return null;
		}
		Map<String, Json> members = members(kept);
		Json member = members.get(name);
		if (member == null) {
			return kept;
		}
		Json left = remove(member, names);
		if (left != null) {
			members.put(name, left);
		}
		else {
			members.remove(name);
		}
		return (members.isEmpty()) ? null : Json.of(members);
	}

	/**
	 * The document with every secret under the first key.
	 * @return the new document; this one if there is nothing to do
	 */
	ConfigDocument sealAgain() {
		return with((Json.Struct) sealAgain("", this.root));
	}

	private Json sealAgain(String path, Json kept) {
		String sealed = sealed(kept);
		if (sealed != null) {
			return (this.seals.current(sealed)) ? kept : seal(path, open(path, sealed));
		}
		if (!(kept instanceof Json.Struct struct)) {
			return kept;
		}
		Map<String, Json> members = new TreeMap<>();
		struct.members().forEach((name, member) -> members.put(name, sealAgain(join(path, name), member)));
		return Json.of(members);
	}

	private ConfigDocument with(Json.Struct changed) {
		return (changed.equals(this.root)) ? this : new ConfigDocument(changed, this.seals);
	}

	private static Map<String, Json> members(@Nullable Json kept) {
		return (kept != null && isObject(kept)) ? new TreeMap<>(((Json.Struct) kept).members()) : new TreeMap<>();
	}

	private static boolean isObject(Json kept) {
		return kept instanceof Json.Struct && sealed(kept) == null;
	}

	private static @Nullable String sealed(Json kept) {
		return (kept instanceof Json.Struct struct && struct.members().get(SECRET) instanceof Json.Text text)
				? text.value() : null;
	}

	private static int leaves(Json kept) {
		if (!isObject(kept) || kept.equals(EMPTY)) {
			return 1;
		}
		return ((Json.Struct) kept).members().values().stream().mapToInt(ConfigDocument::leaves).sum();
	}

	private static String join(String path, String name) {
		return (path.isEmpty()) ? name : path + "." + name;
	}

}
