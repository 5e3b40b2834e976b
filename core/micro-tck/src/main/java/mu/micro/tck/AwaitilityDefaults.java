package mu.micro.tck;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Lets a wait of Awaitility fail by its own condition alone.
 * <p>
 * Awaitility ends a wait with whatever any thread of the JVM did not catch, which may
 * come from another class that runs beside this one. JUnit finds this extension where
 * {@code junit.jupiter.extensions.autodetection.enabled} is set.
 */
public final class AwaitilityDefaults implements BeforeAllCallback {

	/**
	 * Called by JUnit's service loader.
	 */
	public AwaitilityDefaults() {
	}

	@Override
	public void beforeAll(ExtensionContext context) {
		Awaitility.doNotCatchUncaughtExceptionsByDefault();
	}

}
