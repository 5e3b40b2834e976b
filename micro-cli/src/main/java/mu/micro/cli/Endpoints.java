package mu.micro.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

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
	 * All endpoints.
	 * @return in order of definition
	 */
	List<MethodDescriptor> all() {
		return this.schema.services().stream().flatMap((candidate) -> candidate.getMethods().stream()).toList();
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
		ServiceDescriptor main = main();
		if (words.size() > 2) {
			throw unknown(String.join(" ", words));
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
		if (found.size() > 1) {
			throw Failure.usage("'" + Terminal.plain(word) + "' can mean "
					+ String.join(" or ", found.stream().map((method) -> "'" + words(method) + "'").toList())
					+ ": write the one you mean.");
		}
		if (found.size() == 1) {
			return found.get(0);
		}
		if (words.size() == 1 && word.indexOf('.') > 0) {
			return named(word);
		}
		throw unknown((words.isEmpty()) ? "call" : String.join(" ", words));
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
