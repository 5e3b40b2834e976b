package mu.micro.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import mu.micro.Message;
import mu.micro.events.Event;
import mu.micro.events.From;
import mu.micro.events.Group;
import mu.micro.events.GroupState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(60)
class EventsCommandsTests {

	private Stage stage;

	@BeforeEach
	void start() throws IOException {
		this.stage = new Stage("events");
	}

	@AfterEach
	void stop() throws InterruptedException {
		this.stage.close();
	}

	@Test
	void whatIsPublishedIsKept() {
		assertThat(micro("events", "publish", "orders", "placed", "--id", "order-1", "--header", "k=v"))
			.isEqualTo(Stage.Ran.of("1\n"));
		assertThat(this.stage.header("micro-service")).isEqualTo("events");
		assertThat(micro("events", "publish", "orders", "again", "--id", "order-1")).isEqualTo(Stage.Ran.of("1\n"));
		assertThat(micro("events", "publish", "orders", "next").out()).isEqualTo("2\n");
		Event event = this.stage.events("micro").read("orders", 1, 1).get(0);
		assertThat(event.message())
			.isEqualTo(new Message("order-1", Map.of("k", "v"), "placed".getBytes(StandardCharsets.UTF_8)));
		JsonObject json = JsonParser
			.parseString(micro("events", "publish", "orders", "x", "--id", "i", "--namespace", "other", "--output=json")
				.out())
			.getAsJsonObject();
		assertThat(json.get("offset").getAsInt()).isEqualTo(1);
		assertThat(json.get("id").getAsString()).isEqualTo("i");
		assertThat(this.stage.events("other").topics()).containsExactly("orders");
	}

	@Test
	void eventsAreRead() {
		fill(3);
		assertThat(micro("events", "read", "orders")).isEqualTo(Stage.Ran.of("m1\nm2\nm3\n"));
		assertThat(micro("events", "read", "orders", "--from", "2").out()).isEqualTo("m2\nm3\n");
		assertThat(micro("events", "read", "orders", "--limit", "2").out()).isEqualTo("m1\nm2\n");
		assertThat(micro("events", "read", "orders", "--from", "1h").out()).isEqualTo("m1\nm2\nm3\n");
		assertThat(micro("events", "read", "orders", "--from", "2200-01-01T00:00:00Z").out()).isEmpty();
		List<String> lines = micro("events", "read", "orders", "-v", "--limit", "1").lines();
		assertThat(lines.get(0)).matches("OFFSET +TIME +ID +BODY");
		assertThat(lines.get(1)).matches("1 +20\\S+Z +id-1 +m1");
		JsonArray json = JsonParser.parseString(micro("events", "read", "orders", "--output=json").out())
			.getAsJsonArray();
		assertThat(json).hasSize(3);
		assertThat(json.get(0).getAsJsonObject().keySet()).containsExactly("topic", "offset", "time", "id", "headers",
				"body");
	}

	@Test
	void aTopicThatIsNotThereIsNamedAndOneThatIsEmptyIsNot() {
		Stage.Ran missing = new Stage.Ran(127, "", "There is no topic 'none' in 'micro'.\n");
		for (String command : List.of("read none", "read none --from 3", "read none --output=json", "groups none",
				"groups none --output=json")) {
			assertThat(micro(("events " + command).split(" "))).isEqualTo(missing);
		}
		this.stage.events("micro").consume("none", Group.of("g"), (delivery) -> {
		}).close();
		assertThat(micro("events", "read", "none")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("events", "read", "none", "--output=json")).isEqualTo(Stage.Ran.of("[]\n"));
		fill(1);
		assertThat(micro("events", "groups", "orders", "--output=json")).isEqualTo(Stage.Ran.of("[]\n"));
		assertThat(micro("events", "groups", "orders").lines()).hasSize(1);
	}

	@Test
	void moreEventsThanAPageAreRead() {
		fill(1500);
		assertThat(micro("events", "read", "orders").lines()).hasSize(1500);
		assertThat(micro("events", "read", "orders", "--from", "100", "--limit", "1200").lines()).hasSize(1200);
	}

	@Test
	void aGroupConsumesWhatItHasNotAcknowledged() {
		fill(4);
		assertThat(micro("events", "consume", "orders", "--group", "g", "--count", "2"))
			.isEqualTo(Stage.Ran.of("m1\nm2\n"));
		assertThat(this.stage.events("micro").groups("orders")).containsExactly(new GroupState("g", 3, 0, 2));
		assertThat(micro("events", "consume", "orders", "-g", "g", "--count", "1").out()).isEqualTo("m3\n");
		assertThat(micro("events", "consume", "orders", "-g", "late", "--from", "4", "--count", "1").out())
			.isEqualTo("m4\n");
		JsonObject json = JsonParser
			.parseString(micro("events", "consume", "orders", "-g", "g", "--count", "1", "--output=json").out())
			.getAsJsonObject();
		assertThat(json.get("attempt").getAsInt()).isEqualTo(1);
		assertThat(json.get("error").isJsonNull()).isTrue();
	}

	@Test
	void topicsAndGroupsAreListed() {
		assertThat(micro("events", "topics")).isEqualTo(Stage.Ran.of(""));
		assertThat(micro("events", "topics", "--output=json")).isEqualTo(Stage.Ran.of("[]\n"));
		fill(2);
		this.stage.events("micro").consume("orders", Group.of("g").withFrom(From.offset(2)), (delivery) -> {
		}).close();
		this.stage.events("micro").removeGroup("orders", "g");
		this.stage.events("micro").consume("orders", Group.of("new").withFrom(From.NOW), (delivery) -> {
		}).close();
		assertThat(micro("events", "topics").out()).isEqualTo("orders\n");
		assertThat(micro("events", "groups", "orders").lines()).hasSize(2).last().asString().matches("new +3 +0 +0");
		assertThat(micro("events", "groups", "orders", "--output=json").out())
			.isEqualTo("[{\"group\":\"new\",\"next\":3,\"inFlight\":0,\"waiting\":0}]\n");
	}

	@Test
	void aGroupIsDeleted() {
		fill(1);
		this.stage.events("micro").consume("orders", Group.of("g"), (delivery) -> {
		}).close();
		assertThat(micro("events", "delete", "group", "orders", "g")).isEqualTo(Stage.Ran.of(""));
		assertThat(this.stage.events("micro").groups("orders")).isEmpty();
		assertThat(micro("events", "delete", "group", "orders", "g"))
			.isEqualTo(new Stage.Ran(127, "", "There is no group 'g' of the topic 'orders' in 'micro'.\n"));
		assertThat(micro("events", "delete").err())
			.isEqualTo("'micro events delete' wants one more word; see 'micro help events delete'.\n");
	}

	@Test
	void whatIsWrittenWrongIsRefused() {
		assertThat(micro("events", "consume", "orders").err()).contains("--group");
		assertThat(micro("events", "read", "orders", "--from", "yesterday").err()).contains("--from wants");
		assertThat(micro("events", "read", "orders", "--from", "now").err()).contains("consuming");
		assertThat(micro("events", "publish", " ", "x").err()).contains("topic is blank");
		assertThat(micro("events", "publish", "t", "x", "--id", " ").code()).isNotZero();
	}

	@Test
	void eventsThatAreNotThereAreNamed() throws Exception {
		try (Stage without = new Stage()) {
			for (String command : List.of("events publish t x", "events consume t -g g", "events topics")) {
				Stage.Ran ran = without.micro(command.split(" "));
				assertThat(ran.code()).isEqualTo(Failure.SERVICE);
				assertThat(ran.err()).contains("'events' is not running");
			}
		}
	}

	private void fill(int count) {
		for (int i = 1; i <= count; i++) {
			this.stage.events("micro")
				.append("orders", new Message("id-" + i, Map.of(), ("m" + i).getBytes(StandardCharsets.UTF_8)));
		}
	}

	private Stage.Ran micro(String... args) {
		return this.stage.micro(args);
	}

}
