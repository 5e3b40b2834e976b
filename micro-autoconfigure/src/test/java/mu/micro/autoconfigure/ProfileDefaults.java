package mu.micro.autoconfigure;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.bootstrap.DefaultBootstrapContext;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * Gives a context what {@link MicroEnvironmentPostProcessor} gives an application.
 */
class ProfileDefaults implements ApplicationContextInitializer<ConfigurableApplicationContext> {

	@Override
	public void initialize(ConfigurableApplicationContext context) {
		new MicroEnvironmentPostProcessor((log) -> log.get(), new DefaultBootstrapContext())
			.postProcessEnvironment(context.getEnvironment(), new SpringApplication());
	}

}
