package mu.micro.gateway;

import java.util.Map;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import mu.micro.grpc.Errors;

/**
 * Gives the error body to the answers that Reactor Netty makes by itself to what is no
 * HTTP, which are the only errors without a body.
 */
@ChannelHandler.Sharable
final class MalformedHttp extends ChannelOutboundHandlerAdapter {

	private static final int FIRST_ERROR = 400;

	private static final int FIRST_DEFECT = 500;

	private static final String DEFECT = "the gateway failed at this request; its log tells how";

	private static final Map<Integer, String> DETAILS = Map.of(414,
			"the request line is longer than " + Door.MOST_LINE + " bytes; send long input in a body, by POST", 431,
			"the headers are larger than " + Door.MOST_HEADERS + " bytes; send fewer or shorter ones");

	private static final String ELSE = "this is not HTTP as it should be: check the request line, the headers and the "
			+ "body's length; in a URL, characters such as space, quotes, <, >, {, }, | and ^ are percent-encoded";

	@Override
	public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) throws Exception {
		super.write(context,
				(message instanceof FullHttpResponse response && isBare(response)) ? explained(response) : message,
				promise);
	}

	private static boolean isBare(FullHttpResponse response) {
		return response.status().code() >= FIRST_ERROR && !response.content().isReadable();
	}

	private static FullHttpResponse explained(FullHttpResponse response) {
		int code = response.status().code();
		Answer answer = Answer.of(
				Errors.error(Refusal.GATEWAY, code, DETAILS.getOrDefault(code, (code < FIRST_DEFECT) ? ELSE : DEFECT)),
				Map.of());
		FullHttpResponse explained = response.replace(Unpooled.wrappedBuffer(answer.body()));
		response.release();
		explained.headers()
			.set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON)
			.set(HttpHeaderNames.CONTENT_LENGTH, answer.body().length);
		return explained;
	}

}
