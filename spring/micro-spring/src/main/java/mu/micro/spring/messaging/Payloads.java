package mu.micro.spring.messaging;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

import com.google.protobuf.util.JsonFormat;
import mu.micro.Message;
import mu.micro.MicroException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.messaging.MessageHeaders;
import org.springframework.messaging.converter.ByteArrayMessageConverter;
import org.springframework.messaging.converter.CompositeMessageConverter;
import org.springframework.messaging.converter.JacksonJsonMessageConverter;
import org.springframework.messaging.converter.MessageConversionException;
import org.springframework.messaging.converter.ProtobufJsonFormatMessageConverter;
import org.springframework.messaging.converter.ProtobufMessageConverter;
import org.springframework.messaging.converter.SmartMessageConverter;
import org.springframework.messaging.converter.StringMessageConverter;
import org.springframework.messaging.support.GenericMessage;
import org.springframework.util.InvalidMimeTypeException;
import org.springframework.util.MimeType;
import org.springframework.util.MimeTypeUtils;

/**
 * What messages say as objects, and objects as messages.
 * <p>
 * A {@code String} is {@code text/plain} in UTF-8, a {@code byte[]} is
 * {@code application/octet-stream}, a protobuf message its bytes as
 * {@code application/protobuf}, and all else {@code application/json}, unless a header
 * {@code content-type} says otherwise.
 * <p>
 * Messages are CloudEvents 1.0 in binary content mode: their headers {@code ce-*} hold
 * the attributes, {@code content-type} is {@code datacontenttype}.
 */
public final class Payloads {

	/**
	 * The header with the version of CloudEvents.
	 */
	public static final String CE_SPECVERSION = "ce-specversion";

	/**
	 * The header that tells a CloudEvent from others of its source: the message's id.
	 */
	public static final String CE_ID = "ce-id";

	/**
	 * The header that says where a CloudEvent comes from: the application's name as a
	 * path.
	 */
	public static final String CE_SOURCE = "ce-source";

	/**
	 * The header that says what happened: the name of the payload's class.
	 */
	public static final String CE_TYPE = "ce-type";

	/**
	 * The header that says when a CloudEvent was made.
	 */
	public static final String CE_TIME = "ce-time";

	private static final String PROTOBUF = "protobuf";

	private final String source;

	private final SmartMessageConverter converter;

	/**
	 * Converts by content types.
	 * @param application the application's name
	 * @param json reads and writes JSON
	 */
	public Payloads(String application, JsonMapper json) {
		this.source = path(application);
		this.converter = converter(json);
	}

	private static String path(String application) {
		try {
			return new URI(null, null, "/" + application, null).toASCIIString();
		}
		catch (URISyntaxException ex) {
			throw new MicroException.Invalid("the application's name '" + application + "' makes no path", ex);
		}
	}

	private static SmartMessageConverter converter(JsonMapper json) {
		ByteArrayMessageConverter bytes = new ByteArrayMessageConverter();
		bytes.setContentTypeResolver((headers) -> null);
		StringMessageConverter text = new StringMessageConverter();
		text.setContentTypeResolver(Payloads::textType);
		ProtobufMessageConverter protobuf = new ProtobufJsonFormatMessageConverter(
				JsonFormat.parser().ignoringUnknownFields(), JsonFormat.printer());
		protobuf.setContentTypeResolver(Payloads::protobufType);
		JacksonJsonMessageConverter objects = new JacksonJsonMessageConverter(json);
		objects.setContentTypeResolver(Payloads::type);
		return new CompositeMessageConverter(List.of(bytes, text, protobuf, objects));
	}

	private static @Nullable MimeType type(@Nullable MessageHeaders headers) {
		Object type = (headers != null) ? headers.get(Message.CONTENT_TYPE) : null;
		return (type != null) ? MimeTypeUtils.parseMimeType(type.toString()) : null;
	}

	/*
	 * A text is had from whatever the body is; only its characters are of interest.
	 */
	private static @Nullable MimeType textType(@Nullable MessageHeaders headers) {
		MimeType type = type(headers);
		return (type != null && type.getCharset() != null) ? new MimeType(MimeTypeUtils.TEXT_PLAIN, type.getCharset())
				: null;
	}

	/*
	 * The converter knows the unregistered name only.
	 */
	private static @Nullable MimeType protobufType(@Nullable MessageHeaders headers) {
		MimeType type = type(headers);
		return (type != null && (type.getSubtype().equals(PROTOBUF) || PROTOBUF.equals(type.getSubtypeSuffix())))
				? ProtobufMessageConverter.PROTOBUF : type;
	}

	/**
	 * Makes a message with an id of its own.
	 * @param payload what it says; a {@link Message} is taken as it is
	 * @return the message
	 * @throws MicroException.Invalid if it is over a limit
	 */
	public Message write(Object payload) {
		return write(payload, Map.of());
	}

	/**
	 * Makes a message with an id of its own.
	 * @param payload what it says; a {@link Message} is taken as it is, with those
	 * headers that it does not have
	 * @param headers what is said about it; attributes of CloudEvents are added where
	 * they are not given
	 * @return the message
	 * @throws MicroException.Invalid if it is over a limit, or the payload cannot be
	 * written as the {@code content-type} that is given
	 */
	public Message write(Object payload, Map<String, String> headers) {
		return write(payload, (payload instanceof Message message) ? message.id() : UUID.randomUUID().toString(),
				headers);
	}

	/**
	 * Makes a message.
	 * @param payload what it says; a {@link Message} is taken as it is, with those
	 * headers that it does not have, and under another id it has that as a CloudEvent too
	 * @param id what tells it from others
	 * @param headers what is said about it; attributes of CloudEvents are added where
	 * they are not given
	 * @return the message
	 * @throws MicroException.Invalid if it is over a limit, or the payload cannot be
	 * written as the {@code content-type} that is given
	 */
	public Message write(Object payload, String id, Map<String, String> headers) {
		Map<String, String> all = new HashMap<>(headers);
		if (payload instanceof Message message) {
			all.putAll(message.headers());
			if (message.headers().containsKey(CE_ID) && !id.equals(message.id())) {
				all.put(CE_ID, id);
			}
			return new Message(id, all, message.body());
		}
		all.putIfAbsent(Message.CONTENT_TYPE, defaultType(payload));
		all.putIfAbsent(CE_SPECVERSION, "1.0");
		all.putIfAbsent(CE_ID, id);
		all.putIfAbsent(CE_SOURCE, this.source);
		all.putIfAbsent(CE_TYPE, payload.getClass().getTypeName());
		all.putIfAbsent(CE_TIME, Instant.now().truncatedTo(ChronoUnit.MILLIS).toString());
		return new Message(id, all, body(payload, all));
	}

	private static String defaultType(Object payload) {
		if (payload instanceof String) {
			return MimeTypeUtils.TEXT_PLAIN_VALUE;
		}
		if (payload instanceof byte[]) {
			return MimeTypeUtils.APPLICATION_OCTET_STREAM_VALUE;
		}
		return (payload instanceof com.google.protobuf.Message) ? "application/protobuf"
				: MimeTypeUtils.APPLICATION_JSON_VALUE;
	}

	private byte[] body(Object payload, Map<String, String> headers) {
		try {
			org.springframework.messaging.Message<?> message = this.converter.toMessage(payload, new Headers(headers));
			if (message != null) {
				// The converter of protobuf makes JSON a text.
				return (message.getPayload() instanceof String text) ? text.getBytes(StandardCharsets.UTF_8)
						: (byte[]) message.getPayload();
			}
		}
		catch (InvalidMimeTypeException | MessageConversionException ex) {
			throw new MicroException.Invalid(unwritable(payload, headers) + ": " + ex.getMessage(), ex);
		}
		throw new MicroException.Invalid(unwritable(payload, headers));
	}

	private static String unwritable(Object payload, Map<String, String> headers) {
		return "a " + payload.getClass().getTypeName() + " cannot be written as " + headers.get(Message.CONTENT_TYPE);
	}

	/**
	 * Reads what a message says.
	 * @param <T> what it is read as
	 * @param message the message
	 * @param type what to read it as
	 * @return the payload
	 * @throws MessageConversionException if the body, being what its {@code content-type}
	 * says, cannot be read as that
	 */
	public <T> T read(Message message, Class<T> type) {
		return type.cast(read(message(message, message.headers()), type, null));
	}

	/**
	 * Reads what a message says.
	 * @param message the message
	 * @param type what to read it as
	 * @param hint more about the type, as Spring has it
	 * @return the payload
	 */
	Object read(org.springframework.messaging.Message<?> message, Class<?> type, @Nullable Object hint) {
		Object contentType = message.getHeaders().get(Message.CONTENT_TYPE);
		String problem = "a body "
				+ ((contentType != null) ? "of content type '" + contentType + "'" : "without content type")
				+ " cannot be read as " + type.getName();
		try {
			Object payload = this.converter.fromMessage(message, type, hint);
			if (payload != null) {
				return payload;
			}
		}
		catch (InvalidMimeTypeException | MessageConversionException ex) {
			throw new MessageConversionException(problem + ": " + ex.getMessage(), ex);
		}
		throw new MessageConversionException(problem);
	}

	/**
	 * A message as Spring has it.
	 * @param message the message
	 * @param headers its headers
	 * @return the same
	 */
	org.springframework.messaging.Message<byte[]> message(Message message, Map<String, String> headers) {
		return new GenericMessage<>(message.body(), new Headers(headers));
	}

	/**
	 * Headers, with nothing added to them and nothing taken away: not those that Spring
	 * has another meaning for either.
	 */
	private static final class Headers extends MessageHeaders {

		Headers(Map<String, String> headers) {
			super(Map.of(), ID_VALUE_NONE, -1L);
			getRawHeaders().putAll(headers);
		}

	}

}
