package mu.micro.autoconfigure;

import org.springframework.boot.ExitCodeGenerator;

/**
 * An application cannot listen because its port is taken. Its exit code tells so whoever
 * started it: to start it again changes nothing.
 */
public final class PortTakenException extends RuntimeException implements ExitCodeGenerator {

	/**
	 * The exit code.
	 */
	public static final int EXIT_CODE = 98;

	private final int port;

	private final String setting;

	/**
	 * A port is taken.
	 * @param port the port
	 * @param setting the property that chooses it
	 * @param cause how that came out
	 */
	public PortTakenException(int port, String setting, Throwable cause) {
		super("Port " + port + " is already in use", cause);
		this.port = port;
		this.setting = setting;
	}

	/**
	 * The port.
	 * @return the port
	 */
	public int port() {
		return this.port;
	}

	/**
	 * The setting.
	 * @return the property that chooses the port
	 */
	public String setting() {
		return this.setting;
	}

	@Override
	public int getExitCode() {
		return EXIT_CODE;
	}

}
