package mu.micro.server;

import java.nio.file.Path;
import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The Micro server.
 *
 * @param services Core services to host, by their names; all of them when unset. The
 * others neither answer nor are registered.
 * @param apps Apps to start as child processes, which end with the server; gateway and
 * proxy in the profile local, else none.
 * @param appsDir Where the apps' jars are; found beside the server's own jar, or in the
 * build tree, when unset.
 */
@ConfigurationProperties("micro.server")
record ServerProperties(@DefaultValue List<String> services, @Nullable List<String> apps, @Nullable Path appsDir) {
}
