package mu.micro.samples.notes;

import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

import io.grpc.stub.StreamObserver;
import mu.micro.config.Config;
import mu.micro.config.Json;
import mu.micro.spring.LeaderOnly;
import mu.micro.spring.MicroService;
import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.context.config.annotation.RefreshScope;
import org.springframework.context.annotation.Bean;
import org.springframework.scheduling.annotation.EnableScheduling;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/**
 * Keeps notes that all instances share, and has one of them remind of them in words that
 * can be changed while it runs.
 */
@SpringBootApplication
@EnableScheduling
public class NotesApplication {

	public static void main(String[] args) {
		SpringApplication.run(NotesApplication.class, args);
	}

	/**
	 * What the command line asks for: {@code --add=TEXT} keeps a note,
	 * {@code --greet=TEXT} changes the words of the reminder.
	 * @param notes the notes
	 * @param config the settings
	 * @return does it at the start
	 */
	@Bean
	ApplicationRunner commandLine(Notes notes, Config config) {
		return (arguments) -> {
			values(arguments, "add").forEach((text) -> notes.save(new Note(null, text)));
			values(arguments, "greet").forEach((text) -> config.set("notes.greeting", Json.of(text), false));
		};
	}

	private static List<String> values(ApplicationArguments arguments, String option) {
		List<String> values = arguments.getOptionValues(option);
		return (values != null) ? values : List.of();
	}

	/**
	 * The words of the reminder, made anew when they change.
	 */
	@Component
	@RefreshScope
	static class Greeting {

		private final String text;

		Greeting(@Value("${notes.greeting}") String text) {
			this.text = text;
		}

		String text() {
			return this.text;
		}

	}

	/**
	 * Reminds of the notes, on one instance.
	 */
	@Component
	static class Reminder {

		private static final Log logger = LogFactory.getLog(Reminder.class);

		private final Notes notes;

		private final Greeting greeting;

		private String last = "";

		Reminder(Notes notes, Greeting greeting) {
			this.notes = notes;
			this.greeting = greeting;
		}

		@Scheduled(fixedDelay = 500)
		@LeaderOnly("notes-reminder")
		void remind() {
			String texts = this.notes.findByTextStartingWithOrderByText("")
				.stream()
				.map(Note::text)
				.collect(Collectors.joining(", "));
			String reminder = this.greeting.text() + ": " + ((texts.isEmpty()) ? "nothing yet" : texts);
			if (!reminder.equals(this.last)) {
				logger.info(reminder);
				this.last = reminder;
			}
		}

	}

	/**
	 * The notes as a service.
	 */
	@MicroService("notes")
	static class NotesService extends NotesGrpc.NotesImplBase {

		private final Notes notes;

		NotesService(Notes notes) {
			this.notes = notes;
		}

		@Override
		public void add(AddRequest request, StreamObserver<AddResponse> response) {
			Note saved = this.notes.save(new Note(null, request.getText()));
			response.onNext(AddResponse.newBuilder().setId(Objects.requireNonNull(saved.id())).build());
			response.onCompleted();
		}

		@Override
		public void list(ListRequest request, StreamObserver<ListResponse> response) {
			ListResponse.Builder texts = ListResponse.newBuilder();
			this.notes.findByTextStartingWithOrderByText(request.getText())
				.forEach((note) -> texts.addTexts(note.text()));
			response.onNext(texts.build());
			response.onCompleted();
		}

	}

}
