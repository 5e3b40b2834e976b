package mu.micro.autoconfigure;

import mu.micro.spring.messaging.WrongListenerException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.util.StringUtils;

class WrongListenerFailureAnalyzer extends AbstractFailureAnalyzer<WrongListenerException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, WrongListenerException cause) {
		return new FailureAnalysis(cause.problem() + ".", StringUtils.capitalize(cause.action()) + ".", cause);
	}

}
