package mu.micro.auth;

import mu.micro.MicroException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class ResourceTests {

	@ParameterizedTest
	@ValueSource(strings = { "service:helloworld:Helloworld.Call", "web:site:/a/b", "web:site:/", "web:site:/a/",
			"*:*:*", "web:site:/a:b/*", "core:store:Store.Read" })
	void isReadAsItIsWritten(String text) {
		assertThat(Resource.parse(text)).hasToString(text);
	}

	@ParameterizedTest
	@ValueSource(strings = { "service:helloworld", "helloworld", "", "::", "service::Helloworld.Call", "service:a: ",
			"service:a:b\nc" })
	void whatIsNoResourceIsRefused(String text) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Resource.parse(text));
	}

	@ParameterizedTest
	@ValueSource(strings = { "//a", "/a//b", "/./a", "/a/..", "/../a", "/a/../b", "/%61", "/a%2eb", "/a%2Fb", "/a\\b",
			"/a.", "/a./b", "/a /b", "/a ", "/a/...", "/a\u0000" })
	void aPathThatIsNotCanonicalIsRefused(String path) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> new Resource("web", "site", path));
	}

}
