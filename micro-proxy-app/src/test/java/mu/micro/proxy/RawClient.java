package mu.micro.proxy;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.codec.http2.Http2StreamFrame;
import io.netty.util.ReferenceCountUtil;

/**
 * Speaks HTTP/2 as no gRPC client would.
 */
final class RawClient implements AutoCloseable {

	private final MultiThreadIoEventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

	private final Channel connection;

	RawClient(int port) throws Exception {
		this.connection = new Bootstrap().group(this.loop)
			.channel(NioSocketChannel.class)
			.handler(new ChannelInitializer<>() {

				@Override
				protected void initChannel(Channel channel) {
					channel.pipeline()
						.addLast(Http2FrameCodecBuilder.forClient().build(),
								new Http2MultiplexHandler(new ChannelInitializer<>() {

									@Override
									protected void initChannel(Channel stream) {
									}

								}));
				}

			})
			.connect("127.0.0.1", port)
			.sync()
			.channel();
	}

	boolean connected() {
		return this.connection.isActive();
	}

	private Http2StreamChannel open(String contentType, String path, CompletableFuture<Http2Headers> answer,
			String... headers) throws Exception {
		Http2StreamChannel stream = new Http2StreamChannelBootstrap(this.connection)
			.handler(new SimpleChannelInboundHandler<Http2StreamFrame>() {

				@Override
				protected void channelRead0(ChannelHandlerContext context, Http2StreamFrame frame) {
					if (frame instanceof Http2HeadersFrame headers && headers.isEndStream()) {
						answer.complete(headers.headers());
					}
				}

				@Override
				public void userEventTriggered(ChannelHandlerContext context, Object event) {
					if (event instanceof Http2ResetFrame reset) {
						answer.completeExceptionally(new IOException("reset with " + reset.errorCode()));
					}
					ReferenceCountUtil.release(event);
				}

			})
			.open()
			.get(5, TimeUnit.SECONDS);
		Http2Headers all = new DefaultHttp2Headers().method("POST")
			.scheme("http")
			.authority("localhost")
			.path(path)
			.add("te", "trailers")
			.add("content-type", contentType);
		for (int i = 0; i < headers.length; i += 2) {
			all.add(headers[i], headers[i + 1]);
		}
		stream.writeAndFlush(new DefaultHttp2HeadersFrame(all));
		return stream;
	}

	/**
	 * Makes a call with an empty message.
	 * @param contentType its content type
	 * @param path its path
	 * @param headers names and values of more headers
	 * @return the trailers
	 */
	Http2Headers call(String contentType, String path, String... headers) throws Exception {
		CompletableFuture<Http2Headers> answer = new CompletableFuture<>();
		open(contentType, path, answer, headers)
			.writeAndFlush(new DefaultHttp2DataFrame(Unpooled.wrappedBuffer(new byte[5]), true));
		return answer.get(10, TimeUnit.SECONDS);
	}

	/**
	 * Opens streams and resets each at once, as fast as they can be written.
	 * @param path what is called
	 * @param times how many, fewer if the connection is closed meanwhile
	 */
	void callAndReset(String path, int times) throws Exception {
		this.connection.eventLoop().submit(() -> {
			for (int i = 0; i < times && connected(); i++) {
				open("application/grpc", path, new CompletableFuture<>())
					.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.CANCEL));
			}
			return null;
		}).get(10, TimeUnit.SECONDS);
	}

	@Override
	public void close() throws Exception {
		this.connection.close().sync();
		this.loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
	}

}
