package mu.micro.autoconfigure;

import mu.micro.MicroException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * A building block that could not start says itself what to do.
 */
class MicroFailureAnalyzer extends AbstractFailureAnalyzer<MicroException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, MicroException cause) {
		return new FailureAnalysis("Micro could not start: " + cause.getMessage(), null, cause);
	}

}
