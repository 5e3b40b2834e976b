package mu.micro.local;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.security.spec.AlgorithmParameterSpec;
import java.time.Duration;

import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

import mu.micro.Limits;
import mu.micro.core.Hkdf;

/**
 * A connection to a node's port on the loopback interface that only those who know a
 * directory's secret can read and write. For one thread at a time.
 * <p>
 * Both sides send 16 random bytes first. Of these, the secret and the node's name comes
 * the connection's key, by HKDF. From then on both send frames: four bytes with the
 * length of what follows, which is sealed with AES-256-GCM under a nonce of the side and
 * the number of its frame. So no frame can be made, changed, repeated, left out or sent
 * elsewhere by anybody else. The first frame of each side is empty and proves that it has
 * the key.
 */
final class SealedConnection implements AutoCloseable {

	/**
	 * Bytes in a frame: as much as may wait for one endpoint, and the names around it.
	 */
	static final int MOST = 2 * Limits.BATCH_BYTES;

	private static final String FOR = "micro broker 1 ";

	private static final int KEY = 32;

	private static final int RANDOM = 16;

	private static final int NONCE = 12;

	private static final int TAG = 16;

	private static final String CIPHER = "AES/GCM/NoPadding";

	/**
	 * Bytes read or written at once: the JDK keeps a buffer as large for each thread.
	 */
	private static final int CHUNK = 64 * 1024;

	private static final byte[] NOTHING = {};

	private final SocketChannel channel;

	private final InputStream in;

	private final OutputStream out;

	private final Side side;

	private final long deadline;

	private final SecretKeySpec key;

	// Kept: to find one anew for each frame takes three times as long as to seal it.
	private final Cipher sealing = cipher();

	private final Cipher opening = cipher();

	private boolean proven;

	private long written;

	private long read;

	private SealedConnection(SocketChannel channel, Side side, Node node, byte[] secret, long deadline)
			throws IOException {
		this.channel = channel;
		this.side = side;
		this.deadline = deadline;
		channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
		this.in = new BufferedInputStream(channel.socket().getInputStream(), CHUNK);
		this.out = channel.socket().getOutputStream();
		byte[] mine = new byte[RANDOM];
		new SecureRandom().nextBytes(mine);
		this.out.write(mine);
		byte[] other = readExactly(RANDOM);
		ByteBuffer salt = ByteBuffer.allocate(2 * RANDOM);
		salt.put((side == Side.NODE) ? mine : other).put((side == Side.NODE) ? other : mine);
		this.key = new SecretKeySpec(
				Hkdf.derive(secret, salt.array(), (FOR + node).getBytes(StandardCharsets.UTF_8), KEY), "AES");
	}

	/**
	 * Connects to a node.
	 * @param node the node
	 * @param port its port
	 * @param secret the directory's secret
	 * @param time how long that may take
	 * @return the connection, to which both have proven that they know the secret
	 * @throws IOException if nobody is there, in time, who knows it
	 */
	static SealedConnection connect(Node node, int port, byte[] secret, Duration time) throws IOException {
		long deadline = System.nanoTime() + time.toNanos();
		SocketChannel channel = SocketChannel.open();
		try {
			channel.socket().connect(new InetSocketAddress(loopback(), port), (int) time.toMillis());
			SealedConnection connection = new SealedConnection(channel, Side.CALLER, node, secret, deadline);
			connection.write(NOTHING);
			connection.prove();
			return connection;
		}
		catch (IOException | RuntimeException ex) {
			channel.close();
			throw ex;
		}
	}

	/**
	 * Has the caller of a connection prove that it knows the secret. It waits for the
	 * same from this side, see {@link #welcome()}.
	 * @param channel the connection, closed if that fails
	 * @param node the node that is called
	 * @param secret the directory's secret
	 * @param time how long that may take
	 * @return the connection
	 * @throws IOException if the caller does not know it, or does not say so in time
	 */
	static SealedConnection accept(SocketChannel channel, Node node, byte[] secret, Duration time) throws IOException {
		try {
			SealedConnection connection = new SealedConnection(channel, Side.NODE, node, secret,
					System.nanoTime() + time.toNanos());
			connection.prove();
			return connection;
		}
		catch (IOException | RuntimeException ex) {
			channel.close();
			throw ex;
		}
	}

	/**
	 * Proves to the caller that this side knows the secret: it may send from now on.
	 * @throws IOException if the connection broke
	 */
	void welcome() throws IOException {
		write(NOTHING);
	}

	/**
	 * The interface that only this machine reaches.
	 * @return its address
	 */
	static InetAddress loopback() throws IOException {
		return InetAddress.getByAddress("localhost", new byte[] { 127, 0, 0, 1 });
	}

	private void prove() throws IOException {
		if (read(0).length != 0) {
			throw new IOException("the first frame is not empty");
		}
		this.proven = true;
		this.channel.socket().setSoTimeout(0);
	}

	/**
	 * Whether the other side has closed the connection, as far as is known when nothing
	 * is expected from it. What is written then surely arrives nowhere.
	 * @return whether it has
	 */
	boolean isBroken() {
		try {
			this.channel.configureBlocking(false);
			try {
				return this.channel.read(ByteBuffer.allocate(1)) != 0;
			}
			finally {
				this.channel.configureBlocking(true);
			}
		}
		catch (IOException ex) {
			return true;
		}
	}

	/**
	 * Writes a frame.
	 * @param content what is in it
	 * @throws IOException if it cannot be written, and then does not arrive
	 */
	void write(byte[] content) throws IOException {
		if (content.length > MOST) {
			throw new IOException("a frame of " + content.length + " bytes is larger than " + MOST);
		}
		ByteBuffer frame = ByteBuffer.allocate(Integer.BYTES + content.length + TAG);
		frame.putInt(content.length + TAG);
		try {
			this.sealing.init(Cipher.ENCRYPT_MODE, this.key, nonce(this.side, this.written++));
			this.sealing.doFinal(ByteBuffer.wrap(content), frame);
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException("not sealed", ex);
		}
		for (int at = 0; at < frame.capacity(); at += CHUNK) {
			this.out.write(frame.array(), at, Math.min(CHUNK, frame.capacity() - at));
		}
	}

	/**
	 * Waits for a frame and reads it.
	 * @return what is in it
	 * @throws IOException if the connection broke, or the frame is somebody else's
	 */
	byte[] read() throws IOException {
		return read(MOST);
	}

	private byte[] read(int most) throws IOException {
		int length = ByteBuffer.wrap(readExactly(Integer.BYTES)).getInt();
		if (length < TAG || length > most + TAG) {
			throw new IOException("a frame of " + length + " bytes");
		}
		byte[] sealed = readExactly(length);
		try {
			this.opening.init(Cipher.DECRYPT_MODE, this.key, nonce(this.side.other(), this.read++));
			return this.opening.doFinal(sealed);
		}
		catch (GeneralSecurityException ex) {
			throw new IOException("a frame that was not sealed with the directory's secret", ex);
		}
	}

	private byte[] readExactly(int length) throws IOException {
		byte[] bytes = new byte[length];
		for (int at = 0; at < length;) {
			if (!this.proven) {
				limitTime();
			}
			int count = this.in.read(bytes, at, Math.min(CHUNK, length - at));
			if (count < 0) {
				throw new EOFException("closed by the other side");
			}
			at += count;
		}
		return bytes;
	}

	// Of all that it reads together, so that nobody gets time by sending byte by byte.
	private void limitTime() throws IOException {
		long left = Duration.ofNanos(this.deadline - System.nanoTime()).toMillis();
		if (left <= 0) {
			throw new SocketTimeoutException("the other side does not prove itself in time");
		}
		this.channel.socket().setSoTimeout((int) left);
	}

	private static AlgorithmParameterSpec nonce(Side by, long number) {
		ByteBuffer nonce = ByteBuffer.allocate(NONCE).putInt(by.ordinal()).putLong(number);
		return new GCMParameterSpec(TAG * Byte.SIZE, nonce.array());
	}

	private static Cipher cipher() {
		try {
			return Cipher.getInstance(CIPHER);
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException("no AES", ex);
		}
	}

	@Override
	public void close() {
		try {
			this.channel.close();
		}
		catch (IOException ex) {
			// It is of no use any more, and that is all that was wanted.
		}
	}

	private enum Side {

		NODE, CALLER;

		Side other() {
			return (this == NODE) ? CALLER : NODE;
		}

	}

}
