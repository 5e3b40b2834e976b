package mu.micro.proxy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import io.grpc.health.v1.HealthProto;
import io.grpc.reflection.v1.ServerReflectionProto;
import mu.micro.grpc.Schema;
import mu.micro.wire.errors.ErrorsProto;
import org.jspecify.annotations.Nullable;

/**
 * The files of several services as one set. Where two of them have different files of one
 * name, the later one's is served as {@code service/name}, so that a client never takes
 * the one for the other.
 */
final class Offers {

	/**
	 * What the proxy answers itself, and the detail of its errors.
	 */
	private static final List<FileDescriptor> OWN = List.of(HealthProto.getDescriptor(),
			ServerReflectionProto.getDescriptor(), io.grpc.reflection.v1alpha.ServerReflectionProto.getDescriptor(),
			ErrorsProto.getDescriptor());

	private final List<Source> sources;

	private final Map<String, Served> byName = new LinkedHashMap<>();

	private final Map<FileDescriptor, Served> byFile = new LinkedHashMap<>();

	private final Set<String> services = new TreeSet<>();

	private Offers(List<Source> sources) {
		this.sources = List.copyOf(sources);
	}

	/**
	 * Puts together what services offer.
	 * @param sources the services and their schemas
	 * @return their files and the proxy's own
	 */
	static Offers of(List<Source> sources) {
		Offers offers = new Offers(sources);
		OWN.forEach((file) -> offers.add("proxy", file));
		for (Source source : sources) {
			source.schema.services().forEach((service) -> {
				offers.add(source.service, service.getFile());
				offers.services.add(service.getFullName());
			});
		}
		OWN.forEach((file) -> file.getServices().forEach((service) -> offers.services.add(service.getFullName())));
		return offers;
	}

	private Served add(String service, FileDescriptor file) {
		Served known = this.byFile.get(file);
		if (known != null) {
			return known;
		}
		Map<String, Served> imports = new LinkedHashMap<>();
		for (FileDescriptor dependency : file.getDependencies()) {
			imports.put(dependency.getName(), add(service, dependency));
		}
		FileDescriptorProto.Builder proto = file.toProto().toBuilder();
		for (int i = 0; i < proto.getDependencyCount(); i++) {
			Served imported = imports.get(proto.getDependency(i));
			if (imported != null) {
				proto.setDependency(i, imported.name);
			}
		}
		Served served = name(service, proto, List.copyOf(imports.values()));
		this.byFile.put(file, served);
		return served;
	}

	private Served name(String service, FileDescriptorProto.Builder proto, List<Served> imports) {
		String name = proto.getName();
		for (int i = 0; true; i++) {
			Served served = new Served(proto.getName(), proto.build().toByteString(), imports);
			Served same = this.byName.putIfAbsent(served.name, served);
			if (same == null || same.bytes.equals(served.bytes)) {
				return (same != null) ? same : served;
			}
			proto.setName((i == 0) ? service + "/" + name : service + "/" + i + "/" + name);
		}
	}

	/**
	 * Where the files come from.
	 * @return the services and their schemas
	 */
	List<Source> sources() {
		return this.sources;
	}

	/**
	 * All gRPC services.
	 * @return their full names, sorted
	 */
	Set<String> services() {
		return this.services;
	}

	/**
	 * The file that defines something.
	 * @param symbol its full name
	 * @param owner the service that is asked first, the one that calls would go to
	 * @return the file with all that it imports, empty if nothing has that name
	 */
	List<ByteString> fileOf(String symbol, @Nullable String owner) {
		return Stream
			.concat(this.sources.stream().filter((source) -> source.service.equals(owner)), this.sources.stream())
			.map((source) -> source.schema.fileOf(symbol))
			.filter((file) -> file != null)
			.findFirst()
			.or(() -> OWN.stream().filter((file) -> defines(file, symbol)).findFirst())
			.map((file) -> withImports(this.byFile.get(file)))
			.orElse(List.of());
	}

	private static boolean defines(FileDescriptor file, String symbol) {
		if (!symbol.startsWith(file.getPackage() + ".")) {
			return false;
		}
		String name = symbol.substring(file.getPackage().length() + 1).split("\\.")[0];
		return file.findServiceByName(name) != null || file.findMessageTypeByName(name) != null;
	}

	/**
	 * A file by its name.
	 * @param name the name under which it is served
	 * @return the file with all that it imports, empty if there is none
	 */
	List<ByteString> file(String name) {
		return withImports(this.byName.get(name));
	}

	/**
	 * The file that defines an extension.
	 * @param type the full name of the message type that is extended
	 * @param number the extension's number
	 * @return the file with all that it imports, empty if there is none
	 */
	List<ByteString> fileOfExtension(String type, int number) {
		return extensions(type).filter((extension) -> extension.getNumber() == number)
			.findFirst()
			.map((extension) -> withImports(this.byFile.get(extension.getFile())))
			.orElse(List.of());
	}

	/**
	 * The extensions of a message type.
	 * @param type the type's full name
	 * @return their numbers, sorted, or null if there is no such type
	 */
	@Nullable Set<Integer> extensionsOf(String type) {
		Set<Integer> numbers = new TreeSet<>();
		extensions(type).forEach((extension) -> numbers.add(extension.getNumber()));
		return (numbers.isEmpty() && fileOf(type, null).isEmpty()) ? null : numbers;
	}

	private Stream<FieldDescriptor> extensions(String type) {
		return this.byFile.keySet()
			.stream()
			.flatMap((file) -> Stream.concat(file.getExtensions().stream(),
					file.getMessageTypes().stream().flatMap(Offers::nested)))
			.filter((extension) -> extension.getContainingType().getFullName().equals(type));
	}

	private static Stream<FieldDescriptor> nested(Descriptor message) {
		return Stream.concat(message.getExtensions().stream(),
				message.getNestedTypes().stream().flatMap(Offers::nested));
	}

	private static List<ByteString> withImports(@Nullable Served file) {
		Map<String, ByteString> all = new LinkedHashMap<>();
		if (file != null) {
			file.collect(all);
		}
		return List.copyOf(all.values());
	}

	/**
	 * A service and one schema that its instances offer.
	 *
	 * @param service the service's name
	 * @param schema the schema
	 */
	record Source(String service, Schema schema) {
	}

	private record Served(String name, ByteString bytes, List<Served> imports) {

		void collect(Map<String, ByteString> all) {
			if (all.putIfAbsent(this.name, this.bytes) == null) {
				this.imports.forEach((imported) -> imported.collect(all));
			}
		}

	}

}
