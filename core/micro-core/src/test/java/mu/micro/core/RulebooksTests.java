package mu.micro.core;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import mu.micro.Subscription;
import mu.micro.auth.Resource;
import mu.micro.auth.Rule;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RulebooksTests {

	private static final Resource CALLED = new Resource(Resource.SERVICE, "helloworld", "Helloworld.Call");

	private final Set<String> watched = ConcurrentHashMap.newKeySet();

	private final AtomicLong nanoTime = new AtomicLong();

	private final Rulebooks books = new Rulebooks(new Rulebooks.Source() {

		@Override
		public List<Rule> list(String namespace) {
			return List.of();
		}

		@Override
		public Subscription watch(String namespace, Runnable changed) {
			RulebooksTests.this.watched.add(namespace);
			return () -> RulebooksTests.this.watched.remove(namespace);
		}

	}, this.nanoTime::incrementAndGet);

	@Test
	void theRulesOfTheNamespacesThatWereAskedForLastAreHeld() {
		this.books.decide("first", null, CALLED);
		for (int i = 0; i < Rulebooks.NAMESPACES - 1; i++) {
			this.books.decide("namespace-" + i, null, CALLED);
		}
		assertThat(this.watched).hasSize(Rulebooks.NAMESPACES);
		this.books.decide("first", null, CALLED);
		this.books.decide("another", null, CALLED);
		assertThat(this.watched).hasSize(Rulebooks.NAMESPACES)
			.contains("first", "another")
			.doesNotContain("namespace-0");
	}

	@Test
	void closingEndsTheWatches() {
		this.books.decide("first", null, CALLED);
		this.books.close();
		assertThat(this.watched).isEmpty();
	}

}
