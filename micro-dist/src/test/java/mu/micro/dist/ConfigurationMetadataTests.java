package mu.micro.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every property can be completed and is described where it is typed.
 */
class ConfigurationMetadataTests {

	@Test
	void everyPropertyIsDescribed() throws IOException {
		Map<String, JsonObject> properties = new TreeMap<>();
		for (String room : new String[] { "micro-autoconfigure", "micro-server-app", "micro-gateway-app",
				"micro-proxy-app" }) {
			Path metadata = App.ROOT.resolve(room)
				.resolve("target/classes/META-INF/spring-configuration-metadata.json");
			for (JsonElement property : JsonParser.parseString(Files.readString(metadata))
				.getAsJsonObject()
				.getAsJsonArray("properties")) {
				properties.put(property.getAsJsonObject().get("name").getAsString(), property.getAsJsonObject());
			}
		}
		assertThat(properties).containsKeys("micro.profile", "micro.namespace", "micro.data-dir",
				"micro.listen-address", "micro.advertised-host", "micro.service.name", "micro.service.version",
				"micro.service.metadata", "micro.registry.type", "micro.registry.ttl", "micro.store.type",
				"micro.sqlite.file", "micro.sqlite.timeout", "micro.blob.type", "micro.blob.directory",
				"micro.config.type", "micro.config.secret-keys", "micro.sync.type", "micro.sync.leader-ttl",
				"micro.broker.type", "micro.events.type", "micro.events.retention.age", "micro.events.retention.size",
				"micro.remote.address", "micro.remote.timeout", "micro.exit-with-parent", "micro.server.port",
				"micro.server.management-port", "micro.server.services", "micro.server.apps", "micro.server.apps-dir",
				"micro.gateway.port", "micro.gateway.management-port", "micro.gateway.timeout",
				"micro.gateway.max-body", "micro.proxy.port", "micro.proxy.management-port");
		properties.forEach((name, property) -> assertThat(property.get("description")).as(name).isNotNull());
	}

}
