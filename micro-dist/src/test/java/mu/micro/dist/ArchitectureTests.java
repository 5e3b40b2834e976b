package mu.micro.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The arrows between the rooms and the laws of the house, over the classes as built.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ArchitectureTests {

	/**
	 * What each room may see of the others; itself is understood. Samples and apps are
	 * named by their folder.
	 */
	private static final Map<String, Set<String>> ARROWS = Map.ofEntries(Map.entry("micro-api", Set.of()),
			Map.entry("micro-tck", Set.of("micro-api")), Map.entry("micro-core", Set.of("micro-api")),
			Map.entry("micro-grpc", Set.of("micro-api")),
			Map.entry("micro-services", Set.of("micro-api", "micro-core", "micro-grpc")),
			Map.entry("micro-local", Set.of("micro-api", "micro-core")),
			Map.entry("micro-jdbc", Set.of("micro-api", "micro-core")),
			Map.entry("micro-remote", Set.of("micro-api", "micro-core", "micro-grpc")),
			Map.entry("micro-spring", Set.of("micro-api", "micro-core", "micro-grpc")),
			Map.entry("micro-security", Set.of("micro-api", "micro-core")),
			Map.entry("micro-spring-data", Set.of("micro-api", "micro-core")),
			Map.entry("micro-autoconfigure",
					Set.of("micro-api", "micro-core", "micro-grpc", "micro-services", "micro-local", "micro-jdbc",
							"micro-remote", "micro-spring", "micro-spring-data")),
			Map.entry("micro-server-app",
					Set.of("micro-api", "micro-core", "micro-grpc", "micro-services", "micro-spring",
							"micro-autoconfigure")),
			Map.entry("micro-gateway-app",
					Set.of("micro-api", "micro-core", "micro-grpc", "micro-spring", "micro-autoconfigure")),
			Map.entry("micro-proxy-app",
					Set.of("micro-api", "micro-core", "micro-grpc", "micro-spring", "micro-autoconfigure")),
			Map.entry("micro-cli", Set.of("micro-api", "micro-core", "micro-grpc", "micro-remote")),
			Map.entry("helloworld", Set.of("micro-api", "micro-grpc", "micro-spring")),
			Map.entry("greeting", Set.of("micro-api", "micro-grpc", "micro-spring")),
			Map.entry("notes", Set.of("micro-api", "micro-grpc", "micro-spring", "micro-spring-data")),
			Map.entry("orders", Set.of("micro-api", "micro-spring")),
			Map.entry("benchmarks", Set.of("micro-api", "micro-jdbc", "micro-local")));

	private static final Set<String> SPRING = Set.of("micro-security", "micro-spring", "micro-spring-data",
			"micro-autoconfigure", "micro-server-app", "micro-gateway-app", "micro-proxy-app", "helloworld", "greeting",
			"notes", "orders");

	private final Map<String, JavaClasses> rooms = new TreeMap<>();

	@BeforeAll
	void importRooms() throws IOException {
		try (Stream<Path> poms = Files.find(App.ROOT, 3, (path, attributes) -> path.endsWith("pom.xml"))) {
			for (Path pom : (Iterable<Path>) poms::iterator) {
				Path classes = pom.resolveSibling("target/classes");
				if (Files.isDirectory(classes)) {
					JavaClasses imported = new ClassFileImporter().importPath(classes);
					if (!imported.isEmpty()) {
						this.rooms.put(pom.getParent().getFileName().toString(), imported);
					}
				}
			}
		}
	}

	@Test
	void everyRoomHasItsArrows() {
		assertThat(this.rooms.keySet()).isEqualTo(new TreeSet<>(ARROWS.keySet()));
	}

	@Test
	void roomsSeeOnlyWhatTheirArrowsAllow() {
		Map<String, String> home = this.rooms.entrySet()
			.stream()
			.flatMap((room) -> room.getValue().stream().map((type) -> Map.entry(type.getName(), room.getKey())))
			.collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue, (one, other) -> one));
		List<String> forbidden = new ArrayList<>();
		this.rooms.forEach((room, classes) -> classes.stream()
			.flatMap((type) -> type.getDirectDependenciesFromSelf().stream())
			.forEach((dependency) -> {
				String target = home.get(dependency.getTargetClass().getBaseComponentType().getName());
				boolean own = classes.contain(dependency.getTargetClass().getBaseComponentType().getName());
				if (target != null && !own && !ARROWS.getOrDefault(room, Set.of()).contains(target)) {
					forbidden.add(room + " -> " + target + ": " + dependency.getDescription());
				}
			}));
		assertThat(forbidden).isEmpty();
	}

	@Test
	void springStaysInItsRooms() {
		this.rooms.forEach((room, classes) -> {
			if (!SPRING.contains(room)) {
				check(classes,
						ArchRuleDefinition.noClasses()
							.should()
							.dependOnClassesThat()
							.resideInAPackage("org.springframework.."));
			}
		});
		check(this.rooms.get("micro-spring"),
				ArchRuleDefinition.noClasses()
					.should()
					.dependOnClassesThat()
					.resideInAPackage("org.springframework.boot.."));
	}

	@Test
	void theNounsDependOnJspecifyAlone() {
		check(this.rooms.get("micro-api"),
				ArchRuleDefinition.classes()
					.should()
					.onlyDependOnClassesThat()
					.resideInAnyPackage("java..", "mu.micro..", "org.jspecify.annotations"));
	}

	@Test
	void packagesFormNoCircles() {
		this.rooms.forEach((room, classes) -> check(classes,
				SlicesRuleDefinition.slices().matching("mu.micro.(**)").should().beFreeOfCycles()));
	}

	@Test
	void theWiringIsNoApi() {
		List<String> open = this.rooms.get("micro-autoconfigure")
			.stream()
			.filter((type) -> type.isTopLevelClass() && type.getModifiers().contains(JavaModifier.PUBLIC))
			.map(JavaClass::getSimpleName)
			.filter((name) -> !name.matches(".*(AutoConfiguration|Properties|Type)|MicroProfile|PortTakenException"))
			.toList();
		assertThat(open).isEmpty();
	}

	@Test
	void locksAreReentrantAndStateIsNotStatic() {
		all().forEach((type) -> {
			assertThat(type.getMethods()).as(type.getName())
				.noneMatch((method) -> method.getModifiers().contains(JavaModifier.SYNCHRONIZED)
						&& !method.getModifiers().contains(JavaModifier.SYNTHETIC));
			assertThat(type.getFields()).as(type.getName())
				.noneMatch((field) -> field.getModifiers().contains(JavaModifier.STATIC)
						&& !field.getModifiers().contains(JavaModifier.FINAL)
						&& !field.getModifiers().contains(JavaModifier.SYNTHETIC));
		});
	}

	@Test
	void namesSayWhatThingsAre() {
		List<String> vague = all().map(JavaClass::getName)
			.filter((name) -> name.matches(".*\\.(impl|util|utils|common|helper|manager)\\..*")
					|| name.matches(".*(Impl|Utils?|Helper|Manager)"))
			.toList();
		assertThat(vague).isEmpty();
	}

	/*
	 * Generated code is not ours to judge.
	 */
	private Stream<JavaClass> all() {
		return this.rooms.values()
			.stream()
			.flatMap(Collection::stream)
			.filter((type) -> !type.getPackageName().startsWith("mu.micro.wire")
					&& !type.getPackageName().startsWith("mu.micro.samples")
					&& !type.getPackageName().endsWith(".jmh_generated"));
	}

	private static void check(JavaClasses classes, ArchRule rule) {
		rule.allowEmptyShould(true).check(classes);
	}

}
