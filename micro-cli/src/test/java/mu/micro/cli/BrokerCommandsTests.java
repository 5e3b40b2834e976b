package mu.micro.cli;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import com.google.gson.JsonParser;
import mu.micro.Message;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class BrokerCommandsTests {

	private Stage stage;

	@BeforeEach
	void start() throws IOException {
		this.stage = new Stage("broker");
	}

	@AfterEach
	void stop() throws InterruptedException {
		this.stage.close();
	}

	@Test
	void aMessageIsHandedToWhoeverSubscribed() {
		List<Message> heard = new CopyOnWriteArrayList<>();
		this.stage.broker("micro").subscribe("orders", heard::add);
		this.stage.broker("other").subscribe("orders", heard::add);
		assertThat(this.stage.micro("broker", "publish", "orders", "placed", "--header", "a=1=2", "--header", "b="))
			.isEqualTo(Stage.Ran.of(""));
		assertThat(this.stage.header("micro-service")).isEqualTo("broker");
		assertThat(this.stage.micro(new ByteArrayInputStream("from elsewhere".getBytes(StandardCharsets.UTF_8)),
				"broker", "publish", "orders", "-", "--namespace", "other"))
			.isEqualTo(Stage.Ran.of(""));
		Awaitility.await().until(() -> heard.size() == 2);
		Message first = heard.stream().filter((message) -> !message.headers().isEmpty()).findFirst().orElseThrow();
		assertThat(first.headers()).isEqualTo(Map.of("a", "1=2", "b", ""));
		assertThat(new String(first.body(), StandardCharsets.UTF_8)).isEqualTo("placed");
		assertThat(heard)
			.anyMatch((message) -> new String(message.body(), StandardCharsets.UTF_8).equals("from elsewhere"));
	}

	@Test
	void messagesArePrintedAsTheyCome() throws Exception {
		Stage.Ran ran = publishing(message("one"), "broker", "subscribe", "orders", "--count", "2");
		assertThat(ran).isEqualTo(Stage.Ran.of("one\none\n"));
		Stage.Ran bytes = publishing(Message.of(new byte[] { 0, (byte) 0xff }).withId("id"), "broker", "subscribe",
				"orders", "--count", "1", "--queue", "q");
		assertThat(bytes.out()).isEqualTo("AP8=\n");
		assertThat(bytes.err()).startsWith("The message 'id' is no plain text");
		Stage.Ran json = publishing(message("one").withHeaders(Map.of("k", "v")), "broker", "subscribe", "orders",
				"--count", "1", "--output=json");
		assertThat(JsonParser.parseString(json.out()))
			.isEqualTo(JsonParser.parseString("{\"id\":\"id\",\"headers\":{\"k\":\"v\"},\"body\":\"one\"}"));
	}

	@Test
	void whatIsWrittenWrongIsRefused() {
		assertThat(this.stage.micro("broker", "publish", "orders").code()).isEqualTo(Failure.USAGE);
		assertThat(this.stage.micro("broker", "publish", "orders", "x", "--header", "novalue").err())
			.contains("NAME=VALUE");
		assertThat(this.stage.micro("broker", "publish", " ", "x").err()).contains("topic is blank");
		assertThat(this.stage.micro("broker", "subscribe", "orders", "--count", "0").code()).isEqualTo(Failure.USAGE);
	}

	@Test
	void aBrokerThatIsNotThereIsNamed() throws Exception {
		try (Stage without = new Stage()) {
			for (String command : List.of("broker publish t x", "broker subscribe t")) {
				Stage.Ran ran = without.micro(command.split(" "));
				assertThat(ran.code()).isEqualTo(Failure.SERVICE);
				assertThat(ran.err()).contains("'broker' is not running");
			}
		}
	}

	/*
	 * Publishes until the command has ended: nobody knows when it is subscribed.
	 */
	private Stage.Ran publishing(Message message, String... args) throws Exception {
		CompletableFuture<Stage.Ran> ran = CompletableFuture.supplyAsync(() -> this.stage.micro(args));
		long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
		while (System.nanoTime() < end) {
			this.stage.broker("micro").publish("orders", message);
			try {
				return ran.get(20, TimeUnit.MILLISECONDS);
			}
			catch (TimeoutException ex) {
				// Not all of them came yet.
			}
		}
		return ran.get(0, TimeUnit.MILLISECONDS);
	}

	private static Message message(String text) {
		return Message.of(text.getBytes(StandardCharsets.UTF_8)).withId("id");
	}

}
