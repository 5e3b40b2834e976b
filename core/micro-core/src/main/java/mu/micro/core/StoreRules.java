package mu.micro.core;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.Subscription;
import mu.micro.auth.Access;
import mu.micro.auth.Account;
import mu.micro.auth.Decision;
import mu.micro.auth.Resource;
import mu.micro.auth.Rule;
import mu.micro.auth.Rules;
import mu.micro.config.Json;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.Store;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

/**
 * Rules on a store: one entry for each, JSON that people can read. As durable as the
 * store, and shared by all who share it. They are not in the namespace's own database,
 * which its accounts may be allowed to write, but in one beside it, whose name no
 * {@link Account} can have as its namespace.
 */
public final class StoreRules implements Scoped<Rules> {

	/**
	 * What the name of the database of a namespace's accounts and rules begins with; the
	 * namespace follows.
	 */
	public static final String DATABASE = "auth/";

	/**
	 * The table in that database.
	 */
	public static final String TABLE = "rules";

	private final Databases databases;

	private final Rulebooks books;

	/**
	 * Rules on databases.
	 * @param databases where they are kept; not closed by this
	 */
	public StoreRules(Databases databases) {
		this(databases, System::nanoTime);
	}

	StoreRules(Databases databases, LongSupplier nanoTime) {
		this.databases = databases;
		this.books = new Rulebooks(new Tables(), nanoTime);
	}

	@Override
	public Rules in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	/**
	 * Ends the watches. The databases stay open.
	 */
	@Override
	public void close() {
		this.books.close();
	}

	private Store table(String namespace) {
		this.books.checkOpen();
		return this.databases.in(DATABASE + namespace).table(TABLE);
	}

	private List<Rule> list(String namespace) {
		List<Rule> rules = new ArrayList<>();
		Pages pages = new Pages(table(namespace), Query.ALL, 0);
		for (List<Entry> page = pages.next(); !page.isEmpty(); page = pages.next()) {
			page.forEach((entry) -> rules.add(read(namespace, entry)));
		}
		return rules;
	}

	private static Rule read(String namespace, Entry entry) {
		try {
			Json json = JsonText.parse(new String(entry.value(), StandardCharsets.UTF_8));
			Json.Struct rule = member(Json.Struct.class, "rule", json);
			return new Rule(entry.key(), text(rule, "scope"), Resource.parse(text(rule, "resource")),
					Access.valueOf(text(rule, "access").toUpperCase(Locale.ROOT)),
					member(Json.Number.class, "priority", rule.members().get("priority")).value().intValueExact());
		}
		catch (MicroException.Invalid | IllegalArgumentException | ArithmeticException ex) {
			// Left out it might have been the one that denies.
			throw new MicroException.Internal("rule '" + entry.key() + "' of namespace '" + namespace + "' in table '"
					+ TABLE + "' cannot be read; remove it, or put it right: " + ex.getMessage(), ex);
		}
	}

	private static String text(Json.Struct rule, String name) {
		return member(Json.Text.class, name, rule.members().get(name)).value();
	}

	private static <T extends Json> T member(Class<T> type, String name, @Nullable Json value) {
		if (!type.isInstance(value)) {
			throw new MicroException.Invalid("its " + name + " is missing, or not what it should be");
		}
		return type.cast(value);
	}

	private static byte[] write(Rule rule) {
		Map<String, Json> members = new LinkedHashMap<>();
		members.put("scope", Json.of(rule.scope()));
		members.put("resource", Json.of(rule.resource().toString()));
		members.put("access", Json.of(rule.access().name().toLowerCase(Locale.ROOT)));
		members.put("priority", Json.of(BigDecimal.valueOf(rule.priority())));
		return JsonText.write(Json.of(members)).getBytes(StandardCharsets.UTF_8);
	}

	private final class Tables implements Rulebooks.Source {

		@Override
		public List<Rule> list(String namespace) {
			return StoreRules.this.list(namespace);
		}

		@Override
		public Subscription watch(String namespace, Runnable changed) {
			Store table = table(namespace);
			long revision = table.list(Query.ALL.withLimit(1).withKeysOnly()).revision();
			return table.watch("", revision, (change) -> changed.run());
		}

	}

	private final class View implements Rules {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		@Override
		public List<Rule> list() {
			return StoreRules.this.list(this.namespace);
		}

		@Override
		public void add(Rule rule) {
			Store table = table(this.namespace);
			if (!table.list(Query.ALL.withOffset(RULES - 1).withLimit(1).withKeysOnly()).entries().isEmpty()) {
				throw new MicroException.Exhausted("namespace '" + this.namespace + "' has " + RULES
						+ " rules already, which is the limit: remove one first");
			}
			try {
				table.put(Write.put(rule.id(), write(rule)).withWhen(When.ABSENT));
			}
			catch (MicroException.Conflict ex) {
				throw new MicroException.Conflict("there is a rule '" + rule.id() + "' in namespace '" + this.namespace
						+ "': remove it first, or take another id");
			}
		}

		@Override
		public boolean remove(String id) {
			Limits.name("rule's id", id);
			return table(this.namespace).delete(id, When.ALWAYS);
		}

		@Override
		public Decision decide(@Nullable Account account, Resource resource) {
			return StoreRules.this.books.decide(this.namespace, account, resource);
		}

	}

}
