package mu.micro.proxy;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

import com.google.protobuf.ByteString;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.reflection.v1.ErrorResponse;
import io.grpc.reflection.v1.ExtensionNumberResponse;
import io.grpc.reflection.v1.FileDescriptorResponse;
import io.grpc.reflection.v1.ListServiceResponse;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import mu.micro.MicroException;

/**
 * <a href="https://grpc.io/docs/guides/reflection/">gRPC reflection</a> for all services
 * as if they were one, in version 1 and 1alpha, whose messages are the same on the wire.
 * A file comes with all that it imports.
 */
final class ReflectionService {

	private static final int MOST_STREAMS = 100;

	private static final String V1_ALPHA = "grpc.reflection.v1alpha.ServerReflection";

	private static final MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> METHOD = ServerReflectionGrpc
		.getServerReflectionInfoMethod();

	private final Catalog catalog;

	private final Routes routes;

	private final Executor blocking;

	private final Semaphore streams = new Semaphore(MOST_STREAMS);

	/**
	 * Answers for all services.
	 * @param catalog what they offer
	 * @param routes which of them a symbol belongs to
	 * @param blocking where answers are found
	 */
	ReflectionService(Catalog catalog, Routes routes, Executor blocking) {
		this.catalog = catalog;
		this.routes = routes;
		this.blocking = blocking;
	}

	/**
	 * Both versions.
	 * @return what to serve
	 */
	List<ServerServiceDefinition> definitions() {
		MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> alpha = METHOD.toBuilder()
			.setFullMethodName(MethodDescriptor.generateFullMethodName(V1_ALPHA, "ServerReflectionInfo"))
			.setSchemaDescriptor(null)
			.build();
		return List.of(define(ServerReflectionGrpc.SERVICE_NAME, METHOD), define(V1_ALPHA, alpha));
	}

	/**
	 * Whether a service offers a gRPC service. May block on an instance.
	 * @param service the service's name as registered
	 * @param grpcService the full name of the gRPC service
	 * @return true if some instance does
	 * @throws MicroException if the service does not tell
	 */
	boolean offers(String service, String grpcService) {
		return this.catalog.offers(service, grpcService);
	}

	private ServerServiceDefinition define(String name,
			MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> method) {
		return ServerServiceDefinition.builder(name)
			.addMethod(method, ServerCalls.asyncBidiStreamingCall(this::open))
			.build();
	}

	private StreamObserver<ServerReflectionRequest> open(StreamObserver<ServerReflectionResponse> answers) {
		ServerCallStreamObserver<ServerReflectionResponse> out = (ServerCallStreamObserver<ServerReflectionResponse>) answers;
		Questions questions = new Questions(out);
		out.disableAutoRequest();
		out.setOnReadyHandler(questions::ask);
		if (this.streams.tryAcquire()) {
			out.setOnCancelHandler(this.streams::release);
			out.setOnCloseHandler(this.streams::release);
			questions.ask();
		}
		else {
			out.setOnCancelHandler(() -> {
			});
			out.onError(Refusal
				.of(new MicroException.Exhausted(
						"more than " + MOST_STREAMS + " clients ask for reflection; try again later"))
				.exception());
		}
		return questions;
	}

	private ServerReflectionResponse answer(ServerReflectionRequest request) {
		ServerReflectionResponse.Builder answer = ServerReflectionResponse.newBuilder()
			.setValidHost(request.getHost())
			.setOriginalRequest(request);
		try {
			return fill(answer, request, this.catalog.offers()).build();
		}
		catch (MicroException ex) {
			Status status = Refusal.of(ex).status();
			return answer.setErrorResponse(error(status.getCode(), String.valueOf(status.getDescription()))).build();
		}
	}

	private ServerReflectionResponse.Builder fill(ServerReflectionResponse.Builder answer,
			ServerReflectionRequest request, Offers offers) {
		switch (request.getMessageRequestCase()) {
			case LIST_SERVICES -> {
				ListServiceResponse.Builder list = ListServiceResponse.newBuilder();
				offers.services().forEach((name) -> list.addService(ServiceResponse.newBuilder().setName(name)));
				return answer.setListServicesResponse(list);
			}
			case FILE_CONTAINING_SYMBOL -> {
				String symbol = request.getFileContainingSymbol();
				return files(answer, offers.fileOf(symbol, this.routes.owner(symbol)), "symbol '" + symbol + "'");
			}
			case FILE_BY_FILENAME -> {
				String name = request.getFileByFilename();
				return files(answer, offers.file(name), "file '" + name + "'");
			}
			case FILE_CONTAINING_EXTENSION -> {
				String type = request.getFileContainingExtension().getContainingType();
				int number = request.getFileContainingExtension().getExtensionNumber();
				return files(answer, offers.fileOfExtension(type, number),
						"extension " + number + " of '" + type + "'");
			}
			case ALL_EXTENSION_NUMBERS_OF_TYPE -> {
				String type = request.getAllExtensionNumbersOfType();
				Set<Integer> numbers = offers.extensionsOf(type);
				if (numbers == null) {
					return answer.setErrorResponse(unknown("type '" + type + "'"));
				}
				return answer.setAllExtensionNumbersResponse(
						ExtensionNumberResponse.newBuilder().setBaseTypeName(type).addAllExtensionNumber(numbers));
			}
			default -> {
				return answer.setErrorResponse(error(Status.Code.INVALID_ARGUMENT, "the request asks for nothing"));
			}
		}
	}

	private static ServerReflectionResponse.Builder files(ServerReflectionResponse.Builder answer,
			List<ByteString> files, String asked) {
		return (files.isEmpty()) ? answer.setErrorResponse(unknown(asked)) : answer
			.setFileDescriptorResponse(FileDescriptorResponse.newBuilder().addAllFileDescriptorProto(files));
	}

	private static ErrorResponse unknown(String asked) {
		return error(Status.Code.NOT_FOUND, "no running service has the " + asked);
	}

	private static ErrorResponse error(Status.Code code, String message) {
		return ErrorResponse.newBuilder().setErrorCode(code.value()).setErrorMessage(message).build();
	}

	/**
	 * One client's questions, answered one after the other, the next asked for when the
	 * client takes answers.
	 */
	private final class Questions implements StreamObserver<ServerReflectionRequest> {

		private final ServerCallStreamObserver<ServerReflectionResponse> answers;

		private final AtomicBoolean waits = new AtomicBoolean(true);

		private CompletableFuture<Void> tail = CompletableFuture.completedFuture(null);

		Questions(ServerCallStreamObserver<ServerReflectionResponse> answers) {
			this.answers = answers;
		}

		void ask() {
			if (this.answers.isReady() && this.waits.compareAndSet(true, false)) {
				this.answers.request(1);
			}
		}

		@Override
		public void onNext(ServerReflectionRequest request) {
			this.tail = this.tail.thenRunAsync(() -> {
				this.answers.onNext(answer(request));
				this.waits.set(true);
				ask();
			}, ReflectionService.this.blocking).whenComplete((done, failure) -> {
				if (failure != null) {
					this.answers.onError(
							Refusal.of(new MicroException.Internal("cannot answer: " + failure, failure)).exception());
				}
			});
		}

		@Override
		public void onError(Throwable failure) {
		}

		@Override
		public void onCompleted() {
			this.tail.thenRun(this.answers::onCompleted);
		}

	}

}
