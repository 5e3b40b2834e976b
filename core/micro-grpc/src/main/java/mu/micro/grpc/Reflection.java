package mu.micro.grpc;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import mu.micro.MicroException;

/**
 * Reads a schema from a running instance by
 * <a href="https://grpc.io/docs/guides/reflection/">gRPC reflection</a>, version 1, else
 * 1alpha, whose messages are the same on the wire.
 */
public final class Reflection {

	private static final int MAX_FILES = 1000;

	private static final MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> V1 = ServerReflectionGrpc
		.getServerReflectionInfoMethod();

	private static final MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> V1_ALPHA = V1
		.toBuilder(V1.getRequestMarshaller(), V1.getResponseMarshaller())
		.setFullMethodName("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
		.build();

	private Reflection() {
	}

	/**
	 * Reads the schema of whoever answers on a channel.
	 * @param channel the channel
	 * @param timeout how long this may take in all
	 * @return the schema
	 * @throws MicroException.Unimplemented if reflection is not served there
	 * @throws MicroException.Internal if the schema is wrong
	 * @throws MicroException if the instance cannot be reached, or not in time
	 */
	public static Schema read(Channel channel, Duration timeout) {
		CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(timeout.toNanos(), TimeUnit.NANOSECONDS);
		try {
			return read(channel, V1, options);
		}
		catch (MicroException.Unimplemented ex) {
			return read(channel, V1_ALPHA, options);
		}
	}

	private static Schema read(Channel channel,
			MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> method, CallOptions options) {
		BlockingClientCall<ServerReflectionRequest, ServerReflectionResponse> call = ClientCalls
			.blockingBidiStreamingCall(channel, method, options);
		try {
			Schema schema = read(call);
			call.halfClose();
			return schema;
		}
		catch (StatusException ex) {
			throw Errors.toException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new MicroException.Cancelled("interrupted while reading a schema", ex);
		}
		catch (InvalidProtocolBufferException ex) {
			throw new MicroException.Internal("a reflection answer is no file descriptor", ex);
		}
		catch (MicroException.Invalid ex) {
			// The defect is the callee's: its caller can change nothing.
			throw new MicroException.Internal("what reflection answers is wrong: " + ex.getMessage(), ex);
		}
		finally {
			call.cancel("done", null);
		}
	}

	private static Schema read(BlockingClientCall<ServerReflectionRequest, ServerReflectionResponse> call)
			throws StatusException, InterruptedException, InvalidProtocolBufferException {
		List<String> services = ask(call, ServerReflectionRequest.newBuilder().setListServices(""))
			.getListServicesResponse()
			.getServiceList()
			.stream()
			.map(ServiceResponse::getName)
			.filter((name) -> !Schema.everywhere(name))
			.toList();
		Map<String, FileDescriptorProto> files = new LinkedHashMap<>();
		Deque<String> missing = new ArrayDeque<>();
		for (String service : services) {
			add(call, ServerReflectionRequest.newBuilder().setFileContainingSymbol(service), files, missing);
		}
		while (!missing.isEmpty()) {
			String file = missing.pop();
			if (!files.containsKey(file)) {
				add(call, ServerReflectionRequest.newBuilder().setFileByFilename(file), files, missing);
			}
		}
		return Schema.of(new ArrayList<>(files.values()), services);
	}

	private static void add(BlockingClientCall<ServerReflectionRequest, ServerReflectionResponse> call,
			ServerReflectionRequest.Builder request, Map<String, FileDescriptorProto> files, Deque<String> missing)
			throws StatusException, InterruptedException, InvalidProtocolBufferException {
		ServerReflectionResponse answer;
		try {
			answer = ask(call, request);
		}
		catch (MicroException.NotFound ex) {
			// A service that is not defined by Protocol Buffers, or a file nobody has.
			return;
		}
		for (ByteString bytes : answer.getFileDescriptorResponse().getFileDescriptorProtoList()) {
			FileDescriptorProto file = FileDescriptorProto.parseFrom(bytes);
			if (files.putIfAbsent(file.getName(), file) == null) {
				missing.addAll(file.getDependencyList());
			}
		}
		if (files.size() > MAX_FILES) {
			throw new MicroException.Invalid("the schema has more than " + MAX_FILES + " files");
		}
	}

	private static ServerReflectionResponse ask(
			BlockingClientCall<ServerReflectionRequest, ServerReflectionResponse> call,
			ServerReflectionRequest.Builder request) throws StatusException, InterruptedException {
		call.write(request.build());
		ServerReflectionResponse answer = call.read();
		if (answer == null) {
			throw new MicroException.Unavailable("reflection ended early");
		}
		if (answer.hasErrorResponse()) {
			throw Errors.toException(Status.fromCodeValue(answer.getErrorResponse().getErrorCode())
				.withDescription(answer.getErrorResponse().getErrorMessage())
				.asException());
		}
		return answer;
	}

}
