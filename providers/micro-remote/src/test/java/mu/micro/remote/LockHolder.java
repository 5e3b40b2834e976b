package mu.micro.remote;

import java.io.IOException;
import java.time.Clock;
import java.time.Duration;

import mu.micro.tck.LockProcess;

/**
 * A process that holds a lock of a server.
 */
public final class LockHolder {

	private LockHolder() {
	}

	public static void main(String[] args) throws IOException {
		try (RemoteSync sync = new RemoteSync(args[0], Duration.ofSeconds(5), Clock.systemUTC())) {
			LockProcess.hold(sync, args);
		}
	}

}
