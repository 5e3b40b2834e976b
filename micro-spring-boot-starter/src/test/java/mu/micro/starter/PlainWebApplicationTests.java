package mu.micro.starter;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Map;

import io.grpc.Server;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.grpc.server.GrpcServerFactory;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the starter may not do: get in the way of an application that only has it on its
 * class path.
 */
@ExtendWith(OutputCaptureExtension.class)
class PlainWebApplicationTests {

	@TempDir
	private Path data;

	@Test
	void aPlainWebApplicationStillAnswersOnItsOwnPort(CapturedOutput output) throws Exception {
		// Only where others on this machine cannot see it, and a free port; nothing else.
		try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Web.class)
			.properties(Map.of("micro.data-dir", this.data.toString(), "server.port", "0"))
			.run()) {
			String port = context.getEnvironment().getProperty("local.server.port");
			HttpResponse<String> response = HttpClient.newHttpClient()
				.send(HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/")).build(),
						HttpResponse.BodyHandlers.ofString());
			assertThat(response.statusCode()).isEqualTo(200);
			assertThat(response.body()).isEqualTo("plain");
			assertThat(context.getBeanNamesForType(GrpcServerFactory.class)).isEmpty();
			assertThat(context.getBeanNamesForType(Server.class)).isEmpty();
			assertThat(context.getBeanDefinitionNames()).noneMatch((name) -> name.toLowerCase().contains("datasource"));
			assertThat(output.getOut().lines().filter((line) -> line.contains("mu.micro") || line.contains("m.m.")))
				.singleElement()
				.asString()
				.contains("Micro profile local: registry local, store sqlite, blobs file, config store, sync store, "
						+ "broker local, events sqlite");
			// What is not used opens nothing.
			assertThat(this.data.resolve("store.db")).doesNotExist();
			assertThat(this.data.resolve("broker")).doesNotExist();
			assertThat(this.data.resolve("blobs")).doesNotExist();
		}
	}

	@Configuration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Web.Plain.class)
	static class Web {

		@RestController
		static class Plain {

			@GetMapping("/")
			String plain() {
				return "plain";
			}

		}

	}

}
