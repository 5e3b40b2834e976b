package mu.micro.autoconfigure;

import java.math.BigDecimal;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;

import mu.micro.config.Config;
import mu.micro.config.Json;
import org.jspecify.annotations.Nullable;

import org.springframework.core.env.EnumerablePropertySource;

/**
 * A part of the configuration as properties: names joined by dots, items of arrays in
 * brackets.
 */
class ConfigPropertySource extends EnumerablePropertySource<AtomicReference<Map<String, Object>>> {

	private static final int LONG_DIGITS = 18;

	private final String path;

	private final boolean optional;

	/**
	 * A source without properties.
	 * @param path where the part is; empty for all
	 * @param optional whether it may be away at the start
	 * @see Config#get
	 */
	ConfigPropertySource(String path, boolean optional) {
		super("micro:" + path, new AtomicReference<>(Map.of()));
		this.path = path;
		this.optional = optional;
	}

	boolean optional() {
		return this.optional;
	}

	String path() {
		return this.path;
	}

	@Override
	public String[] getPropertyNames() {
		return this.source.get().keySet().toArray(String[]::new);
	}

	@Override
	public @Nullable Object getProperty(String name) {
		return this.source.get().get(name);
	}

	@Override
	public boolean containsProperty(String name) {
		return this.source.get().containsKey(name);
	}

	/**
	 * Takes the part as it is now.
	 * @param json the part; null where there is nothing
	 * @return the names whose values are others than before
	 */
	Set<String> update(@Nullable Json json) {
		Map<String, Object> now = new LinkedHashMap<>();
		if (json != null) {
			flatten("", json, now);
		}
		Map<String, Object> before = this.source.getAndSet(now);
		Set<String> names = new HashSet<>(before.keySet());
		names.addAll(now.keySet());
		names.removeIf((name) -> Objects.equals(before.get(name), now.get(name)));
		return names;
	}

	private static void flatten(String name, Json json, Map<String, Object> into) {
		if (json instanceof Json.Struct struct && !struct.members().isEmpty()) {
			struct.members()
				.forEach((member, value) -> flatten((name.isEmpty()) ? member : name + "." + member, value, into));
		}
		else if (json instanceof Json.Array array && !array.items().isEmpty()) {
			for (int i = 0; i < array.items().size(); i++) {
				flatten(name + "[" + i + "]", array.items().get(i), into);
			}
		}
		else if (!name.isEmpty()) {
			into.put(name, value(json));
		}
	}

	/*
	 * What is empty is an empty text, as Boot has it for YAML.
	 */
	private static Object value(Json json) {
		if (json instanceof Json.Text text) {
			return text.value();
		}
		if (json instanceof Json.Bool bool) {
			return bool.value();
		}
		if (json instanceof Json.Number number) {
			BigDecimal value = number.value();
			return (value.scale() == 0 && value.precision() <= LONG_DIGITS) ? (Object) value.longValue() : value;
		}
		return "";
	}

}
