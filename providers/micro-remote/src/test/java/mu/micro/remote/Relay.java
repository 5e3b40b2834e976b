package mu.micro.remote;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Passes connections on to a server, and can fall silent: what was open then stays open,
 * but nothing passes any more, as when a machine or a network dies.
 */
final class Relay implements AutoCloseable {

	private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());

	private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

	private final AtomicInteger silences = new AtomicInteger();

	private final int port;

	Relay(int port) throws IOException {
		this.port = port;
		start(this::accept);
	}

	String address() {
		return "127.0.0.1:" + this.listening.getLocalPort();
	}

	void fallSilent() {
		this.silences.incrementAndGet();
	}

	private void accept() throws IOException {
		while (true) {
			Socket in = this.listening.accept();
			Socket out = new Socket(InetAddress.getLoopbackAddress(), this.port);
			this.sockets.add(in);
			this.sockets.add(out);
			int now = this.silences.get();
			start(() -> pass(in, out, now));
			start(() -> pass(out, in, now));
		}
	}

	private void pass(Socket from, Socket to, int begun) throws IOException {
		byte[] buffer = new byte[8192];
		InputStream input = from.getInputStream();
		OutputStream output = to.getOutputStream();
		for (int read = input.read(buffer); read >= 0; read = input.read(buffer)) {
			if (this.silences.get() == begun) {
				output.write(buffer, 0, read);
			}
		}
	}

	private static void start(Passing task) {
		Thread thread = new Thread(() -> {
			try {
				task.run();
			}
			catch (IOException ex) {
				// One end is closed.
			}
		});
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public void close() throws IOException {
		this.listening.close();
		for (Socket socket : this.sockets) {
			socket.close();
		}
	}

	@FunctionalInterface
	private interface Passing {

		void run() throws IOException;

	}

}
