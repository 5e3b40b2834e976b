package mu.micro.spring.messaging;

import org.springframework.messaging.converter.MessageConversionException;

/**
 * A listener is not called, because the message cannot be read as what it takes: nor will
 * it be the next time.
 */
final class UnreadableException extends MessageConversionException {

	UnreadableException(MessageConversionException cause) {
		super(String.valueOf(cause.getMessage()), cause);
	}

}
