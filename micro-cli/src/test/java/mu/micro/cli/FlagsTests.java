package mu.micro.cli;

import java.util.List;
import java.util.stream.Stream;

import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.grpc.ServerServiceDefinition;
import mu.micro.cli.helloworld.Everything;
import mu.micro.cli.helloworld.HelloworldGrpc;
import mu.micro.grpc.Json;
import mu.micro.grpc.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class FlagsTests {

	private final Schema schema = Schema
		.of(List.of(ServerServiceDefinition.builder(HelloworldGrpc.getServiceDescriptor())
			.addMethod(HelloworldGrpc.getCallMethod(), (call, headers) -> null)
			.addMethod(HelloworldGrpc.getStreamMethod(), (call, headers) -> null)
			.addMethod(HelloworldGrpc.getChatMethod(), (call, headers) -> null)
			.addMethod(HelloworldGrpc.getCollectMethod(), (call, headers) -> null)
			.addMethod(HelloworldGrpc.getEchoMethod(), (call, headers) -> null)
			.addMethod(HelloworldGrpc.getFailWithMethod(), (call, headers) -> null)
			.build()));

	private final Flags flags = new Flags(this.schema, Everything.getDescriptor());

	static Stream<Arguments> good() {
		return Stream.of(good("{}"),
				// Both ways to write a value, and what values may hold.
				good("{'name':'Jane'}", "--name=Jane"), good("{'name':'Jane'}", "--name", "Jane"),
				good("{'name':'a=b=c'}", "--name=a=b=c"), good("{'name':'a=b'}", "--name", "a=b"),
				good("{'name':'=x'}", "--name==x"), good("{'name':'-x'}", "--name", "-x"),
				good("{'name':'--x'}", "--name=--x"),
				good("{'name':'two words, and a comma'}", "--name", "two words, and a comma"),
				good("{'name':'é😀\\n'}", "--name=é😀\n"), good("{}", "--name="),
				good("{'nickname':''}", "--nickname="), good("{'name':'{}'}", "--name={}"),
				// Names with underscores, hyphens, and as JSON spells them.
				good("{'firstName':'x'}", "--first_name=x"), good("{'firstName':'x'}", "--first-name=x"),
				good("{'firstName':'x'}", "--firstName=x"), good("{'firstName':'x'}", "--FIRST_NAME=x"),
				// Booleans.
				good("{'loud':true}", "--loud"), good("{'loud':true}", "--loud=true"), good("{}", "--loud=false"),
				good("{}", "--loud", "false"), good("{'loud':true}", "--loud", "TRUE"),
				good("{'name':'x','loud':true}", "--loud", "--name", "x"),
				good("{'bits':[true,false,true]}", "--bits", "--bits=false,true"),
				// Numbers to their limits.
				good("{'i32':-3}", "--i32", "-3"),
				good("{'i32':-2147483648,'s32':2147483647}", "--i32=-2147483648", "--s32=2147483647"),
				good("{'u32':4294967295,'f32':4294967295}", "--u32=4294967295", "--f32", "4294967295"),
				good("{'i64':'9223372036854775807','s64':'-9223372036854775808'}", "--i64=9223372036854775807", "--s64",
						"-9223372036854775808"),
				good("{'u64':'18446744073709551615','f64':'9007199254740993'}", "--u64=18446744073709551615",
						"--f64=9007199254740993"),
				good("{'single':-1.5,'precise':1.0E-10}", "--single", "-1.5", "--precise=1e-10"),
				good("{'single':'NaN','precise':'-Infinity'}", "--single=NaN", "--precise", "-Infinity"),
				// Bytes and enums.
				good("{'data':'aGk/Pj4='}", "--data=aGk/Pj4="), good("{'data':'aGk/Pj4='}", "--data=aGk_Pj4"),
				good("{'color':'RED'}", "--color=RED"), good("{'color':'DARK_BLUE'}", "--color=dark-blue"),
				// Lists.
				good("{'tags':['a','b','c']}", "--tags=a,b", "--tags", "c"),
				good("{'tags':['a,b','[']}", "--tags=[\"a,b\",\"[\"]"), good("{'tags':['a','','b']}", "--tags=a,,b"),
				good("{}", "--tags="),
				good("{'numbers':['-1','9223372036854775807']}", "--numbers", "-1,9223372036854775807"),
				good("{'numbers':['9223372036854775807','1']}", "--numbers=[9223372036854775807,\"1\"]"),
				good("{'colors':['RED','NONE']}", "--colors=RED,NONE"),
				good("{'blobs':['aGk=','aG8=']}", "--blobs=aGk=,aG8="),
				good("{'items':[{'domain':'a'},{'ttl':'1'}]}", "--items={\"domain\":\"a\"}", "--items", "{\"ttl\":1}"),
				good("{'items':[{'domain':'a'},{'ttl':'1'}]}", "--items=[{\"domain\":\"a\"},{\"ttl\":\"1\"}]"),
				// Maps.
				good("{'labels':{'a':'1','b':'x=y'}}", "--labels=a=1,b=x=y"),
				good("{'labels':{'a':'1','b':'2'}}", "--labels", "a=1", "--labels", "b=2"),
				good("{'labels':{'a':'1,2'}}", "--labels=a=1,2"), good("{'labels':{'a':''}}", "--labels=a="),
				good("{'labels':{'a':'1','b':'2,c=3'}}", "--labels={\"a\":\"1\",\"b\":\"2,c=3\"}"),
				good("{'counts':{'-1':'9223372036854775807'}}", "--counts=-1=9223372036854775807"),
				good("{'counts':{'1':'2'}}", "--counts={\"1\":2}"),
				good("{'domains':{'x':{'ttl':'5'}}}", "--domains=x={\"ttl\":5}"),
				// Nested fields.
				good("{'options':{'domain':'x'}}", "--options.domain=x"),
				good("{'options':{'domain':'x'}}", "--options_domain=x"),
				good("{'options':{'domain':'x','ttl':'7'}}", "--options-domain=x", "--options.ttl", "7"),
				good("{'options':{'limits':{'maxSize':3}}}", "--options.limits.max_size=3"),
				good("{'options':{'limits':{'maxSize':3}}}", "--options-limits-max-size=3"),
				good("{'options':{'limits':{'maxSize':3}}}", "--options_limits.maxSize=3"),
				good("{'options':{'domain':'x','ttl':'2'}}", "--options={\"domain\":\"x\"}", "--options.ttl=2"),
				good("{'optionsTtl':'x'}", "--options_ttl=x"), good("{'optionsTtl':'x'}", "--options-ttl=x"),
				good("{'a':{'bC':'x'}}", "--a.b_c=x"), good("{'aB':{'c':'x'}}", "--a_b.c=x"),
				good("{'self':{'self':{'name':'x'}}}", "--self.self.name=x"),
				// Choices.
				good("{'text':''}", "--text="),
				good("{'choice':{'domain':'x','ttl':'1'}}", "--choice.domain=x", "--choice.ttl=1"),
				// Well-known types.
				good("{'at':'2026-01-31T12:00:00Z'}", "--at=2026-01-31T12:00:00Z"),
				good("{'at':'2026-01-31T12:00:00Z'}", "--at=\"2026-01-31T12:00:00Z\""),
				good("{'wait':'1.500s'}", "--wait", "1.5s"), good("{'wait':'-3s'}", "--wait", "-3s"),
				good("{'waits':['1s','2s']}", "--waits=1s", "--waits=2s"),
				good("{'maybe':'9223372036854775807'}", "--maybe=9223372036854775807"),
				good("{'maybeText':'1'}", "--maybe_text=1"),
				good("{'free':{'a':[1.0,null]}}", "--free={\"a\":[1,null]}"));
	}

	private static Arguments good(String json, String... args) {
		return Arguments.of(List.of(args), json.replace('\'', '"'));
	}

	@ParameterizedTest
	@MethodSource("good")
	void flagsBecomeAMessage(List<String> args, String json) throws InvalidProtocolBufferException {
		DynamicMessage message = this.flags.parse(args);
		Everything.Builder expected = Everything.newBuilder();
		JsonFormat.parser().merge(json, expected);
		assertThat(Everything.parseFrom(message.toByteString())).isEqualTo(expected.build());
		assertThat(Json.print(this.schema, message, false)).isEqualTo(json);
	}

	static Stream<Arguments> bad() {
		return Stream.of(bad("Unknown flag --nam, did you mean --name? There are --name, --loud, ", "--nam=x"),
				bad("Unknown flag --options.zone", "--options.zone=x"), bad("Unknown flag --labels.a", "--labels.a=x"),
				bad("Unknown flag --zzzzzzzz; there are --name", "--zzzzzzzz"),
				bad("'Jane' is no flag: flags are written --name=value or --name value.", "Jane"),
				bad("'-name' is no flag", "-name", "x"), bad("'--' is no flag", "--"),
				bad("'x' is no flag", "--name", "Jane", "x"), bad("--name needs a value: string", "--name"),
				bad("--name needs a value: string", "--name", "--loud"),
				bad("--name is given twice, but it takes one value.", "--name=x", "--name=y"),
				bad("--first-name is given twice", "--first_name=x", "--first-name=y"),
				bad("--loud is given twice", "--loud", "--loud"), bad("--loud wants bool, not 'yes'.", "--loud=yes"),
				bad("--i32 wants int32, not 'x'.", "--i32=x"),
				bad("--i32 wants int32, not '2147483648'.", "--i32=2147483648"),
				bad("--i32 wants int32, not '1.5'.", "--i32=1.5"), bad("--i32 wants int32, not ''.", "--i32="),
				bad("--u32 wants uint32, not '-1'.", "--u32", "-1"), bad("--u64 wants uint64, not '-1'.", "--u64=-1"),
				bad("--i64 wants int64, not '9223372036854775808'.", "--i64=9223372036854775808"),
				bad("--u64 wants uint64, not '18446744073709551616'.", "--u64=18446744073709551616"),
				bad("--single wants float, not '1e40'.", "--single=1e40"),
				bad("--precise wants double, not '1d'.", "--precise=1d"),
				bad("--data wants bytes in base64, not '%%%'.", "--data=%%%"),
				bad("--color wants NONE|RED|DARK_BLUE, not 'GREEN'.", "--color=GREEN"),
				bad("--color wants NONE|RED|DARK_BLUE, not '1'.", "--color=1"),
				bad("--numbers wants list of int64, parted by commas or as JSON, not 'x'.", "--numbers=1,x"),
				bad("--numbers wants list of int64", "--numbers=[1,{}]"),
				bad("--tags wants list of string", "--tags=[a,b]"),
				bad("--items wants list of JSON of helloworld.Options", "--items=x"),
				bad("--labels wants map of string to string, as JSON or key=value, not 'x'.", "--labels=x"),
				bad("--labels wants map", "--labels={\"a\":{}}"),
				bad("--labels wants map", "--labels={\"a\":\"1\"},\"name\":\"x\""),
				bad("--labels has the key 'a' twice.", "--labels=a=1,a=2"),
				bad("--labels has the key 'a' twice.", "--labels=a=1", "--labels=a=2"),
				bad("--counts wants map of int32 to int64", "--counts=x=1"),
				bad("--options wants JSON of helloworld.Options, not 'x'.", "--options=x"),
				bad("--options wants JSON of helloworld.Options", "--options={\"zone\":1}"),
				bad("--a_b_c can mean --a.b_c or --a_b.c: write the one you mean, with dots.", "--a_b_c=x"),
				bad("--number and --text exclude each other: kind is one of them.", "--text=x", "--number=1"),
				bad("--choice.domain and --text exclude each other", "--text=x", "--choice.domain=1"),
				bad("--at wants time such as 2026-01-31T12:00:00Z, not 'now'.", "--at=now"),
				bad("--wait wants duration such as 1.5s, not '5'.", "--wait=5"),
				bad("--maybe wants int64, not 'x'.", "--maybe=x"));
	}

	private static Arguments bad(String message, String... args) {
		return Arguments.of(List.of(args), message);
	}

	@ParameterizedTest
	@MethodSource("bad")
	void aWrongFlagIsNamedWithWhatItWants(List<String> args, String message) {
		assertThatExceptionOfType(Failure.class).isThrownBy(() -> this.flags.parse(args))
			.withMessageStartingWith(message)
			.satisfies((ex) -> assertThat(ex.code()).isEqualTo(1));
	}

	@Test
	void allFlagsAreListedWithTheirTypes() {
		assertThat(this.flags.known()).containsEntry("--name", "string")
			.containsEntry("--i64", "int64")
			.containsEntry("--s32", "int32")
			.containsEntry("--color", "NONE|RED|DARK_BLUE")
			.containsEntry("--tags", "list of string")
			.containsEntry("--counts", "map of int32 to int64")
			.containsEntry("--options.domain", "string")
			.containsEntry("--options.limits.max_size", "int32")
			.containsEntry("--at", "time such as 2026-01-31T12:00:00Z")
			.containsEntry("--maybe", "int64")
			.containsEntry("--self", "JSON of helloworld.Everything")
			.doesNotContainKey("--options");
	}

}
