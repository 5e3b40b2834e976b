package mu.micro.cli;

import java.io.IOException;
import java.util.Map;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ContractsTests {

	private Stage stage;

	@BeforeEach
	void start() throws IOException {
		this.stage = new Stage();
		this.stage.register("helloworld", "h-1", Map.of("schema", "a"));
		this.stage.register("twins", "old-1", Map.of("schema", "a"));
		this.stage.register("twins", "young-1", Map.of("schema", "b"));
	}

	@AfterEach
	void stop() throws InterruptedException {
		this.stage.close();
	}

	@Test
	void aCallGoesToAnInstanceWhoseContractHasTheEndpoint() {
		String hello = "{\"msg\":\"Hello x\"}\n";
		assertThat(this.stage.micro("twins", "--name=x")).isEqualTo(new Stage.Ran(0, hello, ""));
		assertThat(this.stage.header("micro-instance")).isEqualTo("young-1");
		assertThat(this.stage.micro("call", "twins", "Helloworld.Call", "{\"name\":\"x\"}"))
			.isEqualTo(new Stage.Ran(0, hello, ""));
		assertThat(this.stage.micro("twins", "stream", "--count=1").out()).isEqualTo("{\"msg\":\"Hello 1\"}\n");
		assertThat(this.stage.header("micro-instance")).isEqualTo("young-1");
		assertThat(this.stage.micro("twins", "people", "list-all", "--name=x").code()).isZero();
		assertThat(this.stage.header("micro-instance")).isEqualTo("old-1");
		assertThat(this.stage.micro("twins", "nope").code()).isEqualTo(5);
	}

	@Test
	void anInstanceThatIsNamedIsTheOneCalled() {
		assertThat(this.stage.micro("call", "--metadata=micro-instance=old-1", "twins", "Helloworld.Call").code())
			.isEqualTo(5);
		assertThat(this.stage.micro("call", "--metadata=micro-instance=young-1", "twins", "Helloworld.Call").code())
			.isZero();
	}

	@Test
	void instancesOfOneContractAreNotChosenAmong() {
		this.stage.register("helloworld", "h-2", Map.of("schema", "a"));
		assertThat(this.stage.micro("helloworld", "--name=x").code()).isZero();
		assertThat(this.stage.headers("micro-instance")).isEmpty();
	}

	@Test
	void helpAndListingsTellThatContractsDiffer() {
		String told = "2 contracts of this name are running; ";
		assertThat(this.stage.micro("twins", "--help").out())
			.contains("\n" + told + "this page shows that of the node old-1 at 127.0.0.1:" + this.stage.port() + ".\n");
		assertThat(this.stage.micro("twins", "stream", "--help").out())
			.contains("\n" + told + "this page shows that of the node young-1 at ");
		assertThat(this.stage.micro("get", "service", "twins").out())
			.contains("\n" + told + "the metadata's schema tells them apart.\n")
			.contains("schema=a")
			.contains("schema=b");
		assertThat(this.stage.micro("helloworld", "--help").out()).doesNotContain("contracts");
		assertThat(this.stage.micro("get", "service", "helloworld").out()).doesNotContain("contracts");
	}

	@Test
	void withoutTheRegistryServicesCanBeCalledAndItIsTheRegistryThatIsMissed() {
		this.stage.register("registry", "r-1").close();
		assertThat(this.stage.micro("helloworld", "--name=x").out()).isEqualTo("{\"msg\":\"Hello x\"}\n");
		assertThat(this.stage.micro("helloworld", "--help").out()).contains("\nCalls the service helloworld.\n");
		for (String command : new String[] { "services", "get service helloworld", "debug health helloworld",
				"registry list-services", "call registry Registry.ListServices" }) {
			assertThat(this.stage.micro(command.split(" ")))
				.isEqualTo(new Stage.Ran(4, "", "The registry is not running: start it with 'micro server'.\n"));
		}
		assertThat(this.stage.micro("get", "service", "nope").err()).startsWith("The registry is not running");
		assertThat(this.stage.micro("call", "nope", "Nope.Call").err()).startsWith("No service 'nope' is running");
	}

}
