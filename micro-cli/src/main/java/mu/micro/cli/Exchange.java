package mu.micro.cli;

import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicReference;

import com.google.gson.JsonParser;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Deadline;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import mu.micro.MicroException;
import mu.micro.grpc.Json;
import mu.micro.grpc.Schema;
import org.jspecify.annotations.Nullable;

/**
 * One call of any kind: JSON in, JSON out.
 */
final class Exchange {

	private final Proxy proxy;

	private final Terminal terminal;

	private final String service;

	private final Schema schema;

	private final MethodDescriptor method;

	Exchange(Proxy proxy, Terminal terminal, String service, Schema schema, MethodDescriptor method) {
		this.proxy = proxy;
		this.terminal = terminal;
		this.service = service;
		this.schema = schema;
		this.method = method;
	}

	/**
	 * Makes the call and prints each message that it returns.
	 * @param request the one request, or null for those on standard input
	 */
	void run(@Nullable DynamicMessage request) {
		String name = this.method.getService().getFullName() + "/" + this.method.getName();
		if (request != null && !this.method.isClientStreaming() && !this.method.isServerStreaming()) {
			print(this.proxy.call(this.service, name, request.toByteArray()));
			return;
		}
		Deadline deadline = (this.proxy.options().timeout() != null) ? this.proxy.deadline() : null;
		BlockingClientCall<byte[], byte[]> call = this.proxy.stream(this.service, name, deadline);
		AtomicReference<@Nullable Failure> unsent = new AtomicReference<>();
		try {
			if (request != null) {
				call.write(request.toByteArray());
				call.halfClose();
			}
			else {
				Thread sender = new Thread(() -> send(call, unsent), "micro-stdin");
				sender.setDaemon(true);
				sender.start();
			}
			byte[] message = call.read();
			while (message != null && !this.terminal.out().checkError()) {
				print(message);
				this.terminal.out().flush();
				message = call.read();
			}
		}
		catch (StatusException ex) {
			Failure mine = unsent.get();
			throw (mine != null) ? mine : this.proxy.failure(this.service, deadline, ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new Failure(Failure.OTHER, "Interrupted.", ex);
		}
		finally {
			call.cancel("done", null);
		}
	}

	private void send(BlockingClientCall<byte[], byte[]> call, AtomicReference<@Nullable Failure> unsent) {
		try {
			Reader in = new InputStreamReader(this.terminal.in(), StandardCharsets.UTF_8);
			Lines lines = new Lines(in, "standard input");
			for (String line = lines.next(); line != null; line = lines.next()) {
				if (!line.isBlank() && !call.write(parse(line, lines).toByteArray())) {
					return;
				}
			}
			call.halfClose();
		}
		catch (IOException ex) {
			fail(call, unsent, new Failure(Failure.OTHER, "Cannot read standard input: " + ex.getMessage(), ex));
		}
		catch (Failure ex) {
			fail(call, unsent, ex);
		}
		catch (StatusException ex) {
			// Whoever reads the answers is told too.
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void fail(BlockingClientCall<byte[], byte[]> call, AtomicReference<@Nullable Failure> unsent,
			Failure failure) {
		unsent.set(failure);
		call.cancel(String.valueOf(failure.getMessage()), failure);
	}

	private DynamicMessage parse(String line, Lines lines) {
		return Requests.parse(this.schema, this.method.getInputType(), line, lines.place() + ": ");
	}

	private void print(byte[] message) {
		try {
			DynamicMessage read = DynamicMessage.parseFrom(this.method.getOutputType(), message);
			this.terminal.json(JsonParser.parseString(Json.print(this.schema, read, false)));
		}
		catch (InvalidProtocolBufferException ex) {
			throw new Failure(
					Failure.OTHER, "The answer of '" + this.service + "' is no "
							+ this.method.getOutputType().getFullName() + ": do all its instances run one version?",
					ex);
		}
		catch (MicroException ex) {
			throw new Failure(Failure.OTHER, Terminal.plain(String.valueOf(ex.getMessage())), ex);
		}
	}

}
