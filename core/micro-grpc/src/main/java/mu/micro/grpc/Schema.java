package mu.micro.grpc;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.grpc.ServerServiceDefinition;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;

/**
 * What an instance offers: its gRPC services with all their types. What every instance
 * has (health, reflection, debug) is left out.
 */
public final class Schema {

	private static final int HASH_BYTES = 16;

	private static final int MAX_FILES = 1000;

	private final Map<String, FileDescriptor> files;

	private final List<ServiceDescriptor> services;

	private final JsonFormat.TypeRegistry types;

	private final String hash;

	private Schema(Collection<ServiceDescriptor> services) {
		this.services = services.stream().sorted(Comparator.comparing(ServiceDescriptor::getFullName)).toList();
		Map<String, FileDescriptor> all = new TreeMap<>();
		this.services.forEach((service) -> collect(service.getFile(), all));
		this.files = all;
		this.types = JsonFormat.TypeRegistry.newBuilder()
			.add(all.values().stream().flatMap((file) -> file.getMessageTypes().stream()).toList())
			.build();
		this.hash = hash(all.values(), this.services);
	}

	/**
	 * The schema of what a server serves.
	 * @param definitions the server's services; those that are not defined by Protocol
	 * Buffers are left out
	 * @return the schema, which may be empty
	 */
	public static Schema of(Collection<ServerServiceDefinition> definitions) {
		List<ServiceDescriptor> services = new ArrayList<>();
		for (ServerServiceDefinition definition : definitions) {
			String name = definition.getServiceDescriptor().getName();
			if (!everywhere(name) && definition.getServiceDescriptor()
				.getSchemaDescriptor() instanceof ProtoFileDescriptorSupplier supplier) {
				supplier.getFileDescriptor()
					.getServices()
					.stream()
					.filter((service) -> service.getFullName().equals(name))
					.forEach(services::add);
			}
		}
		return new Schema(services);
	}

	/**
	 * The schema in a set of files.
	 * @param files the files, with those they import
	 * @param services the full names of the services offered
	 * @return the schema
	 * @throws MicroException.Invalid if the files do not fit together
	 */
	public static Schema of(Collection<FileDescriptorProto> files, Collection<String> services) {
		if (files.size() > MAX_FILES) {
			throw new MicroException.Invalid("the schema has " + files.size() + " files, more than " + MAX_FILES);
		}
		Map<String, FileDescriptorProto> byName = new LinkedHashMap<>();
		files.forEach((file) -> byName.put(file.getName(), file));
		Map<String, FileDescriptor> built = new LinkedHashMap<>();
		byName.keySet().forEach((name) -> build(name, byName, built, 0));
		List<ServiceDescriptor> offered = built.values()
			.stream()
			.flatMap((file) -> file.getServices().stream())
			.filter((service) -> services.contains(service.getFullName()) && !everywhere(service.getFullName()))
			.toList();
		return new Schema(offered);
	}

	/**
	 * Whether a gRPC service is one that every instance has.
	 * @param name the service's full name
	 * @return true for health, reflection and debug
	 */
	public static boolean everywhere(String name) {
		return name.startsWith("grpc.") || name.equals("debug.Debug");
	}

	private static @Nullable FileDescriptor build(String name, Map<String, FileDescriptorProto> files,
			Map<String, FileDescriptor> built, int depth) {
		FileDescriptor known = built.get(name);
		FileDescriptorProto file = files.get(name);
		if (known != null || file == null) {
			return known;
		}
		if (depth > MAX_FILES) {
			throw new MicroException.Invalid("the schema's files import each other in a circle");
		}
		List<FileDescriptor> imports = new ArrayList<>();
		for (String dependency : file.getDependencyList()) {
			FileDescriptor imported = build(dependency, files, built, depth + 1);
			if (imported != null) {
				imports.add(imported);
			}
		}
		try {
			FileDescriptor descriptor = FileDescriptor.buildFrom(file, imports.toArray(FileDescriptor[]::new), true);
			built.put(name, descriptor);
			return descriptor;
		}
		catch (DescriptorValidationException ex) {
			throw new MicroException.Invalid("the schema's file " + name + " is wrong: " + ex.getMessage(), ex);
		}
	}

	private static void collect(FileDescriptor file, Map<String, FileDescriptor> into) {
		if (into.putIfAbsent(file.getName(), file) == null) {
			file.getDependencies().forEach((dependency) -> collect(dependency, into));
		}
	}

	private static String hash(Collection<FileDescriptor> files, List<ServiceDescriptor> services) {
		try {
			MessageDigest digest = MessageDigest.getInstance("SHA-256");
			for (FileDescriptor file : files) {
				// Without extensions, as one who does not know them would write it.
				digest.update(FileDescriptorProto.parseFrom(file.toProto().toByteArray()).toByteArray());
			}
			services.forEach((service) -> digest.update(service.getFullName().getBytes(StandardCharsets.UTF_8)));
			return HexFormat.of().formatHex(digest.digest(), 0, HASH_BYTES);
		}
		catch (NoSuchAlgorithmException | InvalidProtocolBufferException ex) {
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * Identifies the schema: equal schemas have equal hashes.
	 * @return 32 hexadecimal digits
	 */
	public String hash() {
		return this.hash;
	}

	/**
	 * The gRPC services.
	 * @return sorted by full name
	 */
	public List<ServiceDescriptor> services() {
		return this.services;
	}

	/**
	 * The gRPC services of one service. A process that serves several tells for each what
	 * it offers in all.
	 * @param service the service's name
	 * @return those of its own contract, sorted by full name; all if none is
	 */
	public List<ServiceDescriptor> services(String service) {
		List<ServiceDescriptor> own = this.services.stream().filter((each) -> isOwn(each, service)).toList();
		return (own.isEmpty()) ? this.services : own;
	}

	/**
	 * All files, by name.
	 * @return the files of the services and what they import
	 */
	public Collection<FileDescriptor> files() {
		return this.files.values();
	}

	/**
	 * The file that defines something.
	 * @param symbol the full name of a service, method, message, enum or extension
	 * @return the file, or null if nothing here has that name
	 */
	public @Nullable FileDescriptor fileOf(String symbol) {
		return this.files.values().stream().filter((file) -> defines(file, symbol)).findFirst().orElse(null);
	}

	private static boolean defines(FileDescriptor file, String symbol) {
		String prefix = (file.getPackage().isEmpty()) ? "" : file.getPackage() + ".";
		if (!symbol.startsWith(prefix) || symbol.length() == prefix.length()) {
			return false;
		}
		String[] path = symbol.substring(prefix.length()).split("\\.");
		ServiceDescriptor service = file.findServiceByName(path[0]);
		if (service != null) {
			return path.length == 1 || path.length == 2 && service.findMethodByName(path[1]) != null;
		}
		if (path.length == 1
				&& (file.findEnumTypeByName(path[0]) != null || file.findExtensionByName(path[0]) != null)) {
			return true;
		}
		GenericDescriptor found = file.findMessageTypeByName(path[0]);
		for (int i = 1; found instanceof com.google.protobuf.Descriptors.Descriptor message && i < path.length; i++) {
			GenericDescriptor nested = message.findNestedTypeByName(path[i]);
			if (nested == null) {
				nested = message.findEnumTypeByName(path[i]);
			}
			found = (nested != null) ? nested : message.findFieldByName(path[i]);
		}
		return found != null && found.getFullName().equals(symbol);
	}

	/**
	 * Finds a method by its endpoint name.
	 * @param endpoint {@code Foo.Bar}, method Bar of the service whose simple name is
	 * Foo, or {@code package.Foo.Bar}
	 * @return the method, or null if there is none
	 */
	public @Nullable MethodDescriptor endpoint(String endpoint) {
		return endpoint(endpoint, "");
	}

	/**
	 * Finds a method by its endpoint name.
	 * @param endpoint {@code Foo.Bar}, method Bar of the service whose simple name is
	 * Foo, or {@code package.Foo.Bar}
	 * @param service who is called: of several that are called Foo, the one in its
	 * package is meant
	 * @return the method, or null if there is none
	 */
	public @Nullable MethodDescriptor endpoint(String endpoint, String service) {
		int dot = endpoint.lastIndexOf('.');
		if (dot < 1) {
			return null;
		}
		String name = endpoint.substring(0, dot);
		String method = endpoint.substring(dot + 1);
		return this.services.stream()
			.filter((candidate) -> candidate.getName().equals(name) || candidate.getFullName().equals(name))
			.sorted(Comparator.comparing((candidate) -> !isOwn(candidate, service)))
			.map((candidate) -> candidate.findMethodByName(method))
			.filter((found) -> found != null)
			.findFirst()
			.orElse(null);
	}

	/**
	 * Whether a gRPC service is part of a service's own contract.
	 * @param grpcService the gRPC service
	 * @param service the service's name
	 * @return whether it is in the package that is called as the service
	 */
	public static boolean isOwn(ServiceDescriptor grpcService, String service) {
		return grpcService.getFile().getPackage().equals(ServiceNames.toPackage(service));
	}

	/**
	 * The names of all methods.
	 * @return as {@code Foo.Bar}, in order of definition
	 */
	public List<String> endpoints() {
		return this.services.stream()
			.flatMap((service) -> service.getMethods().stream())
			.map((method) -> method.getService().getName() + "." + method.getName())
			.toList();
	}

	/**
	 * The message types, for what is packed in an {@code Any}.
	 * @return the types by name
	 */
	public JsonFormat.TypeRegistry types() {
		return this.types;
	}

}
