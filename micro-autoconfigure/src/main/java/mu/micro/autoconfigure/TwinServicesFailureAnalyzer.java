package mu.micro.autoconfigure;

import mu.micro.spring.TwinServicesException;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

class TwinServicesFailureAnalyzer extends AbstractFailureAnalyzer<TwinServicesException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, TwinServicesException cause) {
		return new FailureAnalysis(cause.getMessage() + ", and an endpoint name must mean one method.",
				"Rename one of the services in its .proto file, put each in a package that is called as the service"
						+ " it belongs to, or serve it from another application.",
				cause);
	}

}
