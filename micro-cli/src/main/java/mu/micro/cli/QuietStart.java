package mu.micro.cli;

import java.util.Map;

/**
 * What makes the command line start fast and keeps libraries from writing to the
 * terminal. As {@code java.util.logging}'s configuration class it leaves logging without
 * handlers.
 */
public final class QuietStart {

	/**
	 * One connection that lives for a moment: no pools, no direct memory, no search for
	 * what tells this machine from others.
	 */
	private static final Map<String, String> SETTINGS = Map.of("java.util.logging.config.class",
			QuietStart.class.getName(), "io.netty.noUnsafe", "true", "io.netty.noPreferDirect", "true",
			"io.netty.allocator.type", "unpooled", "io.netty.allocator.numDirectArenas", "0",
			"io.netty.allocator.numHeapArenas", "1", "io.netty.leakDetection.level", "disabled", "io.netty.machineId",
			"02:00:00:00:00:01", "io.netty.processId", "1");

	/**
	 * Makes the settings that were not made from outside; to be called before anything is
	 * loaded that reads them.
	 */
	public QuietStart() {
		for (Map.Entry<String, String> setting : SETTINGS.entrySet()) {
			if (System.getProperty(setting.getKey()) == null) {
				System.setProperty(setting.getKey(), setting.getValue());
			}
		}
	}

}
