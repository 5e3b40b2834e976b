package mu.micro.autoconfigure;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

import org.springframework.boot.context.event.ApplicationEnvironmentPreparedEvent;
import org.springframework.context.ApplicationListener;

/**
 * With {@code micro.exit-with-parent=true} this process ends when the pipe on its
 * standard input does, which happens whenever the process at the other end is gone,
 * however it went.
 */
class ExitWithParent implements ApplicationListener<ApplicationEnvironmentPreparedEvent> {

	private static final int GRACE_SECONDS = 8;

	@Override
	public void onApplicationEvent(ApplicationEnvironmentPreparedEvent event) {
		if (event.getEnvironment().getProperty("micro.exit-with-parent", Boolean.class, false)) {
			daemon("micro-parent", ExitWithParent::await);
		}
	}

	private static void await() {
		try {
			while (System.in.read() >= 0) {
				continue;
			}
		}
		catch (IOException ex) {
			// A broken pipe is one that ended.
		}
		daemon("micro-exit", ExitWithParent::halt);
		System.exit(0);
	}

	/*
	 * Shutdown hooks may hang; the parent is gone and nobody else will end this process.
	 */
	private static void halt() {
		try {
			TimeUnit.SECONDS.sleep(GRACE_SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		Runtime.getRuntime().halt(1);
	}

	private static void daemon(String name, Runnable task) {
		Thread thread = new Thread(task, name);
		thread.setDaemon(true);
		thread.start();
	}

}
