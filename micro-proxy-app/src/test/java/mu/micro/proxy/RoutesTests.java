package mu.micro.proxy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

import mu.micro.MicroException;
import mu.micro.memory.MemoryRegistry;
import mu.micro.registry.Instance;
import mu.micro.registry.Registry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class RoutesTests {

	private final MemoryRegistry registries = new MemoryRegistry();

	@AfterEach
	void close() {
		this.registries.close();
	}

	private Routes routes(String running) {
		Registry registry = this.registries.in("micro");
		List<String> services = Arrays.asList(running.split(" "));
		services.forEach((service) -> registry.register(new Instance(service, "latest", "1", "127.0.0.1", 1, Map.of()),
				Stage.TTL));
		Routes routes = new Routes(registry);
		Awaitility.await().ignoreExceptions().until(() -> routes.services().containsAll(services));
		return routes;
	}

	@ParameterizedTest
	@CsvSource(textBlock = """
			# running, header, gRPC service, goes to
			helloworld, , helloworld.Helloworld, helloworld
			helloworld, , helloworld.v1.Helloworld, helloworld
			helloworld helloworld.v1, , helloworld.v1.Helloworld, helloworld.v1
			helloworld helloworld.v1.Helloworld helloworld.v1, , helloworld.v1.Helloworld, helloworld.v1.Helloworld
			order-service, , order_service.Orders, order-service
			order-service order_service, , order_service.Orders, order_service
			a.b a, , a.b.c.d.E, a.b
			Helloworld, , Helloworld, Helloworld
			helloworld other, other, helloworld.Helloworld, other
			order-service, order_service, foo.Bar, order-service
			helloworld, , hello.World,
			helloworld, , helloworldly.World,
			helloworld, , world.helloworld.World,
			helloworld, other, helloworld.Helloworld,
			helloworld, helloworld.Helloworld, helloworld.Helloworld,
			""")
	void aCallGoesTo(String running, String header, String grpcService, String service) {
		try (Routes routes = routes(running)) {
			if (service != null) {
				assertThat(routes.find(header, grpcService)).isEqualTo(service);
			}
			else {
				assertThatExceptionOfType(MicroException.NotFound.class)
					.isThrownBy(() -> routes.find(header, grpcService))
					.withMessageContaining("micro services");
			}
		}
	}

	@Test
	void aNameOfAnyLengthMakesNoLongMessage() {
		try (Routes routes = routes("helloworld")) {
			assertThatExceptionOfType(MicroException.NotFound.class)
				.isThrownBy(() -> routes.find("x".repeat(10_000), null))
				.satisfies((ex) -> assertThat(ex.getMessage()).hasSizeLessThan(500));
		}
	}

}
