package mu.micro.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

class MissingProviderFailureAnalyzer extends AbstractFailureAnalyzer<MissingProviderException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, MissingProviderException cause) {
		return new FailureAnalysis(
				"%s is '%s', and the module that provides it is not on the class path.".formatted(cause.property(),
						cause.type().id()),
				"Add the dependency mu.micro:%s, or set %s to a provider that is there."
					.formatted(cause.type().module(), cause.property()),
				cause);
	}

}
