package mu.micro.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

import com.sun.net.httpserver.HttpServer;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import mu.micro.grpc.Schema;
import mu.micro.wire.registry.Service;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class MicroTests {

	private static Stage stage;

	@BeforeAll
	static void start() throws IOException {
		stage = new Stage();
	}

	@AfterAll
	static void stop() throws InterruptedException {
		stage.close();
	}

	@Test
	void servicesAreListedSorted() {
		assertThat(stage.micro("services")).isEqualTo(new Stage.Ran(0, "helloworld\nregistry\n", ""));
		assertThat(stage.micro("services", "--output", "json").out()).isEqualTo("[\"helloworld\",\"registry\"]\n");
		assertThat(stage.micro("--output=json", "services").out()).isEqualTo("[\"helloworld\",\"registry\"]\n");
	}

	@Test
	void aServiceIsShownWithItsNodes() {
		Stage.Ran ran = stage.micro("get", "service", "helloworld");
		assertThat(ran.code()).isZero();
		assertThat(ran.out()).startsWith("service  helloworld\n\nversion  latest\n\nID   ADDRESS")
			.contains("h-1  127.0.0.1:" + stage.port() + "  zone=here\n");
		assertThat(ran.out()).contains(
				"\nEndpoint: Helloworld.Call\n\nRequest: {\n\tname string\n}\n\nResponse: {\n" + "\tmsg string\n}\n");
		assertThat(stage.micro("get", "service", "helloworld", "--output=json").out())
			.startsWith("[{\"name\":\"helloworld\",\"version\":\"latest\",\"nodes\":[{\"id\":\"h-1\"");
	}

	@ParameterizedTest
	@CsvSource({ "--name=Jane", "call --name=Jane", "call --name Jane", "Helloworld call --name Jane",
			"helloworld Call --name=Jane", "Helloworld.Call --name=Jane" })
	void aServiceIsACommand(String args) {
		assertThat(stage.micro(("helloworld " + args).split(" ")))
			.isEqualTo(new Stage.Ran(0, "{\"msg\":\"Hello Jane\"}\n", ""));
		assertThat(stage.header("micro-service")).isEqualTo("helloworld");
	}

	@Test
	void threeWordsNameTheSecondOfItsGrpcServices() {
		assertThat(stage.micro("helloworld", "people", "list-all", "--name", "John").out())
			.isEqualTo("{\"msg\":\"Jane, John\"}\n");
		assertThat(stage.micro("helloworld", "People", "ListAll").out()).isEqualTo("{\"msg\":\"Jane, \"}\n");
	}

	@Test
	void aServerStreamIsPrintedMessageByMessage() {
		assertThat(stage.micro("helloworld", "stream", "--count", "3").lines()).containsExactly("{\"msg\":\"Hello 1\"}",
				"{\"msg\":\"Hello 2\"}", "{\"msg\":\"Hello 3\"}");
		assertThat(stage.micro("stream", "helloworld", "Helloworld.Stream", "{\"count\":2}").lines()).hasSize(2);
		assertThat(stage.micro("stream", "helloworld", "Helloworld.Call", "{\"name\":\"x\"}").out())
			.isEqualTo("{\"msg\":\"Hello x\"}\n");
	}

	@Test
	void aStreamThatFailsPrintsWhatCameBefore() {
		Stage.Ran ran = stage.micro("helloworld", "stream", "--count", "-1");
		assertThat(ran).isEqualTo(new Stage.Ran(127, "", "The count is negative.\n"));
	}

	@Test
	void streamsOfRequestsAreReadFromStandardInput() {
		InputStream in = Stage.lines("{\"name\":\"a\"}", "", "{\"name\":\"b\"}");
		assertThat(stage.micro(in, "helloworld", "collect").out()).isEqualTo("{\"msg\":\"ab\"}\n");
		in = Stage.lines("{\"name\":\"a\"}", "{\"name\":\"b\"}");
		assertThat(stage.micro(in, "stream", "helloworld", "Helloworld.Chat").lines())
			.containsExactly("{\"msg\":\"Hello a\"}", "{\"msg\":\"Hello b\"}");
		assertThat(stage.micro("helloworld", "chat", "--name=c").out()).isEqualTo("{\"msg\":\"Hello c\"}\n");
	}

	@Test
	void aWrongLineOfAStreamIsNamed() {
		Stage.Ran ran = stage.micro(Stage.lines("{\"name\":\"a\"}", "{\"nam\":\"b\"}"), "helloworld", "collect");
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.err())
			.isEqualTo("Line 2 of standard input: unknown field 'nam': helloworld.Request has name.\n");
		ran = stage.micro(Stage.lines("{\"name\":\"a\"}", "{\"name\""), "helloworld", "collect");
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.err())
			.startsWith("Line 2 of standard input: the request is malformed JSON at column 8: Unexpected");
	}

	@Test
	void callTakesJsonFromTheLineAFileAndStandardInput(@TempDir Path folder) throws IOException {
		String json = "{\"name\":\"Jane\"}";
		Path file = Files.writeString(folder.resolve("request.json"), json);
		String answer = "{\"msg\":\"Hello Jane\"}\n";
		assertThat(stage.micro("call", "helloworld", "Helloworld.Call", json).out()).isEqualTo(answer);
		assertThat(stage.micro("call", "helloworld", "helloworld.Helloworld.Call", "@" + file).out()).isEqualTo(answer);
		assertThat(stage.micro(Stage.lines(json), "call", "helloworld", "Helloworld.Call", "-").out())
			.isEqualTo(answer);
		assertThat(stage.micro("call", "helloworld", "Helloworld.Call").out()).isEqualTo("{\"msg\":\"Hello \"}\n");
		assertThat(stage.micro("call", "helloworld", "Debug.Health").out()).isEqualTo("{\"status\":\"ok\"}\n");
		Stage.Ran gone = stage.micro("call", "helloworld", "Helloworld.Call", "@" + file + "x");
		assertThat(gone.code()).isEqualTo(1);
		assertThat(gone.err()).startsWith("Cannot read '@" + file + "x'").hasLineCount(1);
	}

	@Test
	void malformedJsonIsToldWithItsPlace() {
		assertThat(stage.micro("call", "helloworld", "Helloworld.Call", "{\"name\":\"Jane\"")).isEqualTo(new Stage.Ran(
				1, "",
				"The request is malformed JSON at column 15: Unexpected end-of-input: expected close marker for Object.\n"));
		assertThat(stage.micro("call", "helloworld", "Helloworld.Call", "{\n\"name\":}").err())
			.startsWith("The request is malformed JSON at line 2, column 8: Unexpected character ('}'");
	}

	@Test
	void callRefusesWhatStreams() {
		Stage.Ran ran = stage.micro("call", "helloworld", "Helloworld.Stream");
		assertThat(ran).isEqualTo(new Stage.Ran(1, "",
				"Helloworld.Stream of 'helloworld' streams: use 'micro stream helloworld Helloworld.Stream'.\n"));
	}

	@Test
	void shortAnswersStandOnOneLineAndLongOnesAreIndented() {
		assertThat(stage.micro("helloworld", "--name=it's <b> & é").out())
			.isEqualTo("{\"msg\":\"Hello it's <b> & é\"}\n");
		String longest = "x".repeat(64);
		assertThat(stage.micro("helloworld", "--name=" + longest).lines()).hasSize(1);
		assertThat(stage.micro("helloworld", "--name=x" + longest).lines()).containsExactly("{",
				"  \"msg\": \"Hello x" + longest + "\"", "}");
		assertThat(stage.micro("helloworld", "--name=x" + longest, "--output", "json").lines()).hasSize(1);
	}

	@Test
	void integersArriveWithoutLoss() {
		assertThat(stage.micro("helloworld", "echo", "--i64=9007199254740993", "--u64=18446744073709551615").out())
			.isEqualTo("{\"i64\":\"9007199254740993\",\"u64\":\"18446744073709551615\"}\n");
	}

	@Test
	void aFlagOfTheServiceWinsOverAnOptionBehindIt() {
		assertThat(stage.micro("helloworld", "echo", "--output", "x").out()).isEqualTo("{\"output\":\"x\"}\n");
		assertThat(stage.micro("--output", "json", "helloworld", "echo", "--output", "x").out())
			.isEqualTo("{\"output\":\"x\"}\n");
	}

	@Test
	void metadataTravelsWithTheCall() {
		stage.micro("helloworld", "--name=x", "--metadata", "key=a=b");
		assertThat(stage.header("key")).isEqualTo("a=b");
		stage.micro("call", "--metadata=one=1", "--metadata", "two=2", "helloworld", "Helloworld.Call");
		assertThat(stage.header("one") + stage.header("two")).isEqualTo("12");
	}

	@Test
	void aServiceHasHelpPages() {
		for (String[] args : new String[][] { { "helloworld" }, { "helloworld", "--help" },
				{ "help", "helloworld" } }) {
			Stage.Ran ran = stage.micro(args);
			assertThat(ran.code()).isZero();
			assertThat(ran.out()).startsWith("Usage: micro helloworld [COMMAND] [--FLAG VALUE]...\n")
				.contains("version latest, 1 node")
				.containsPattern("\n  call +Helloworld.Call +--name\n")
				.containsPattern("\n  people list-all +People.ListAll +--name\n");
		}
		Stage.Ran ran = stage.micro("helloworld", "stream", "--help");
		assertThat(ran.out()).startsWith("Usage: micro helloworld stream [--FLAG VALUE]...\n")
			.contains("  --count  int64\n")
			.contains("Returns a stream, each message on a line:\n  msg  string\n");
		assertThat(stage.micro("help", "helloworld", "stream").out()).isEqualTo(ran.out());
	}

	@Test
	void theValueOfAFlagIsNoCallForHelp() {
		assertThat(stage.micro("helloworld", "--name", "-h").out()).isEqualTo("{\"msg\":\"Hello -h\"}\n");
		assertThat(stage.micro("helloworld", "call", "--name", "-h").out()).isEqualTo("{\"msg\":\"Hello -h\"}\n");
		assertThat(stage.micro("helloworld", "--metadata", "-h").code()).isEqualTo(1);
		for (String args : List.of("call -h", "call --name -h --help", "call --name x -h", "call --name=x -h",
				"call --nope -h", "call --output json -h")) {
			assertThat(stage.micro(("helloworld " + args).split(" ")).out())
				.startsWith("Usage: micro helloworld call [--FLAG VALUE]...\n");
		}
		assertThat(stage.micro("helloworld", "echo", "--loud", "-h").out()).startsWith("Usage: micro helloworld echo");
		for (String args : List.of("-h", "--name x -h", "--nope -h", "--stacktrace -h", "--name -h --help")) {
			assertThat(stage.micro(("helloworld " + args).split(" ")).out())
				.startsWith("Usage: micro helloworld [COMMAND] [--FLAG VALUE]...\n");
		}
	}

	@Test
	void nothingFromElsewhereSteersTheTerminal() {
		assertThat(stage.micro("helloworld", "--name=a\u001b[31m\u007f\u0085\u009b31m").out())
			.isEqualTo("{\"msg\":\"Hello a\\u001b[31m\\u007f\\u0085\\u009b31m\"}\n");
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		Terminal terminal = new Terminal(Options.of(Map.of()), Map.of(), InputStream.nullInputStream(),
				new PrintStream(out, true, StandardCharsets.UTF_8), System.err);
		Service service = Service.newBuilder().setName("x").setVersion("1\u001b[31m\u009b2").build();
		new Usage(terminal, "x", Schema.of(List.of()), List.of(service)).service();
		assertThat(out.toString(StandardCharsets.UTF_8)).contains("version 1 [31m 2, 0 nodes");
	}

	@Test
	void onlyACallThatOutlivedItsOwnDeadlineIsToldToWaitLonger() {
		try (Proxy proxy = new Proxy(Options.of(stage.environment()))) {
			StatusRuntimeException late = Status.DEADLINE_EXCEEDED.withDescription("too late").asRuntimeException();
			assertThat(proxy.failure("x", null, late)).hasMessage("Too late.");
			assertThat(proxy.failure("x", Deadline.after(1, TimeUnit.HOURS), late)).hasMessage("Too late.");
			assertThat(proxy.failure("x", Deadline.after(-1, TimeUnit.NANOSECONDS), late))
				.hasMessageStartingWith("The service 'x' did not answer within 10 s: try again");
		}
	}

	@Test
	void builtInCommandsCannotBeChanged() {
		assertThatExceptionOfType(UnsupportedOperationException.class).isThrownBy(() -> Commands.ALL.put("x", "y"));
	}

	@Test
	void healthIsToldForEachInstance() {
		Stage.Ran ran = stage.micro("debug", "health", "helloworld");
		assertThat(ran.code()).isZero();
		assertThat(ran.out()).startsWith("service  helloworld\n\nversion  latest\n\nID   ADDRESS")
			.contains("h-1  127.0.0.1:" + stage.port() + "  ok\n");
		assertThat(stage.header("micro-instance")).isEqualTo("h-1");
		assertThat(stage.micro("debug", "health", "helloworld", "--output=json").out())
			.endsWith("\"node\":\"h-1\",\"address\":\"127.0.0.1:" + stage.port() + "\",\"status\":\"ok\"}]\n");
	}

	@Test
	void statisticsAreToldForEachInstanceOfEachService() {
		Stage.Ran ran = stage.micro("debug", "stats", "helloworld", "registry");
		assertThat(ran.code()).isZero();
		assertThat(ran.lines()).filteredOn((line) -> line.startsWith("ID"))
			.hasSize(2)
			.allMatch((line) -> line.matches("ID +ADDRESS +STARTED +UPTIME +MEMORY +THREADS +GC +REQUESTS +ERRORS"));
		assertThat(ran.out()).contains("service  helloworld\n").contains("service  registry\n").contains("mb");
		assertThat(stage.headers("micro-instance")).contains("h-1", "r-1");
		assertThat(stage.micro("debug", "stats", "helloworld", "--output=json").out()).contains("\"requests\":")
			.contains("\"uptime\":");
	}

	@Test
	void anUnknownServiceExitsWith4() {
		for (String[] args : new String[][] { { "get", "service", "nope" }, { "call", "nope", "Nope.Call" },
				{ "stream", "nope", "Nope.Call" }, { "debug", "health", "nope" }, { "debug", "stats", "nope" } }) {
			assertThat(stage.micro(args)).isEqualTo(
					new Stage.Ran(4, "", "No service 'nope' is running; see those that are with 'micro services'.\n"));
		}
		assertThat(stage.micro("servces")).isEqualTo(new Stage.Ran(4, "",
				"'servces' is neither a command of micro nor a running service; did you mean 'services'?"
						+ " See 'micro help' and 'micro services'.\n"));
		assertThat(stage.micro("nope", "call", "--x=1").err()).startsWith("'nope' is neither a command");
	}

	@Test
	void anUnknownEndpointExitsWith5() {
		Stage.Ran ran = stage.micro("call", "helloworld", "Helloworld.Nope");
		assertThat(ran.code()).isEqualTo(5);
		assertThat(ran.err()).startsWith("The service 'helloworld' has no endpoint 'Helloworld.Nope'; it has call, ");
		assertThat(stage.micro("helloworld", "nope").code()).isEqualTo(5);
		assertThat(stage.micro("helloworld", "people", "nope", "--name=x").code()).isEqualTo(5);
		assertThat(stage.micro("helloworld", "people", "echo").code()).isEqualTo(5);
	}

	@Test
	void aValueWithoutAFlagIsToldHowToBeWritten() {
		assertThat(stage.micro("helloworld", "call", "Jane")).isEqualTo(
				new Stage.Ran(5, "", "The service 'helloworld' has no endpoint 'call Jane': values go by flag, such as"
						+ " 'micro helloworld call --name Jane'.\n"));
		assertThat(stage.micro("helloworld", "people", "list-all", "Jane").err())
			.contains("such as 'micro helloworld people list-all --name Jane'");
		assertThat(stage.micro("helloworld", "fail-with", "Jane Doe").err())
			.contains("such as 'micro helloworld fail-with --code \"Jane Doe\"'");
	}

	@Test
	void anEndpointWrittenWrongExitsWith3() {
		for (String endpoint : List.of("Call", ".Call", "Helloworld.", "")) {
			Stage.Ran ran = stage.micro("call", "helloworld", endpoint);
			assertThat(ran.code()).isEqualTo(3);
			assertThat(ran.err()).endsWith("write it as Service.Method, such as Helloworld.Call.\n").hasLineCount(1);
		}
	}

	@Test
	void anAnswerThatDoesNotComeExitsWith1() {
		assertThat(stage.micro("helloworld", "--name=nobody", "--request_timeout=300ms")).isEqualTo(new Stage.Ran(1, "",
				"The service 'helloworld' did not answer within 300 ms: try again, or give it longer with"
						+ " --request_timeout.\n"));
		assertThat(stage
			.micro("call", "--request-timeout", "200ms", "helloworld", "Helloworld.Call", "{\"name\":\"nobody\"}")
			.code()).isEqualTo(1);
	}

	@ParameterizedTest
	@CsvSource({ "3,127", "5,127", "6,127", "7,2", "8,127", "12,5", "13,127", "14,4", "16,2", "4,1" })
	void whatAServiceAnswersDecidesTheExitCode(int status, int code) {
		Stage.Ran ran = stage.micro("helloworld", "fail-with", "--code=" + status, "--detail=too late");
		assertThat(ran.code()).isEqualTo(code);
		assertThat(ran.err()).hasLineCount(1);
		assertThat(ran.err()).endsWith("oo late.\n").matches("(?s)[A-Z].*");
	}

	@Test
	void aWrongProxyInTheEnvironmentIsNamedAndHarmsNoCommandThatNeedsNone() {
		for (String command : new String[] { "version", "--help", "help", "completion" }) {
			assertThat(with(Map.of("MICRO_PROXY", "::nonsense"), command).code()).isZero();
		}
		for (String[] args : new String[][] { { "services" }, { "debug", "stats", "x" }, { "x" } }) {
			assertThat(with(Map.of("MICRO_PROXY", "::nonsense"), args)).isEqualTo(new Stage.Ran(1, "",
					"MICRO_PROXY in the environment: The proxy's address '::nonsense' is wrong: write it as host:port,"
							+ " such as 127.0.0.1:8081.\n"));
		}
		assertThat(with(Map.of("MICRO_PROXY", "::nonsense"), "services", "--proxy_address=127.0.0.1:" + stage.port())
			.code()).isZero();
	}

	@Test
	void completionTakesTheNamesOfServicesAsData(@TempDir Path directory) throws Exception {
		Path touched = directory.resolve("touched");
		Path script = Files.writeString(directory.resolve("complete"), with(Map.of(), "completion").out() + """

				micro() { printf '%s\\n' '$(touch TOUCHED)' helloworld 'hello there'; }
				COMP_WORDS=(micro hel) COMP_CWORD=1
				_complete_micro_services
				printf '%s\\n' "${COMPREPLY[@]}"
				COMP_WORDS=(micro '') COMP_CWORD=1
				_complete_micro_services
				""".replace("TOUCHED", touched.toString()));
		Process bash = new ProcessBuilder("bash", script.toString()).redirectErrorStream(true).start();
		String output = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		assertThat(output.lines()).contains("help", "helloworld", "hello\\ there");
		assertThat(touched).doesNotExist();
	}

	private static Stage.Ran with(Map<String, String> environment, String... args) {
		ByteArrayOutputStream out = new ByteArrayOutputStream();
		ByteArrayOutputStream err = new ByteArrayOutputStream();
		int code = new Micro(environment, InputStream.nullInputStream(),
				new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8))
			.run(args);
		return new Stage.Ran(code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
	}

	@Test
	void aProxyThatIsNotThereExitsWith4() throws IOException {
		int free;
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			free = socket.getLocalPort();
		}
		String address = "127.0.0.1:" + free;
		String expected = "Cannot reach Micro at " + address
				+ ": start it with 'micro server', or say where it is with --proxy_address.\n";
		for (String[] args : new String[][] { { "services" }, { "get", "service", "x" }, { "x", "--name=y" },
				{ "call", "x", "X.Call" }, { "debug", "stats", "x" } }) {
			String[] all = new String[args.length + 1];
			System.arraycopy(args, 0, all, 0, args.length);
			all[args.length] = "--proxy_address=" + address;
			assertThat(stage.micro(all)).isEqualTo(new Stage.Ran(4, "", expected));
		}
		// An address that is none is looked up nowhere.
		assertThat(stage.micro("--proxy-address", "[1::zz]:1", "services").err())
			.startsWith("The host '1::zz' is unknown");
	}

	@Test
	void whatAnswersAndIsNoProxyIsNamed() throws IOException {
		HttpServer web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		web.start();
		try {
			String address = "127.0.0.1:" + web.getAddress().getPort();
			String expected = "What answers at " + address
					+ " is no proxy of Micro: unless set otherwise the proxy is at"
					+ " port 8081, and the gateway at 8080; say where the proxy is with --proxy_address.\n";
			for (String command : List.of("services", "get service x", "x --name=y", "stream x X.Call", "debug stats x",
					"store list", "store write k v", "events publish t x", "broker subscribe t")) {
				assertThat(with(Map.of("MICRO_PROXY", address), command.split(" ")))
					.isEqualTo(new Stage.Ran(4, "", expected));
			}
		}
		finally {
			web.stop(0);
		}
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
			--nope | Unknown option: '--nope'; see 'micro help'.
			services --nope | Unknown option: '--nope'; see 'micro help services'.
			services extra | Unmatched argument at index 1: 'extra'; see 'micro help services'.
			call helloworld | Missing required parameter: 'ENDPOINT'; see 'micro help call'.
			get | 'micro get' wants one more word; see 'micro help get'.
			debug stats | Missing required parameter: 'SERVICE'; see 'micro help debug stats'.
			services --output=xml | --output is 'text' or 'json', not 'xml'.
			help get nope | 'micro get' has no command 'nope'.
			completion fish | There is completion for bash and zsh, not for 'fish'.
			get helloworld | 'micro get' has no command 'helloworld'; did you mean 'micro get service helloworld'? See
			get servce helloworld | 'micro get' has no command 'servce'; did you mean 'service'? See 'micro help get'.
			call helloworld Helloworld.Call [] | The request is not a JSON object; send one, as in {"name":"Jane"}.
			call helloworld Helloworld.Call {"nme":1} | Unknown field 'nme': helloworld.Request has name.
			call helloworld Helloworld.Echo {"i64":"x"} | Field 'i64': Not an int64 value: "x".
			""")
	void wrongUseExitsWith1AndSaysWhatIsRight(String args, String message) {
		Stage.Ran ran = stage.micro(args.split(" "));
		assertThat(ran.err()).startsWith(message).hasLineCount(1);
		assertThat(ran.code()).isEqualTo(1);
		assertThat(ran.out()).isEmpty();
	}

	@Test
	void noCommandIsWrongUse() {
		assertThat(stage.micro()).isEqualTo(new Stage.Ran(1, "", "No command is given; see 'micro help'.\n"));
	}

	@Test
	void helpAndVersionNeedNoServer() {
		Stage.Ran help = stage.micro("help");
		assertThat(help.code()).isZero();
		assertThat(help.lines()).allMatch((line) -> line.length() <= 80);
		Commands.ALL.keySet().forEach((name) -> assertThat(help.out()).contains("  " + name + " "));
		assertThat(help.out()).contains("--proxy_address").contains("Exit codes:").doesNotContain("stacktrace");
		assertThat(stage.micro("--help").out()).isEqualTo(help.out());
		assertThat(stage.micro("help", "call").out()).contains("micro call [OPTIONS] SERVICE ENDPOINT [JSON]")
			.isEqualTo(stage.micro("call", "--help").out());
		assertThat(stage.micro("help", "debug", "stats").out()).contains("micro debug stats [OPTIONS] SERVICE...");
		assertThat(stage.micro("server", "--help").out()).startsWith("Usage: micro server [SETTING...]\n")
			.contains("--micro.gateway.port=8080 ")
			.doesNotContain("--proxy_address", "--output", "--request_timeout", "--metadata")
			.isEqualTo(stage.micro("help", "server").out());
		assertThat(stage.micro("server", "--help").lines()).allMatch((line) -> line.length() <= 80);
		assertThat(stage.micro("version").out()).startsWith("micro version ");
		assertThat(stage.micro("--version").out()).isEqualTo(stage.micro("version").out());
		assertThat(stage.micro("version", "--output=json").out()).startsWith("{\"version\":");
	}

	@Test
	void whereAnErrorCameFromIsShownOnRequestOnly() {
		assertThat(stage.micro("services", "--stacktrace", "--output=x").err()).contains("\tat ");
		assertThat(stage.micro("services", "--output=x").err()).doesNotContain("\tat ");
	}

	@Test
	void theCompletionScriptIsOneThatBashReads(@TempDir Path folder) throws Exception {
		Path script = Files.writeString(folder.resolve("micro.sh"), stage.micro("completion").out());
		Path program = Files.writeString(folder.resolve("micro"), "#!/bin/sh\necho helloworld\n");
		assertThat(program.toFile().setExecutable(true)).isTrue();
		Process bash = new ProcessBuilder("bash", "-c",
				"source " + script + "; complete() { COMP_WORDS=(" + program
						+ " \"$@\"); COMP_CWORD=$#; _complete_micro_services; echo \"${COMPREPLY[*]}\"; };"
						+ "complete he; complete get service ''; complete call hello; complete debug he; complete se;"
						+ " complete store re; complete lock r; complete config s")
			.redirectError(ProcessBuilder.Redirect.DISCARD)
			.start();
		assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList())
			.containsExactly("help helloworld", "helloworld", "helloworld", "health", "server services", "read restore",
					"run", "set");
		assertThat(bash.waitFor()).isZero();
	}

	@Test
	void endpointsAreCompleted(@TempDir Path folder) throws Exception {
		Path script = Files.writeString(folder.resolve("micro.sh"), stage.micro("completion").out());
		Path page = Files.writeString(folder.resolve("page"), stage.micro("helloworld", "--help").out());
		Path program = Files.writeString(folder.resolve("micro"),
				"#!/bin/sh\n[ \"$1 $2\" = 'helloworld --help' ] && cat " + page + "\n");
		assertThat(program.toFile().setExecutable(true)).isTrue();
		Process bash = new ProcessBuilder("bash", "-c",
				"source " + script + "; complete() { COMP_WORDS=(" + program
						+ " \"$@\"); COMP_CWORD=$#; _complete_micro_services; echo \"${COMPREPLY[*]}\"; };"
						+ "complete helloworld ''; complete helloworld c; complete helloworld people '';"
						+ " complete helloworld people l; complete nope ''; complete helloworld call --na")
			.redirectError(ProcessBuilder.Redirect.DISCARD)
			.start();
		assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines().toList())
			.containsExactly("call stream chat collect echo fail-with people", "call chat collect", "list-all echo",
					"list-all", "", "");
		assertThat(bash.waitFor()).isZero();
	}

	@Test
	void anExecutableOnThePathIsACommand(@TempDir Path folder) throws IOException {
		Path plugin = Files.writeString(folder.resolve("micro-hi"),
				"#!/bin/sh\necho \"$MICRO_PROXY $*\" > \"$OUT\"\nexit 7\n");
		assertThat(plugin.toFile().setExecutable(true)).isTrue();
		Path out = folder.resolve("out");
		stage.environment().put("PATH", ":relative:/no/such/folder:" + folder);
		stage.environment().put("OUT", out.toString());
		try {
			assertThat(stage.micro("--proxy_address=h:1", "hi", "--name", "x", "--help").code()).isEqualTo(7);
			assertThat(out).hasContent("h:1 --name x --help");
			assertThat(stage.micro("../micro-hi").code()).isEqualTo(4);
		}
		finally {
			stage.environment().remove("PATH");
			stage.environment().remove("OUT");
		}
	}

	@Test
	void trainingRunsCommandsThatSucceed() throws IOException {
		assertThat(Training.run()).isZero();
	}

	@Test
	void theServerIsRunFromTheDistribution(@TempDir Path home) throws IOException {
		Path jar = Files.createDirectories(home.resolve("apps")).resolve("micro-server-app.jar");
		Path out = home.resolve("out");
		String previous = System.getProperty("micro.home");
		System.setProperty("micro.home", home.toString());
		try {
			for (String wrong : List.of("foo", "--micro.gateway.port 1", "-x")) {
				String word = wrong.substring(wrong.lastIndexOf(' ') + 1);
				assertThat(stage.micro(("server " + wrong).split(" ")))
					.isEqualTo(new Stage.Ran(1, "", "The server takes settings such as --micro.gateway.port=8090, not '"
							+ word + "'; see 'micro help server'.\n"));
			}
			Stage.Ran gone = stage.micro("server");
			assertThat(gone.code()).isEqualTo(128);
			assertThat(gone.err()).startsWith("The server is not there; looked for " + jar + ": ").hasLineCount(1);
			Manifest manifest = new Manifest();
			manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
			manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, ServerProgram.class.getName());
			String name = ServerProgram.class.getName().replace('.', '/') + ".class";
			try (JarOutputStream write = new JarOutputStream(Files.newOutputStream(jar), manifest);
					InputStream read = ServerProgram.class.getClassLoader().getResourceAsStream(name)) {
				write.putNextEntry(new JarEntry(name));
				read.transferTo(write);
			}
			assertThat(stage.micro("server", "--out=" + out, "--micro.gateway.port=0").code()).isEqualTo(9);
			assertThat(out).hasContent("--micro.gateway.port=0");
		}
		finally {
			if (previous != null) {
				System.setProperty("micro.home", previous);
			}
			else {
				System.clearProperty("micro.home");
			}
		}
	}

}
