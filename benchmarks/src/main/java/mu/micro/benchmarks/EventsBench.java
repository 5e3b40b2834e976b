package mu.micro.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.LongAdder;

import mu.micro.Message;
import mu.micro.Subscription;
import mu.micro.events.Append;
import mu.micro.events.Event;
import mu.micro.events.Events;
import mu.micro.events.From;
import mu.micro.events.Group;
import mu.micro.events.Retention;
import mu.micro.jdbc.JdbcDatabases;
import mu.micro.jdbc.JdbcEvents;

/**
 * Events in the store's file, beside bare JDBC on a table of events.
 */
final class EventsBench {

	static final String APPENDER = "events-appender";

	static final String MEMBER = "events-member";

	static final String LISTENER = "events-listener";

	private static final byte[] SMALL = new byte[100];

	private static final String TOPIC = "bench";

	private static final String WARMING = "warming";

	private static final int REPLAYED = 100_000;

	private static final int CONSUMED = 20_000;

	private static final int TIMED = 500;

	/**
	 * Events until all that appends and handles them is compiled.
	 */
	private static final int UNTIL_WARM = 10_000;

	private static final Duration TIME = Duration.ofSeconds(5);

	void run() throws Exception {
		Table table = new Table();
		table.add("durable append, one caller", appends(1), bareAppends(), 0.8);
		table.add("replay, events", replay(), bareReplay(), 0.5);
		latency(table);
		System.out.println("Events against their budgets, a second");
		System.out.println();
		table.print();
		Table growth = new Table();
		double one = appends(1);
		for (int callers : new int[] { 4, 16, 64 }) {
			growth.add("durable append, " + callers + " callers beside one", appends(callers), one, 0);
		}
		double eight = appends(8);
		for (int count : new int[] { 1, 2, 4, 8 }) {
			growth.add("durable append, " + count + " processes beside 8 callers in one", processes(count, APPENDER, 0),
					eight, 0);
		}
		double single = consumed(1);
		for (int size : new int[] { 2, 4, 8, 16 }) {
			growth.add("handled by a group, " + size + " in flight beside one", consumed(size), single, 0);
		}
		for (int count : new int[] { 1, 2, 4, 8 }) {
			growth.add("handled by a group, 16 in flight, of " + count + " processes beside one in flight",
					processes(count, MEMBER, 2 * CONSUMED), single, 0);
		}
		System.out.println("How they grow, events a second");
		System.out.println();
		growth.print();
	}

	private static JdbcDatabases open(Path directory) {
		return JdbcDatabases.sqlite(directory.resolve("store.db"), Duration.ofSeconds(30), Clock.systemUTC());
	}

	private static double appends(int callers) throws Exception {
		return Rate.inDirectory((directory) -> {
			try (JdbcDatabases databases = open(directory);
					JdbcEvents events = new JdbcEvents(databases, Retention.DEFAULT)) {
				Events topics = events.in("micro");
				return Rate.of(callers, () -> topics.append(TOPIC, Message.of(SMALL)));
			}
		});
	}

	private static double replay() throws Exception {
		return Rate.inDirectory((directory) -> {
			try (JdbcDatabases databases = open(directory);
					JdbcEvents events = new JdbcEvents(databases, Retention.DEFAULT)) {
				fill(events, TOPIC, REPLAYED);
				Events topics = events.in("micro");
				return REPLAYED * Rate.of(1, () -> {
					long next = 1;
					for (List<Event> read = topics.read(TOPIC, next, 1000); !read.isEmpty();) {
						next += read.size();
						read = topics.read(TOPIC, next, 1000);
					}
					if (next != REPLAYED + 1) {
						throw new IllegalStateException("only " + next + " events were read");
					}
				});
			}
		});
	}

	private static void fill(JdbcEvents events, String topic, int count) {
		for (int i = 0; i < count; i += 1000) {
			List<Append> appends = new ArrayList<>();
			for (int k = 0; k < 1000; k++) {
				appends.add(new Append(topic, Message.of(SMALL)));
			}
			events.outboxes().in("micro").apply(List.of(), appends);
		}
	}

	private static Connection bare(Path directory) throws Exception {
		Connection connection = DriverManager.getConnection("jdbc:sqlite:" + directory.resolve("bare.db"));
		try (Statement statement = connection.createStatement()) {
			statement.execute("pragma journal_mode=wal");
			statement.execute("pragma synchronous=full");
			statement.execute("create table event (position integer primary key, id text not null unique, "
					+ "time integer not null, headers text, body blob not null)");
		}
		return connection;
	}

	private static void append(PreparedStatement insert) throws Exception {
		insert.setString(1, UUID.randomUUID().toString());
		insert.setLong(2, System.currentTimeMillis());
		insert.setBytes(3, SMALL);
		insert.executeUpdate();
	}

	private static double bareAppends() throws Exception {
		return Rate.inDirectory((directory) -> {
			try (Connection connection = bare(directory);
					PreparedStatement insert = connection
						.prepareStatement("insert into event (id, time, body) values (?, ?, ?)")) {
				return Rate.of(1, () -> append(insert));
			}
		});
	}

	private static double bareReplay() throws Exception {
		return Rate.inDirectory((directory) -> {
			try (Connection connection = bare(directory);
					PreparedStatement insert = connection
						.prepareStatement("insert into event (id, time, body) values (?, ?, ?)");
					PreparedStatement all = connection
						.prepareStatement("select position, id, time, headers, body from event order by position")) {
				connection.setAutoCommit(false);
				for (int i = 0; i < REPLAYED; i++) {
					append(insert);
				}
				connection.commit();
				return REPLAYED * Rate.of(1, () -> {
					int count = 0;
					try (ResultSet rows = all.executeQuery()) {
						while (rows.next()) {
							boolean whole = rows.getLong(1) > 0 && rows.getString(2) != null && rows.getLong(3) > 0
									&& rows.getString(4) == null && rows.getBytes(5) != null;
							count += whole ? 1 : 0;
						}
					}
					if (count != REPLAYED) {
						throw new IllegalStateException("only " + count + " events were read");
					}
				});
			}
		});
	}

	private static void latency(Table table) throws Exception {
		long[] times = Rate.inDirectory((directory) -> {
			try (JdbcDatabases databases = open(directory);
					JdbcEvents events = new JdbcEvents(databases, Retention.DEFAULT);
					Program listener = Program.start(1, LISTENER, directory).get(0)) {
				Events topics = events.in("micro");
				listener.go();
				for (int i = 0; i < TIMED; i++) {
					topics.append(TOPIC,
							Message.of(ByteBuffer.allocate(Long.BYTES).putLong(System.nanoTime()).array()));
					Thread.sleep(i % 20);
				}
				return listener.result();
			}
		});
		table.most("from append to a consumer in another process, median in ms", times[0] / 1e6, 5);
		table.add("the same, 99th percentile in ms", times[1] / 1e6, datagram(), 0);
	}

	/*
	 * From sending to having read, the 99th percentile in milliseconds.
	 */
	private static double datagram() throws Exception {
		long[] times = new long[TIMED];
		try (DatagramSocket to = new DatagramSocket(0, InetAddress.getLoopbackAddress());
				DatagramSocket from = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
			Thread reader = new Thread(() -> {
				try {
					for (int i = 0; i < TIMED; i++) {
						DatagramPacket packet = new DatagramPacket(new byte[Long.BYTES], Long.BYTES);
						to.receive(packet);
						times[i] = System.nanoTime() - ByteBuffer.wrap(packet.getData()).getLong();
					}
				}
				catch (IOException ex) {
					throw new UncheckedIOException(ex);
				}
			});
			reader.start();
			for (int i = 0; i < TIMED; i++) {
				byte[] now = ByteBuffer.allocate(Long.BYTES).putLong(System.nanoTime()).array();
				from.send(new DatagramPacket(now, now.length, to.getLocalSocketAddress()));
				Thread.sleep(i % 5);
			}
			reader.join();
		}
		Arrays.sort(times);
		return times[TIMED * 99 / 100] / 1e6;
	}

	private static double processes(int count, String command, int filled) throws Exception {
		return Rate.inDirectory((directory) -> {
			try (JdbcDatabases databases = open(directory);
					JdbcEvents events = new JdbcEvents(databases, Retention.DEFAULT)) {
				fill(events, TOPIC, filled);
			}
			List<Program> programs = Program.start(count, command, directory);
			try {
				return total(programs) * 1e3 / TIME.toMillis();
			}
			finally {
				programs.forEach(Program::close);
			}
		});
	}

	private static long total(List<Program> programs) throws Exception {
		for (Program program : programs) {
			program.go();
		}
		long total = 0;
		for (Program program : programs) {
			total += program.result()[0];
		}
		return total;
	}

	private static double consumed(int size) throws Exception {
		return Rate.inDirectory((directory) -> {
			try (JdbcDatabases databases = open(directory);
					JdbcEvents events = new JdbcEvents(databases, Retention.DEFAULT)) {
				fill(events, TOPIC, CONSUMED);
				CountDownLatch done = new CountDownLatch((size == 1) ? CONSUMED / 4 : CONSUMED);
				long begin = System.nanoTime();
				long count = done.getCount();
				try (Subscription group = events.in("micro")
					.consume(TOPIC, Group.of("group").withMaxInFlight(size), (delivery) -> done.countDown())) {
					done.await();
				}
				return count * 1e9 / (System.nanoTime() - begin);
			}
		});
	}

	/*
	 * A process that appends for some time, and tells how many.
	 */
	static void append(String[] args) throws Exception {
		try (JdbcDatabases databases = open(Path.of(args[1]));
				JdbcEvents events = new JdbcEvents(databases, Retention.DEFAULT)) {
			Events topics = events.in("micro");
			for (int i = 0; i < UNTIL_WARM; i++) {
				topics.append(WARMING, Message.of(SMALL));
			}
			Program.ready();
			long count = 0;
			for (long end = System.nanoTime() + TIME.toNanos(); System.nanoTime() < end; count++) {
				topics.append(TOPIC, Message.of(SMALL));
			}
			System.out.println(count);
		}
	}

	/*
	 * A member of a group, for some time, which tells how many events it handled.
	 */
	static void consume(String[] args) throws Exception {
		try (JdbcDatabases databases = open(Path.of(args[1]));
				JdbcEvents events = new JdbcEvents(databases, Retention.DEFAULT)) {
			warmGroup(events);
			Program.ready();
			LongAdder count = new LongAdder();
			try (Subscription group = events.in("micro")
				.consume(TOPIC, Group.of("group").withMaxInFlight(16), (delivery) -> count.increment())) {
				Thread.sleep(TIME.toMillis());
				System.out.println(count.sum());
			}
		}
	}

	private static void warmGroup(JdbcEvents events) throws InterruptedException {
		Group alone = Group.of("warming-" + ProcessHandle.current().pid()).withFrom(From.START).withMaxInFlight(16);
		fill(events, WARMING, UNTIL_WARM);
		CountDownLatch done = new CountDownLatch(UNTIL_WARM);
		try (Subscription group = events.in("micro").consume(WARMING, alone, (delivery) -> done.countDown())) {
			done.await();
		}
	}

	/*
	 * A consumer that tells how late it hears: the median and the 99th percentile in
	 * nanoseconds.
	 */
	static void listen(String[] args) throws Exception {
		long[] times = new long[TIMED];
		CountDownLatch done = new CountDownLatch(TIMED);
		try (JdbcDatabases databases = open(Path.of(args[1]));
				JdbcEvents events = new JdbcEvents(databases, Retention.DEFAULT);
				Subscription group = events.in("micro")
					.consume(TOPIC, Group.of("group").withFrom(From.START), (delivery) -> {
						long sent = ByteBuffer.wrap(delivery.event().message().body()).getLong();
						times[TIMED - (int) done.getCount()] = System.nanoTime() - sent;
						done.countDown();
					})) {
			Program.ready();
			done.await();
		}
		Arrays.sort(times);
		System.out.println(times[TIMED / 2] + " " + times[TIMED * 99 / 100]);
	}

}
