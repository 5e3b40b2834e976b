package mu.micro.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import mu.micro.grpc.Schema;
import mu.micro.wire.debug.DebugProto;
import org.jspecify.annotations.Nullable;

/**
 * A service's endpoints as words of a command line: {@code Helloworld.Call} of the
 * service helloworld is {@code call}, {@code Accounts.List} of the service auth is
 * {@code accounts list}.
 */
final class Endpoints {

	private static final String DEFAULT = "Call";

	private final String service;

	private final Schema schema;

	/**
	 * The endpoints of a service.
	 * @param service the service's name
	 * @param schema what it offers
	 */
	Endpoints(String service, Schema schema) {
		this.service = service;
		this.schema = schema;
	}

	/**
	 * The endpoints of the service itself. Those of others that run in the same process
	 * can be found as well.
	 * @return in order of definition
	 */
	List<MethodDescriptor> all() {
		return this.schema.services(this.service).stream().flatMap((own) -> own.getMethods().stream()).toList();
	}

	/**
	 * The words that name an endpoint.
	 * @param method one of the endpoints
	 * @return one word, or two for a gRPC service that is not the service's namesake
	 */
	String words(MethodDescriptor method) {
		String word = kebab(method.getName());
		return (method.getService() == main()) ? word : kebab(method.getService().getName()) + " " + word;
	}

	/**
	 * Finds an endpoint by its exact name.
	 * @param name such as {@code Helloworld.Call}
	 * @return the endpoint
	 * @throws Failure if there is none
	 */
	MethodDescriptor named(String name) {
		int dot = name.lastIndexOf('.');
		if (dot < 1 || dot == name.length() - 1) {
			throw new Failure(Failure.ENDPOINT_FORMAT, "The endpoint '" + Terminal.plain(name)
					+ "' is written wrong: write it as Service.Method, such as Helloworld.Call.");
		}
		MethodDescriptor method = this.schema.endpoint(name, this.service);
		if (method == null && name.startsWith("Debug.")) {
			method = DebugProto.getDescriptor().findServiceByName("Debug").findMethodByName(name.substring(dot + 1));
		}
		if (method == null) {
			throw unknown(name);
		}
		return method;
	}

	/**
	 * Finds an endpoint by words.
	 * @param words none for {@code Call}, else a method, or a gRPC service and a method;
	 * case, dashes and underscores do not matter
	 * @return the endpoint
	 * @throws Failure if there is none, or more than one
	 */
	MethodDescriptor find(List<String> words) {
		List<MethodDescriptor> found = matches(words);
		if (found.size() > 1) {
			throw Failure.usage("'" + Terminal.plain(words.get(words.size() - 1)) + "' can mean "
					+ String.join(" or ", found.stream().map((method) -> "'" + words(method) + "'").toList())
					+ ": write the one you mean.");
		}
		if (found.size() == 1) {
			return found.get(0);
		}
		if (words.size() == 1 && words.get(0).indexOf('.') > 0) {
			return named(words.get(0));
		}
		for (int end = words.size() - 1; end > 0; end--) {
			List<MethodDescriptor> meant = matches(words.subList(0, end));
			if (meant.size() == 1) {
				throw noFlag(words, end, meant.get(0));
			}
		}
		throw unknown((words.isEmpty()) ? "call" : String.join(" ", words));
	}

	private List<MethodDescriptor> matches(List<String> words) {
		ServiceDescriptor main = main();
		if (words.size() > 2) {
			return List.of();
		}
		String word = (words.isEmpty()) ? DEFAULT : words.get(words.size() - 1);
		List<ServiceDescriptor> services = this.schema.services();
		if (words.size() == 2) {
			services = services.stream().filter((candidate) -> same(candidate.getName(), words.get(0))).toList();
		}
		else if (main != null && method(main, word) != null) {
			services = List.of(main);
		}
		List<MethodDescriptor> found = new ArrayList<>();
		for (ServiceDescriptor candidate : services) {
			MethodDescriptor method = method(candidate, word);
			if (method != null) {
				found.add(method);
			}
		}
		if (found.stream().anyMatch((method) -> Schema.isOwn(method.getService(), this.service))) {
			found.removeIf((method) -> !Schema.isOwn(method.getService(), this.service));
		}
		return found;
	}

	private Failure noFlag(List<String> words, int end, MethodDescriptor meant) {
		Set<String> flags = new Flags(this.schema, meant.getInputType()).known().keySet();
		String value = Terminal.plain(words.get(end));
		return new Failure(Failure.ENDPOINT,
				"The service '" + Terminal.plain(this.service) + "' has no endpoint '"
						+ Terminal.plain(String.join(" ", words)) + "': "
						+ ((flags.isEmpty()) ? "'" + words(meant) + "' takes no values."
								: "values go by flag, such as 'micro " + Terminal.plain(this.service) + " "
										+ words(meant) + " " + flags.iterator().next() + " "
										+ ((value.indexOf(' ') < 0) ? value : '"' + value + '"') + "'."));
	}

	private Failure unknown(String name) {
		List<String> all = all().stream().map((method) -> words(method)).toList();
		return new Failure(Failure.ENDPOINT, "The service '" + Terminal.plain(this.service) + "' has no endpoint '"
				+ Terminal.plain(name) + "'; it has " + ((all.isEmpty()) ? "none" : String.join(", ", all)) + ".");
	}

	private @Nullable ServiceDescriptor main() {
		List<ServiceDescriptor> services = this.schema.services();
		String last = this.service.substring(this.service.lastIndexOf('.') + 1);
		return services.stream()
			.filter((candidate) -> same(candidate.getName(), this.service) || same(candidate.getName(), last))
			.findFirst()
			.orElse((services.size() == 1) ? services.get(0) : null);
	}

	private static @Nullable MethodDescriptor method(ServiceDescriptor service, String word) {
		MethodDescriptor exact = service.findMethodByName(word);
		return (exact != null) ? exact
				: service.getMethods()
					.stream()
					.filter((method) -> same(method.getName(), word))
					.findFirst()
					.orElse(null);
	}

	private static boolean same(String name, String word) {
		return plain(name).equals(plain(word));
	}

	private static String plain(String name) {
		return name.replaceAll("[-_.]", "").toLowerCase(Locale.ROOT);
	}

	private static String kebab(String name) {
		return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
	}

}
