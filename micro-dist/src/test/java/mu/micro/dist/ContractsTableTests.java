package mu.micro.dist;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import javax.xml.parsers.DocumentBuilderFactory;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * Writes the table of promises and the providers that keep them into docs/contracts.md,
 * from what the tests of this build have shown.
 */
class ContractsTableTests {

	private static final Path DOCUMENT = App.ROOT.resolve("docs/contracts.md");

	private static final String MARK = "<!-- From here on written by the build: see ContractsTableTests. -->\n";

	@Test
	void theTableOfContractsIsTheOneThatTheTestsShow() throws Exception {
		List<Path> rooms = rooms();
		JavaClasses classes = new ClassFileImporter().importPaths(rooms.stream()
			.flatMap((room) -> Stream.of(room.resolve("target/classes"), room.resolve("target/test-classes")))
			.filter(Files::isDirectory)
			.toList());
		Map<JavaClass, Map<String, JavaClass>> contracts = contracts(classes);
		Map<String, Map<String, Boolean>> reports = reports(rooms);
		for (Map<String, JavaClass> providers : contracts.values()) {
			for (JavaClass test : providers.values()) {
				assumeThat(reports).as("all tests ran in this build: run script/test").containsKey(test.getName());
			}
		}

		String before = Files.readString(DOCUMENT);
		String written = before.substring(0, before.indexOf(MARK) + MARK.length()) + table(contracts, reports);
		Files.writeString(DOCUMENT, written);

		assertThat(contracts).isNotEmpty();
		assertThat(before).as("docs/contracts.md is what the tests show; it was written anew, commit it")
			.isEqualTo(written);
	}

	private static List<Path> rooms() throws IOException {
		try (Stream<Path> poms = Files.find(App.ROOT, 3, (path, attributes) -> path.endsWith("pom.xml"))) {
			return poms.map(Path::getParent).toList();
		}
	}

	private static Map<JavaClass, Map<String, JavaClass>> contracts(JavaClasses classes) {
		Map<JavaClass, Map<String, JavaClass>> contracts = new TreeMap<>(Comparator.comparing(JavaClass::getName));
		for (JavaClass test : classes) {
			if (test.getModifiers().contains(JavaModifier.ABSTRACT)) {
				continue;
			}
			test.getAllRawSuperclasses()
				.stream()
				.filter((type) -> type.getPackageName().equals("mu.micro.tck")
						&& type.getSimpleName().endsWith("Contract"))
				.findFirst()
				.ifPresent((contract) -> contracts.computeIfAbsent(contract, (key) -> new TreeMap<>())
					.put(test.getSimpleName().replaceFirst("(Contract)?Tests$", ""), test));
		}
		return contracts;
	}

	/*
	 * By test class and method, whether it passed.
	 */
	private static Map<String, Map<String, Boolean>> reports(List<Path> rooms) throws Exception {
		Map<String, Map<String, Boolean>> reports = new HashMap<>();
		for (Path room : rooms) {
			Path directory = room.resolve("target/surefire-reports");
			if (!Files.isDirectory(directory)) {
				continue;
			}
			try (Stream<Path> files = Files.list(directory)) {
				for (Path file : (Iterable<Path>) files
					.filter((path) -> path.getFileName().toString().matches("TEST-.*\\.xml"))::iterator) {
					read(file, reports);
				}
			}
		}
		return reports;
	}

	private static void read(Path file, Map<String, Map<String, Boolean>> reports) throws Exception {
		NodeList cases = DocumentBuilderFactory.newInstance()
			.newDocumentBuilder()
			.parse(file.toFile())
			.getElementsByTagName("testcase");
		for (int i = 0; i < cases.getLength(); i++) {
			Element test = (Element) cases.item(i);
			boolean passed = Stream.of("failure", "error", "skipped")
				.allMatch((outcome) -> test.getElementsByTagName(outcome).getLength() == 0);
			reports.computeIfAbsent(test.getAttribute("classname"), (key) -> new LinkedHashMap<>())
				.merge(test.getAttribute("name").replaceFirst("[({].*", ""), passed, Boolean::logicalAnd);
		}
	}

	private static String table(Map<JavaClass, Map<String, JavaClass>> contracts,
			Map<String, Map<String, Boolean>> reports) {
		StringBuilder text = new StringBuilder();
		contracts.forEach((contract, providers) -> {
			text.append("\n## ").append(contract.getSimpleName()).append("\n\n| promise |");
			providers.keySet().forEach((name) -> text.append(' ').append(name).append(" |"));
			text.append("\n| --- |").append(" --- |".repeat(providers.size())).append('\n');
			for (JavaMethod promise : promises(contract)) {
				text.append("| ").append(words(promise.getName())).append(" |");
				for (JavaClass test : providers.values()) {
					Boolean passed = reports.getOrDefault(test.getName(), Map.of()).get(promise.getName());
					text.append((Boolean.TRUE.equals(passed)) ? " yes |" : " no |");
				}
				text.append('\n');
			}
		});
		return text.toString();
	}

	private static List<JavaMethod> promises(JavaClass contract) {
		return contract.getMethods()
			.stream()
			.filter((method) -> method.getAnnotations()
				.stream()
				.anyMatch((annotation) -> annotation.getRawType()
					.getSimpleName()
					.matches("(Parameterized|Repeated)?Test")))
			.sorted(Comparator.comparingInt((method) -> method.getSourceCodeLocation().getLineNumber()))
			.toList();
	}

	/*
	 * aNameLikeThis becomes a name like this.
	 */
	private static String words(String name) {
		return String.join(" ", name.split("(?=[A-Z])|(?<=[a-z])(?=[0-9])")).toLowerCase(Locale.ROOT);
	}

}
