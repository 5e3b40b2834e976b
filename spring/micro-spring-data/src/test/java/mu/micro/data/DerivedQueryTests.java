package mu.micro.data;

import java.time.Clock;
import java.util.List;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Databases;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A query that reads the whole table says so.
 */
class DerivedQueryTests extends DataContract {

	private final Logger logger = (Logger) LoggerFactory.getLogger(DerivedQuery.class);

	private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

	private @Nullable MemoryDatabases first;

	@Override
	Databases open(Clock time) {
		if (this.first != null) {
			return new MemoryDatabases(this.first);
		}
		this.first = new MemoryDatabases(time);
		return this.first;
	}

	@BeforeEach
	void listen() {
		this.appender.start();
		this.logger.addAppender(this.appender);
	}

	@AfterEach
	void stopListening() {
		this.logger.detachAppender(this.appender);
	}

	@Test
	void aQueryThatScansSaysSoOnce() {
		Notes notes = repository(Notes.class);
		notes.findByTextContaining("a");
		notes.findByTextContaining("b");
		notes.findByTitleIgnoreCase("a");
		notes.countByText("a");
		assertThat(told()).hasSize(3)
			.allMatch((message) -> message.contains("@Indexed"))
			.anyMatch((message) -> message.startsWith("findByTextContaining "))
			.anyMatch((message) -> message.startsWith("findByTitleIgnoreCase "))
			.anyMatch((message) -> message.startsWith("countByText "));
	}

	@Test
	void aQueryThatUsesAnIndexOrWantsEverythingIsSilent() {
		Notes notes = repository(Notes.class);
		notes.findByTitleAndDone("a", true);
		notes.findByIdIn(List.of("1"));
		notes.findTop3ByOrderByPriorityDescTitleAsc();
		notes.findAll();
		notes.findByTitleStartingWith("a");
		assertThat(told()).isEmpty();
	}

	private List<String> told() {
		return this.appender.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
	}

}
