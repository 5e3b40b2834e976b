package mu.micro.security;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.auth.Account;
import mu.micro.auth.Accounts;
import mu.micro.config.Json;
import mu.micro.core.JsonText;
import mu.micro.core.StoreRules;
import mu.micro.store.Database;
import mu.micro.store.Databases;
import mu.micro.store.Entry;
import mu.micro.store.Query;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import org.jspecify.annotations.Nullable;

import org.springframework.security.crypto.argon2.Argon2PasswordEncoder;
import org.springframework.security.crypto.bcrypt.BCryptPasswordEncoder;
import org.springframework.security.crypto.password.DelegatingPasswordEncoder;
import org.springframework.security.crypto.password.PasswordEncoder;

/**
 * Accounts on a store, beside the rules of their namespace: one entry for each, JSON with
 * the hash of its secret, and one for each id and name. As durable as the store, and
 * shared by all who share it.
 * <p>
 * Few secrets are hashed at a time, because each takes memory: as many as there are
 * processors. Who waits for that longer than five seconds is told so by
 * {@link MicroException.Exhausted}.
 */
public final class StoreAccounts implements Scoped<Accounts> {

	private static final String ACCOUNTS = "accounts";

	private static final String LOGINS = "logins";

	private static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

	/**
	 * How often a change begins anew because another one came between.
	 */
	private static final int TRIES = 10;

	private final Databases databases;

	private final PasswordEncoder encoder;

	private final String nobody;

	private final Semaphore hashing = new Semaphore(Runtime.getRuntime().availableProcessors(), true);

	private volatile boolean closed;

	/**
	 * Accounts on databases, with secrets hashed by {@link #encoder()}.
	 * @param databases where they are kept; not closed by this
	 */
	public StoreAccounts(Databases databases) {
		this(databases, encoder());
	}

	/**
	 * Accounts on databases.
	 * @param databases where they are kept; not closed by this
	 * @param encoder hashes secrets; a hash that it would not make itself any more is
	 * made anew at the next login
	 */
	public StoreAccounts(Databases databases, PasswordEncoder encoder) {
		this.databases = databases;
		this.encoder = encoder;
		this.nobody = encode("the secret of nobody");
	}

	/**
	 * Hashes by Argon2id, and knows hashes by bcrypt.
	 * @return the encoder
	 */
	public static PasswordEncoder encoder() {
		return new DelegatingPasswordEncoder("argon2", Map.of("argon2",
				Argon2PasswordEncoder.defaultsForSpringSecurity_v5_8(), "bcrypt", new BCryptPasswordEncoder()));
	}

	@Override
	public Accounts in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	/**
	 * Ends the use of this. The databases stay open.
	 */
	@Override
	public void close() {
		this.closed = true;
	}

	private String encode(String secret) {
		String hash = hash(() -> this.encoder.encode(secret));
		if (hash == null) {
			throw new MicroException.Internal("the encoder gave no hash", null);
		}
		return hash;
	}

	private <T> T hash(Supplier<T> step) {
		try {
			if (!this.hashing.tryAcquire(LONGEST_WAIT.toNanos(), TimeUnit.NANOSECONDS)) {
				throw new MicroException.Exhausted("too many log in at once; try again later");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new MicroException.Cancelled("interrupted before the secret was hashed", ex);
		}
		try {
			return step.get();
		}
		finally {
			this.hashing.release();
		}
	}

	/**
	 * What is kept of an account.
	 *
	 * @param account the account
	 * @param hash the hash of its secret
	 */
	private record Kept(Account account, String hash) {

		static Kept read(String namespace, Entry entry) {
			try {
				Json json = JsonText.parse(new String(entry.value(), StandardCharsets.UTF_8));
				Map<String, Json> members = as(Json.Struct.class, json).members();
				Set<String> scopes = as(Json.Array.class, members.get("scopes")).items()
					.stream()
					.map((scope) -> text(scope))
					.collect(Collectors.toSet());
				Map<String, String> metadata = new LinkedHashMap<>();
				as(Json.Struct.class, members.get("metadata")).members()
					.forEach((name, value) -> metadata.put(name, text(value)));
				return new Kept(new Account(namespace, entry.key(),
						Account.Type.valueOf(text(members.get("type")).toUpperCase(Locale.ROOT)),
						text(members.get("name")), scopes, metadata), text(members.get("hash")));
			}
			catch (MicroException.Invalid | IllegalArgumentException ex) {
				// Without its cause, which may hold what stands there.
				throw new MicroException.Internal(
						"account '" + entry.key() + "' of namespace '" + namespace
								+ "' cannot be read: its entry in table '" + ACCOUNTS + "' is damaged; remove it",
						null);
			}
		}

		byte[] write() {
			Map<String, Json> members = new LinkedHashMap<>();
			members.put("type", Json.of(this.account.type().name().toLowerCase(Locale.ROOT)));
			members.put("name", Json.of(this.account.name()));
			members.put("scopes", Json.of(this.account.scopes().stream().map(Json::of).toList()));
			Map<String, Json> metadata = new LinkedHashMap<>();
			this.account.metadata().forEach((name, value) -> metadata.put(name, Json.of(value)));
			members.put("metadata", Json.of(metadata));
			members.put("hash", Json.of(this.hash));
			return JsonText.write(Json.of(members)).getBytes(StandardCharsets.UTF_8);
		}

		private static String text(@Nullable Json value) {
			return as(Json.Text.class, value).value();
		}

		private static <T extends Json> T as(Class<T> type, @Nullable Json value) {
			if (!type.isInstance(value)) {
				throw new MicroException.Invalid("a member is missing, or not what it should be");
			}
			return type.cast(value);
		}

		Set<String> logins() {
			return new LinkedHashSet<>(List.of(this.account.id(), this.account.name()));
		}

	}

	private final class View implements Accounts {

		private final String namespace;

		View(String namespace) {
			this.namespace = namespace;
		}

		private Database database() {
			if (StoreAccounts.this.closed) {
				throw new MicroException.Unavailable("the accounts are closed");
			}
			return StoreAccounts.this.databases.in(StoreRules.DATABASE + this.namespace);
		}

		private Kept read(Entry entry) {
			return Kept.read(this.namespace, entry);
		}

		private @Nullable Entry entry(String id) {
			return database().table(ACCOUNTS).get(Limits.name("account's id", id));
		}

		@Override
		public @Nullable Account get(String id) {
			Entry entry = entry(id);
			return (entry != null) ? read(entry).account() : null;
		}

		@Override
		public List<Account> list(String after, int limit) {
			Query query = Query.ALL.withLimit(limit);
			return database().table(ACCOUNTS)
				.list((after.isEmpty()) ? query : query.withAfter(after))
				.entries()
				.stream()
				.map((entry) -> read(entry).account())
				.toList();
		}

		@Override
		public void add(Account account, String secret) {
			if (!account.namespace().equals(this.namespace)) {
				throw new MicroException.Invalid("an account of namespace '" + account.namespace()
						+ "' cannot be added to namespace '" + this.namespace + "'");
			}
			Accounts.secret(secret);
			Database database = database();
			Kept kept = new Kept(account, encode(secret));
			List<TableWrite> writes = new ArrayList<>();
			writes.add(new TableWrite(ACCOUNTS, Write.put(account.id(), kept.write()).withWhen(When.ABSENT)));
			byte[] id = account.id().getBytes(StandardCharsets.UTF_8);
			kept.logins()
				.forEach((login) -> writes.add(new TableWrite(LOGINS, Write.put(login, id).withWhen(When.ABSENT))));
			try {
				database.apply(writes);
			}
			catch (MicroException.Conflict ex) {
				throw new MicroException.Conflict("'" + String.join("' or '", kept.logins())
						+ "' is the id or the name of an account of namespace '" + this.namespace
						+ "' already: take another");
			}
		}

		@Override
		public boolean remove(String id) {
			return change(id, (entry) -> {
				List<TableWrite> writes = new ArrayList<>();
				writes.add(new TableWrite(ACCOUNTS, Write.delete(id).withWhen(When.revision(entry.revision()))));
				read(entry).logins().forEach((login) -> writes.add(new TableWrite(LOGINS, Write.delete(login))));
				database().apply(writes);
			});
		}

		@Override
		public void setSecret(String id, String secret) {
			Accounts.secret(secret);
			if (!change(id, (entry) -> rehash(entry, secret))) {
				throw new MicroException.NotFound(
						"there is no account '" + id + "' in namespace '" + this.namespace + "'");
			}
		}

		private void rehash(Entry entry, String secret) {
			Kept kept = new Kept(read(entry).account(), encode(secret));
			database().table(ACCOUNTS)
				.put(Write.put(entry.key(), kept.write()).withWhen(When.revision(entry.revision())));
		}

		private boolean change(String id, Consumer<Entry> step) {
			for (int i = 0; i < TRIES; i++) {
				Entry entry = entry(id);
				if (entry == null) {
					return false;
				}
				try {
					step.accept(entry);
					return true;
				}
				catch (MicroException.Conflict ex) {
					// Somebody changed it meanwhile.
				}
			}
			throw new MicroException.Unavailable("others kept changing account '" + id + "' of namespace '"
					+ this.namespace + "'; nothing was changed, try again later");
		}

		@Override
		public Account login(String idOrName, String secret) {
			Entry entry = find(idOrName);
			Kept kept = (entry != null) ? read(entry) : null;
			String hash = (kept != null) ? kept.hash() : StoreAccounts.this.nobody;
			String checked = (secret.length() <= LONGEST_SECRET) ? secret : "";
			boolean right = hash(() -> StoreAccounts.this.encoder.matches(checked, hash));
			if (entry == null || kept == null || !right) {
				throw new MicroException.Unauthenticated("there is no such account, or its secret is another");
			}
			if (StoreAccounts.this.encoder.upgradeEncoding(hash)) {
				upgrade(entry, secret);
			}
			return kept.account();
		}

		private @Nullable Entry find(String idOrName) {
			Database database = database();
			try {
				Entry login = database.table(LOGINS).get(Limits.name("login", idOrName));
				return (login != null) ? entry(new String(login.value(), StandardCharsets.UTF_8)) : null;
			}
			catch (MicroException.Invalid ex) {
				return null;
			}
		}

		private void upgrade(Entry entry, String secret) {
			try {
				rehash(entry, secret);
			}
			catch (MicroException ex) {
				// The next login does it.
			}
		}

	}

}
