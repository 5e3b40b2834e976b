package mu.micro.core;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.config.Config;
import mu.micro.config.Json;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class JsonTextTests {

	@Test
	void whatIsReadIsWrittenTheSame() {
		for (String text : List.of("{}", "[]", "null", "true", "false", "\"\"", "0", "-1", "1.10",
				"9223372036854775808", "0.1000", "1E+1000", "1E-1000", "9".repeat(1000),
				"{\"a\":{\"b\":[1,\"x\",null,{\"a.b\":[]}],\"c\":true}}",
				"\"<a href='x'>&</a> ü 😀 \\\\ \\\" \\n \\u0000\"")) {
			assertThat(JsonText.write(JsonText.parse(text))).isEqualTo(text);
		}
	}

	@Test
	void whiteSpaceOrderAndEscapesDoNotMatter() {
		assertThat(JsonText.write(JsonText.parse(" {\n\"b\" : 1e3,\t\"a\" : \"\\u00fc\\/\\ud83d\\ude00\" } \r\n")))
			.isEqualTo("{\"a\":\"ü/😀\",\"b\":1E+3}");
		assertThat(JsonText.parse("{\"a\":1,\"b\":2}")).isEqualTo(JsonText.parse("{\"b\":2,\"a\":1}"));
		assertThat(JsonText.parse("1")).isNotEqualTo(JsonText.parse("1.0"));
		assertThat(JsonText.parse("-0")).isEqualTo(Json.of(new BigDecimal("0")));
	}

	@Test
	void whatIsNoJsonIsRefusedAndNotQuoted() {
		for (String text : List.of("", " ", "hunter2", "\"hunter2", "{\"hunter2\"", "{\"a\":hunter2}",
				"[\"hunter2\" 1]", "[\"hunter2\"", "\"hunter2\" 1", "{} hunter2", "{\"hunter2\":1,\"hunter2\":2}",
				"{a:\"hunter2\"}", "'hunter2'", "[\"hunter2\",]", "\"hunter2\n\"", "\"hunter2\\x\"",
				"\"hunter2\\ud83d\"", "\"hunter2\\ude00x\"", "NaN", "+1", "01", ".5", "1.", "0x1", "/* hunter2 */ 1",
				"// hunter2\n1", "\uFEFF1", "]", "}", ":", ",", "1E+1001", "1E-1001", "1E+99999999999", "1e2147483648",
				"9".repeat(1001), "0." + "9".repeat(1001))) {
			assertThatExceptionOfType(MicroException.Invalid.class).as(text)
				.isThrownBy(() -> JsonText.parse(text))
				.satisfies((ex) -> {
					for (Throwable cause = ex; cause != null; cause = cause.getCause()) {
						assertThat(cause.toString()).doesNotContain("hunter");
					}
				});
		}
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> JsonText.parse("{\n \"a\": nil}"))
			.withMessageContaining("line 2");
	}

	@Test
	void sizeAndDepthHaveLimits() {
		assertThat(JsonText.parse("\"" + "x".repeat(Limits.VALUE - 2) + "\"")).isInstanceOf(Json.Text.class);
		assertThatExceptionOfType(MicroException.Invalid.class)
			.isThrownBy(() -> JsonText.parse("\"" + "x".repeat(Limits.VALUE - 1) + "\""))
			.withMessageContaining(Integer.toString(Limits.VALUE));
		String deepest = "[".repeat(Config.DEPTH) + "]".repeat(Config.DEPTH);
		assertThat(JsonText.write(JsonText.parse(deepest))).isEqualTo(deepest);
		for (String deeper : List.of("[" + deepest + "]", "{\"a\":" + deepest + "}", "[".repeat(100_000),
				"{\"a\":".repeat(100_000))) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> JsonText.parse(deeper))
				.withMessageContaining(Integer.toString(Config.DEPTH));
		}
		Json bottomless = Json.of(1);
		for (int i = 0; i < 50_000; i++) {
			bottomless = (i % 2 == 0) ? Json.of(List.of(bottomless)) : Json.of(Map.of("a", bottomless));
		}
		Json deep = bottomless;
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> JsonText.write(deep))
			.withMessageContaining(Integer.toString(Config.DEPTH));
	}

}
