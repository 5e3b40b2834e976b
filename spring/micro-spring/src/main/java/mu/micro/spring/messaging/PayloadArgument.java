package mu.micro.spring.messaging;

import org.springframework.core.MethodParameter;
import org.springframework.messaging.Message;
import org.springframework.messaging.converter.MessageConversionException;
import org.springframework.messaging.handler.invocation.HandlerMethodArgumentResolver;

/**
 * The payload for any parameter that is left over. An empty body is a payload too: a
 * protobuf message of nothing but defaults has one.
 */
record PayloadArgument(Payloads payloads) implements HandlerMethodArgumentResolver {

	@Override
	public boolean supportsParameter(MethodParameter parameter) {
		return true;
	}

	@Override
	public Object resolveArgument(MethodParameter parameter, Message<?> message) {
		try {
			return this.payloads.read(message, parameter.getParameterType(), parameter);
		}
		catch (MessageConversionException ex) {
			throw new UnreadableException(ex);
		}
	}

}
