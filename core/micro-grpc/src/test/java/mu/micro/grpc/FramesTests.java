package mu.micro.grpc;

import java.util.concurrent.TimeUnit;

import io.grpc.CallOptions;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.stub.ClientCalls;
import mu.micro.test.kinds.Everything;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class FramesTests {

	@ParameterizedTest
	@ValueSource(ints = { 0, 1, 1000, 100_000, 3_000_000 })
	void bytesArePassedAsTheyAre(int size) throws Exception {
		byte[] message = Everything.newBuilder().setText("x".repeat(size)).build().toByteArray();
		try (TestInstance instance = TestInstance.kinds("a")) {
			ManagedChannel channel = Grpc
				.newChannelBuilder("dns:///127.0.0.1:" + instance.port(), InsecureChannelCredentials.create())
				.build();
			byte[] answer = ClientCalls.blockingUnaryCall(channel,
					Frames.method("kinds.Kinds/Echo", MethodDescriptor.MethodType.UNARY), CallOptions.DEFAULT, message);
			assertThat(answer).isEqualTo(message);
			channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
		}
	}

}
