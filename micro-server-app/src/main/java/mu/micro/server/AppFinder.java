package mu.micro.server;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

/**
 * Finds the jars of the apps: all in one folder in the distribution, each in its own
 * module in the build tree.
 */
class AppFinder {

	private final List<Path> roots = new ArrayList<>();

	AppFinder(Class<?> main, @Nullable Path directory) {
		if (directory != null) {
			this.roots.add(directory);
			return;
		}
		Path jar = location(main);
		if (jar != null && jar.getParent() != null) {
			this.roots.add(jar.getParent());
			Path module = jar.getParent().getParent();
			if (module != null && module.getParent() != null) {
				this.roots.add(module.getParent());
			}
		}
	}

	/**
	 * The jar of an app.
	 * @param name the app's name, such as {@code gateway}
	 * @return the jar, if it is there
	 */
	Optional<Path> find(String name) {
		return candidates(name).stream().filter(Files::isRegularFile).findFirst();
	}

	/**
	 * Where the jar of an app is looked for.
	 * @param name the app's name
	 * @return the places, in order
	 */
	List<Path> candidates(String name) {
		String module = "micro-" + name + "-app";
		String jar = module + ".jar";
		return this.roots.stream()
			.flatMap((root) -> List.of(root.resolve(jar), root.resolve(module).resolve("target").resolve(jar)).stream())
			.toList();
	}

	/*
	 * A class in an executable jar is at jar:nested:/path/app.jar/!BOOT-INF/classes/!/.
	 */
	private static @Nullable Path location(Class<?> main) {
		try {
			URI uri = main.getProtectionDomain().getCodeSource().getLocation().toURI();
			String path = (uri.getPath() != null) ? uri.getPath() : uri.getSchemeSpecificPart();
			int nested = path.indexOf("/!");
			path = (nested >= 0) ? path.substring(0, nested) : path;
			return Path.of(path.startsWith("nested:") ? path.substring("nested:".length()) : path).toAbsolutePath();
		}
		catch (URISyntaxException ex) {
			return null;
		}
	}

}
