package mu.micro.autoconfigure;

import java.io.IOException;
import java.net.BindException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

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

	@Override
	public @Nullable FailureAnalysis analyze(Throwable failure) {
		boolean taken = false;
		int port = -1;
		for (Throwable ex = failure; ex != null; ex = ex.getCause()) {
			boolean web = ex.getClass().getName().equals(WEB);
			taken = taken || web || ex instanceof BindException
					|| ex instanceof IOException && String.valueOf(ex.getMessage()).contains(IN_USE);
			if (port < 0 && (web || ex instanceof IOException) && ex.getMessage() != null) {
				port = port(ex.getMessage());
			}
		}
		return (taken && port > 0) ? analysis(failure, port) : null;
	}

	private static int port(String message) {
		Matcher matcher = PORT.matcher(message);
		return (matcher.find()) ? Integer.parseInt(matcher.group(1)) : -1;
	}

	private static FailureAnalysis analysis(Throwable failure, int port) {
		String holder = PortHolder.of(port);
		return new FailureAnalysis(
				"Port " + port + " is already in use" + ((holder != null) ? " by " + holder : "") + ".",
				"Stop that process, or choose another port (0 takes any free one).", failure);
	}

}
