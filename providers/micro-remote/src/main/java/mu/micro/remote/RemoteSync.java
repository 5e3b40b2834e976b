package mu.micro.remote;

import java.time.Clock;
import java.time.Duration;

import io.grpc.ManagedChannel;
import mu.micro.MicroException;
import mu.micro.core.LeasedSync;

/**
 * Locks and leaders of a Micro server. The holder alone keeps a lock, by renewing it: it
 * is kept over broken connections and restarts of the server, as long as the server can
 * be reached within nine tenths of the ttl, and its store has not been lost.
 * <p>
 * The shortest ttl is a second. Each call that does not wait for a lock ends within the
 * timeout; one that does also with its caller's deadline. Closing waits for the server
 * for three seconds at most; what it did not hear of ends with its ttl.
 */
public final class RemoteSync extends LeasedSync {

	/**
	 * Sync at an address. Nothing is asked before the first call.
	 * @param address the server's {@code host:port}; a host of several addresses is tried
	 * at each
	 * @param timeout how long one call may take, beside the wait for a lock
	 * @param clock this machine's time
	 * @throws MicroException.Invalid if the address is none
	 */
	public RemoteSync(String address, Duration timeout, Clock clock) {
		super(new RemoteLocks(new Connection(address, timeout)), clock);
	}

	/**
	 * Sync behind a channel.
	 * @param address where the channel leads, for messages
	 * @param timeout how long one call may take, beside the wait for a lock
	 * @param clock this machine's time
	 * @param channel the channel, closed by this
	 */
	public RemoteSync(String address, Duration timeout, Clock clock, ManagedChannel channel) {
		super(new RemoteLocks(new Connection(address, timeout, channel)), clock);
	}

}
