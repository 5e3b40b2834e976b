package mu.micro.gateway;

import mu.micro.MicroException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class RouteTests {

	@ParameterizedTest
	@CsvSource({ "/foo, foo, Foo.Call", "/foo/bar, foo, Foo.Bar", "/foo/bar/baz, foo, Bar.Baz",
			"/foo/bar/baz-xyz, foo, Bar.BazXyz", "/foo/bar/baz/cat, foo.bar, Baz.Cat",
			"/foo/fooBar/bazCat, foo, FooBar.BazCat", "/v1/foo/bar, v1.foo, Foo.Bar",
			"/v1/foo/bar/baz, v1.foo, Bar.Baz", "/v1/foo/bar/baz/cat, v1.foo.bar, Baz.Cat" })
	void followsTheTableOfVersion3(String path, String service, String endpoint) {
		assertThat(Route.of(path)).isEqualTo(new Route(service, endpoint));
	}

	@ParameterizedTest
	@CsvSource({ "/v1/foo, v1.foo, Foo.Call", "/v1, v1, V1.Call", "/v1x/foo, v1x, V1x.Foo",
			"/order-service, order-service, OrderService.Call",
			"/order-service/place, order-service, OrderService.Place", "/foo.bar/baz, foo.bar, Bar.Baz",
			"/registry/listServices, registry, Registry.ListServices" })
	void extendsTheTableInItsSpirit(String path, String service, String endpoint) {
		assertThat(Route.of(path)).isEqualTo(new Route(service, endpoint));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/foo/bar/", "//foo/bar", "/foo//bar", "/foo/bar///", "foo/bar" })
	void countsNoEmptyParts(String path) {
		assertThat(Route.of(path)).isEqualTo(new Route("foo", "Foo.Bar"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "/", "///" })
	void hasNoRouteForTheRoot(String path) {
		assertThat(Route.of(path)).isNull();
	}

	@ParameterizedTest
	@CsvSource({ "/f%6Fo/bar, foo, Foo.Bar", "/foo%2Dbar, foo-bar, FooBar.Call", "/a%2Fb/c, a/b, A/b.C",
			"/gr%C3%BC%C3%9Fe/%C3%A4pfel, grüße, Grüße.Äpfel", "/a+b, a+b, A+b.Call", "/%E5%91%BD, 命, 命.Call",
			"/foo/--x-, foo, Foo.X", "/.., .., .Call" })
	void decodesParts(String path, String service, String endpoint) {
		assertThat(Route.of(path)).isEqualTo(new Route(service, endpoint));
	}

	@Test
	void readsBytesThatNobodyEncodedAsUtf8() {
		String asBytes = "/gr\u00c3\u00bc\u00c3\u009fe";
		assertThat(Route.of(asBytes)).isEqualTo(new Route("grüße", "Grüße.Call"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/%", "/foo/%2", "/%zz", "/%C3", "/%C3%28", "/%ED%A0%80", "/\u547d", "/gr\u00fc\u00df" })
	void refusesWrongEncoding(String path) {
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Route.of(path))
			.withMessageContaining("percent-encoded UTF-8");
	}

	@Test
	void refusesAServiceNameOverItsLimit() {
		assertThat(Route.of("/" + "x".repeat(200))).isNotNull();
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Route.of("/" + "x".repeat(201)))
			.withMessageContaining("200 code points");
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Route.of("/x".repeat(4000)))
			.withMessageContaining("200 code points");
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Route.of("/%00"))
			.withMessageContaining("control character");
		assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> Route.of("/%20"))
			.withMessageContaining("blank");
	}

}
