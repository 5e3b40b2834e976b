package mu.micro.local;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import javax.jmdns.JmDNS;
import javax.jmdns.ServiceInfo;
import javax.jmdns.impl.DNSEntry;
import javax.jmdns.impl.DNSRecord;
import javax.jmdns.impl.JmDNSImpl;
import javax.jmdns.impl.constants.DNSRecordType;

import mu.micro.core.Threads;

/**
 * Nodes announce by multicast DNS on the loopback interface, in a group of their own.
 * <p>
 * An announcement is a code that proves its sender has the group's key, which those who
 * have another key do not look behind, and JSON, in the text of as many service instances
 * as it needs, because JmDNS breaks records that do not fit into one packet. Their names
 * tell which belong together. Records are immutable: a changed announcement gets new
 * names.
 */
final class MdnsMedium implements Medium {

	private static final System.Logger logger = System.getLogger(MdnsMedium.class.getName());

	private static final String TYPE = "_micro._tcp.local.";

	/**
	 * Random per announcement, then the part and the number of parts.
	 */
	private static final Pattern LABEL = Pattern.compile("([0-9a-f]{32})-(\\d{1,2})-(\\d{1,2})");

	/**
	 * Bytes of an announcement in one record.
	 */
	private static final int PART = 1000;

	/**
	 * Bytes in one string of a record's text, by DNS.
	 */
	private static final int STRING = 255;

	private static final String CODE = "HmacSHA256";

	/**
	 * Bytes of the code that are sent, before the JSON.
	 */
	private static final int CODE_BYTES = 16;

	private static final int MAX_RECORDS = 10_000;

	private static final Duration LOOK = Duration.ofMillis(250);

	private static final Duration PROBE = Duration.ofMillis(450);

	private static final Duration CLOSING = Duration.ofSeconds(2);

	/**
	 * Who does not hear itself for so long is not heard by others either.
	 */
	private static final Duration DEAF = Duration.ofSeconds(5);

	/**
	 * How long JmDNS may try to get its socket back.
	 */
	private static final Duration RECOVERING = Duration.ofSeconds(10);

	/**
	 * When to ask who is there, counted from the query before.
	 */
	private static final List<Duration> QUERIES = List.of(Duration.ZERO, Duration.ofSeconds(1), Duration.ofSeconds(10));

	private final Node node;

	private final Callable<byte[]> key;

	private final Consumer<String> deaf;

	private final Callable<JmDNSImpl> opening;

	private final Duration recovering;

	private final Thread thread;

	private final Semaphore wake = new Semaphore(0);

	private final CompletableFuture<Void> opened = new CompletableFuture<>();

	private volatile Runnable changed = () -> {
	};

	private volatile boolean closed;

	private volatile List<Announcement> own = List.of();

	private volatile List<Announcement> heard = List.of();

	/**
	 * Opens nothing yet.
	 * @param node who announces
	 * @param key gives the key of all who are to hear each other, asked for before each
	 * opening
	 * @param deaf called with the problem in words, if what this node announces is not
	 * heard by itself, or if multicast was there and is not to be had again
	 */
	MdnsMedium(Node node, Callable<byte[]> key, Consumer<String> deaf) {
		this(node, key, deaf, () -> create(node), RECOVERING);
	}

	/**
	 * Opens nothing yet.
	 * @param node who announces
	 * @param key gives the key, as above
	 * @param deaf called with a problem, as above
	 * @param opening gives a JmDNS that is open, again when the one before failed
	 * @param recovering how long one may be without its socket before it has failed
	 */
	MdnsMedium(Node node, Callable<byte[]> key, Consumer<String> deaf, Callable<JmDNSImpl> opening,
			Duration recovering) {
		this.node = node;
		this.key = key;
		this.deaf = deaf;
		this.opening = opening;
		this.recovering = recovering;
		this.thread = Threads.daemons("micro-registry-mdns").newThread(this::run);
	}

	@Override
	public void open(Runnable changed) {
		this.changed = changed;
		this.thread.start();
	}

	/**
	 * Ends when multicast is there, or fails with the reason why it is not: opening takes
	 * its time.
	 * @return the outcome
	 */
	CompletableFuture<Void> opened() {
		return this.opened;
	}

	@Override
	public void announce(List<Announcement> own) {
		this.own = own;
		this.wake.release();
	}

	@Override
	public List<Announcement> heard() {
		return this.heard;
	}

	@Override
	public void close() {
		stop();
		try {
			this.thread.join(CLOSING.toMillis());
		}
		catch (InterruptedException ex) {
			// It ends by itself, and nothing here depends on when.
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * Has it end, without waiting.
	 */
	void stop() {
		this.closed = true;
		this.wake.release();
	}

	private void run() {
		try {
			while (!this.closed) {
				live();
			}
		}
		catch (Throwable ex) {
			fail(ex);
		}
	}

	private void live() throws Exception {
		Mac code = Mac.getInstance(CODE);
		code.init(new SecretKeySpec(this.key.call(), CODE));
		JmDNSImpl dns = this.opening.call();
		this.opened.complete(null);
		try {
			new Session(dns, code).run();
		}
		finally {
			dns.close();
		}
	}

	// Nobody is told of an opening that failed but who waits for it, and of a later one
	// all who rely on what was heard.
	private void fail(Throwable problem) {
		if (this.opened.completeExceptionally(problem) || this.closed) {
			return;
		}
		this.heard = List.of();
		this.deaf.accept("it failed and could not be opened again: " + problem.getMessage());
		this.changed.run();
	}

	// JmDNS reads its settings once per JVM, and they hold for all who use it there.
	static JmDNSImpl create(Node node) throws IOException {
		Properties settings = System.getProperties();
		settings.putIfAbsent("net.mdns.ipv4", "239.255.77.85");
		settings.putIfAbsent("net.mdns.port", "25353");
		settings.putIfAbsent("net.dns.ttl", "6");
		MdnsTimers.install();
		// With its name, so that nobody is asked for it.
		InetAddress loopback = InetAddress.getByAddress("localhost", new byte[] { 127, 0, 0, 1 });
		return (JmDNSImpl) JmDNS.create(loopback, MdnsTimers.PREFIX + node.random());
	}

	private static byte[] code(Mac code, byte[] json) {
		return Arrays.copyOf(code.doFinal(json), CODE_BYTES);
	}

	private static List<Announcement> decode(List<DNSRecord> records, Mac code) {
		Map<String, Map<Integer, byte[]>> parts = new HashMap<>();
		Map<String, Integer> counts = new HashMap<>();
		for (DNSRecord record : records) {
			String name = record.getName();
			InetAddress source = record.getRecordSource();
			// The socket hears the whole network; only this machine is asked.
			if (source == null || !source.isLoopbackAddress() || !name.endsWith("." + TYPE)) {
				continue;
			}
			Matcher label = LABEL.matcher(name.substring(0, name.length() - TYPE.length() - 1));
			if (label.matches()) {
				counts.put(label.group(1), Integer.parseInt(label.group(3)));
				parts.computeIfAbsent(label.group(1), (key) -> new TreeMap<>())
					.put(Integer.parseInt(label.group(2)), fromText(record.getServiceInfo().getTextBytes()));
			}
		}
		List<Announcement> announcements = new ArrayList<>();
		parts.forEach((random, bytes) -> {
			if (bytes.size() == counts.getOrDefault(random, 0)) {
				ByteArrayOutputStream whole = new ByteArrayOutputStream();
				bytes.values().forEach(whole::writeBytes);
				announcements.addAll(open(whole.toByteArray(), code));
			}
		});
		return announcements;
	}

	private static List<Announcement> open(byte[] bytes, Mac code) {
		if (bytes.length < CODE_BYTES) {
			return List.of();
		}
		byte[] json = Arrays.copyOfRange(bytes, CODE_BYTES, bytes.length);
		return MessageDigest.isEqual(code(code, json), Arrays.copyOf(bytes, CODE_BYTES)) ? Announcement.read(json)
				: List.of();
	}

	private static byte[] toText(byte[] bytes) {
		ByteArrayOutputStream text = new ByteArrayOutputStream();
		for (int from = 0; from < bytes.length; from += STRING) {
			int length = Math.min(STRING, bytes.length - from);
			text.write(length);
			text.write(bytes, from, length);
		}
		return text.toByteArray();
	}

	private static byte[] fromText(byte[] text) {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream();
		for (int from = 0; from < text.length;) {
			int length = Math.min(text[from] & 0xFF, text.length - from - 1);
			bytes.write(text, from + 1, length);
			from += length + 1;
		}
		return bytes.toByteArray();
	}

	/**
	 * One life of a JmDNS, seen by the thread alone.
	 */
	private final class Session {

		private final JmDNSImpl dns;

		private final Mac code;

		private final Map<Announcement, List<ServiceInfo>> published = new HashMap<>();

		/**
		 * By identity: JmDNS keeps the object while the record stays the same.
		 */
		private Set<DNSEntry> records = Set.of();

		private List<Announcement> decoded = List.of();

		private Set<Node> dead = Set.of();

		private boolean hearsItself;

		private long publishedAt;

		private long probedAt = System.nanoTime();

		private long workedAt = System.nanoTime();

		private long queriedAt = System.nanoTime();

		private int query;

		Session(JmDNSImpl dns, Mac code) {
			this.dns = dns;
			this.code = code;
		}

		void run() {
			while (!MdnsMedium.this.closed && works()) {
				try {
					query();
					publish();
					listen();
				}
				catch (RuntimeException ex) {
					logger.log(System.Logger.Level.DEBUG, "JmDNS failed; it is used again", ex);
				}
				pause();
			}
		}

		// JmDNS closes itself for good after some errors.
		private boolean works() {
			if (this.dns.getSocket() != null) {
				this.workedAt = System.nanoTime();
			}
			return !passed(this.workedAt, MdnsMedium.this.recovering);
		}

		private void query() {
			if (passed(this.queriedAt, QUERIES.get(this.query))) {
				this.queriedAt = System.nanoTime();
				this.query = Math.min(this.query + 1, QUERIES.size() - 1);
				this.dns.startServiceResolver(TYPE);
			}
		}

		/**
		 * Announces what is new before it takes back what is old, so that there is no
		 * gap.
		 */
		private void publish() {
			List<Announcement> own = MdnsMedium.this.own;
			for (Announcement announcement : own) {
				if (!this.published.containsKey(announcement)) {
					this.published.put(announcement, register(announcement));
				}
			}
			for (Announcement announcement : List.copyOf(this.published.keySet())) {
				if (!own.contains(announcement) && !MdnsMedium.this.closed) {
					this.published.remove(announcement).forEach(this.dns::unregisterService);
				}
			}
			if (this.published.isEmpty()) {
				this.publishedAt = 0;
			}
			else if (this.publishedAt == 0) {
				this.publishedAt = System.nanoTime();
			}
		}

		private List<ServiceInfo> register(Announcement announcement) {
			byte[] json = Announcement.write(List.of(announcement));
			ByteArrayOutputStream whole = new ByteArrayOutputStream();
			whole.writeBytes(code(this.code, json));
			whole.writeBytes(json);
			byte[] bytes = whole.toByteArray();
			int count = (bytes.length + PART - 1) / PART;
			String random = UUID.randomUUID().toString().replace("-", "");
			List<ServiceInfo> parts = new ArrayList<>();
			for (int i = 0; i < count; i++) {
				byte[] part = Arrays.copyOfRange(bytes, i * PART, Math.min(bytes.length, (i + 1) * PART));
				parts.add(ServiceInfo.create(TYPE, random + "-" + i + "-" + count, announcement.instance().port(), 0, 0,
						toText(part)));
			}
			try {
				for (ServiceInfo part : parts) {
					this.dns.registerService(part);
				}
			}
			catch (IOException | IllegalStateException ex) {
				logger.log(System.Logger.Level.DEBUG, "not announced by multicast DNS", ex);
			}
			return parts;
		}

		private void listen() {
			List<DNSRecord> records = new ArrayList<>();
			boolean heard = false;
			for (DNSEntry entry : this.dns.getCache().allValues()) {
				if (entry.getRecordType() == DNSRecordType.TYPE_TXT && records.size() < MAX_RECORDS) {
					records.add((DNSRecord) entry);
					heard |= !this.records.contains(entry);
				}
			}
			heard |= records.size() != this.records.size();
			if (heard) {
				this.records = Collections.newSetFromMap(new IdentityHashMap<>());
				this.records.addAll(records);
				this.decoded = decode(records, this.code);
				this.hearsItself |= this.decoded.stream().anyMatch(this::isOwn);
			}
			if (heard || passed(this.probedAt, PROBE)) {
				this.probedAt = System.nanoTime();
				tell();
			}
			if (!this.hearsItself && this.publishedAt != 0 && passed(this.publishedAt, DEAF)) {
				this.hearsItself = true;
				MdnsMedium.this.deaf.accept("what is sent on the loopback interface is not received there");
			}
		}

		private void tell() {
			Set<Node> dead = new HashSet<>();
			List<Announcement> living = new ArrayList<>();
			Set<Node> asked = new HashSet<>();
			for (Announcement announcement : this.decoded) {
				Node other = announcement.node();
				if (asked.add(other) && (this.dead.contains(other) || MdnsMedium.this.node.knowsDead(other))) {
					dead.add(other);
				}
				if (!isOwn(announcement) && !dead.contains(other)) {
					living.add(announcement);
				}
			}
			this.dead = dead;
			boolean different = !Set.copyOf(living).equals(Set.copyOf(MdnsMedium.this.heard));
			MdnsMedium.this.heard = List.copyOf(living);
			if (different) {
				MdnsMedium.this.changed.run();
			}
		}

		private boolean isOwn(Announcement announcement) {
			return announcement.node().equals(MdnsMedium.this.node);
		}

		private void pause() {
			try {
				if (MdnsMedium.this.wake.tryAcquire(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
					MdnsMedium.this.wake.drainPermits();
				}
			}
			catch (InterruptedException ex) {
				stop();
			}
		}

		private static boolean passed(long since, Duration time) {
			return System.nanoTime() - since >= time.toNanos();
		}

	}

}
