package mu.micro.autoconfigure;

import java.util.Arrays;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;

class ProviderTypeTests {

	@ParameterizedTest
	@MethodSource
	void eachProviderComesFromARoomThatIsThere(ProviderType type) {
		assertThat(ProviderType.present("micro.test.type", type, getClass().getClassLoader())).isSameAs(type);
	}

	static Stream<ProviderType> eachProviderComesFromARoomThatIsThere() {
		return Stream
			.<ProviderType[]>of(RegistryType.values(), StoreType.values(), BlobType.values(), ConfigType.values(),
					SyncType.values(), BrokerType.values(), EventsType.values())
			.flatMap(Arrays::stream);
	}

}
