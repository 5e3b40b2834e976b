package mu.micro.autoconfigure;

import java.io.IOException;
import java.net.BindException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.Environment;

/**
 * A port that is taken already, and who holds it. Comes before Boot's own analysis, which
 * knows neither the holder nor gRPC servers.
 */
@Order(Ordered.HIGHEST_PRECEDENCE)
class PortHolderFailureAnalyzer implements FailureAnalyzer {

	private static final String WEB = "org.springframework.boot.web.server.PortInUseException";

	/**
	 * What Netty's native transports say; their exception is no {@link BindException}.
	 */
	private static final String IN_USE = "Address already in use";

	private static final Pattern PORT = Pattern.compile("(?:[Pp]ort |:)(\\d{1,5})\\b(?!.*(?:[Pp]ort |:)\\d)");

	/**
	 * What may be set of ports, those first that others stand for.
	 */
	private static final List<String> SETTINGS = List.of("micro.server.port", "micro.server.management-port",
			"micro.gateway.management-port", "micro.proxy.management-port", "spring.grpc.server.port", "server.port");

	private static final String SERVER = "micro-server-app.jar";

	private final Environment environment;

	PortHolderFailureAnalyzer(Environment environment) {
		this.environment = environment;
	}

	@Override
	public @Nullable FailureAnalysis analyze(Throwable failure) {
		boolean taken = false;
		int port = -1;
		for (Throwable ex = failure; ex != null; ex = ex.getCause()) {
			if (ex instanceof PortTakenException known) {
				return analysis(failure, known.port(), known.setting());
			}
			boolean web = ex.getClass().getName().equals(WEB);
			taken = taken || web || ex instanceof BindException
					|| ex instanceof IOException && String.valueOf(ex.getMessage()).contains(IN_USE);
			if (port < 0 && (web || ex instanceof IOException) && ex.getMessage() != null) {
				port = port(ex.getMessage());
			}
		}
		return (taken && port > 0) ? analysis(failure, port, setting(port)) : null;
	}

	private String setting(int port) {
		return SETTINGS.stream()
			.filter((name) -> String.valueOf(port).equals(this.environment.getProperty(name)))
			.findFirst()
			.orElse("server.port");
	}

	private static int port(String message) {
		Matcher matcher = PORT.matcher(message);
		return (matcher.find()) ? Integer.parseInt(matcher.group(1)) : -1;
	}

	private FailureAnalysis analysis(Throwable failure, int port, String setting) {
		String holder = PortHolder.of(port);
		String address = this.environment.getProperty("micro.server.port", "");
		String server = setting.startsWith("micro.server.") ? PortHolder.of(number(address)) : null;
		String other = "choose another port with " + setting + " or " + variable(setting)
				+ " in the environment (0 takes any free one).";
		if (server != null && server.contains(SERVER)) {
			return new FailureAnalysis(
					"A Micro server is running already at " + this.environment.getProperty("micro.listen-address") + ":"
							+ address + ": " + server + ".",
					"Use it, or stop it. For one beside it, " + other, failure);
		}
		return new FailureAnalysis(
				"Port " + port + " is already in use" + ((holder != null) ? " by " + holder : "") + ".",
				"Stop that process, or " + other, failure);
	}

	private static int number(String port) {
		return port.matches("\\d{1,5}") ? Integer.parseInt(port) : -1;
	}

	private static String variable(String setting) {
		return setting.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
	}

}
