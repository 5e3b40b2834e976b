package mu.micro.core;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

import mu.micro.MicroException;
import mu.micro.auth.Access;
import mu.micro.auth.Resource;
import mu.micro.auth.Rule;
import mu.micro.auth.Rules;
import mu.micro.memory.MemoryDatabases;
import mu.micro.store.Write;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class StoreRulesFailureTests {

	private static final Resource CALLED = new Resource(Resource.SERVICE, "helloworld", "Helloworld.Call");

	private static final Rule RULE = new Rule("rule", Rule.EVERYBODY, CALLED, Access.GRANTED, 0);

	private final MemoryDatabases databases = new MemoryDatabases();

	private final TroubledDatabases troubled = new TroubledDatabases(new MemoryDatabases(this.databases));

	private final AtomicLong nanoTime = new AtomicLong(System.nanoTime());

	private final StoreRules scoped = new StoreRules(this.troubled, this.nanoTime::get);

	private final Rules rules = this.scoped.in("here");

	private final StoreRules elsewhere = new StoreRules(this.databases);

	@AfterEach
	void close() {
		this.scoped.close();
		this.elsewhere.close();
		this.troubled.close();
		this.databases.close();
	}

	@Test
	void aDecisionAsksTheStoreOnce() {
		this.rules.add(RULE);
		assertThat(granted()).isTrue();
		int reads = this.troubled.reads.get();
		for (int i = 0; i < 1000; i++) {
			assertThat(granted()).isTrue();
		}
		assertThat(this.troubled.reads).hasValue(reads);
	}

	@Test
	void withoutTheStoreThereIsNoDecisionAtFirst() {
		this.elsewhere.in("here").add(RULE);
		this.troubled.away(true);
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(this::granted)
			.withMessageContainingAll("'here'", "away on purpose");
		this.troubled.away(false);
		assertThat(granted()).isTrue();
	}

	@Test
	void whileTheStoreIsAwayDecisionsGoOnForAMinute() {
		this.rules.add(RULE);
		assertThat(granted()).isTrue();
		this.troubled.away(true);
		pass(Duration.ofSeconds(Rules.STALE_SECONDS));
		assertThat(granted()).isTrue();
		pass(Duration.ofNanos(1));
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(this::granted);
		this.troubled.away(false);
		assertThat(granted()).isTrue();
	}

	@Test
	void aChangeThatWasNotToldIsSeenAfterTenSeconds() {
		this.rules.add(RULE);
		this.troubled.deaf();
		assertThat(granted()).isTrue();
		this.elsewhere.in("here").remove(RULE.id());
		assertThat(granted()).isTrue();
		pass(Duration.ofSeconds(11));
		Awaitility.await().until(() -> !granted());
	}

	@Test
	void aChangeThatCouldNotBeReadIsReadLater() {
		this.rules.add(RULE);
		assertThat(granted()).isTrue();
		int reads = this.troubled.reads.get();
		this.troubled.onRead = () -> {
			throw new MicroException.Unavailable("on purpose");
		};
		this.elsewhere.in("here").remove(RULE.id());
		Awaitility.await().until(() -> this.troubled.reads.get() > reads);
		assertThat(granted()).isTrue();
		this.troubled.onRead = () -> {
		};
		Awaitility.await().until(() -> {
			pass(Duration.ofSeconds(2));
			return !granted();
		});
	}

	@Test
	void aRuleThatCannotBeReadDeniesAllAndIsNamed() {
		this.rules.add(RULE);
		this.databases.in(StoreRules.DATABASE + "here")
			.table(StoreRules.TABLE)
			.put(Write.put("strange", "{\"scope\":1}".getBytes(StandardCharsets.UTF_8)));
		assertThatExceptionOfType(MicroException.Unavailable.class).isThrownBy(this::granted)
			.withMessageContainingAll("'strange'", "remove it");
		assertThatExceptionOfType(MicroException.Internal.class).isThrownBy(this.rules::list)
			.withMessageContaining("'strange'");
		assertThat(this.rules.remove("strange")).isTrue();
		assertThat(granted()).isTrue();
	}

	@Test
	void oneRuleTooManyIsRefused() {
		for (int i = 0; i < Rules.RULES; i++) {
			this.rules.add(new Rule("rule-" + i, Rule.EVERYBODY, CALLED, Access.GRANTED, 0));
		}
		assertThatExceptionOfType(MicroException.Exhausted.class).isThrownBy(() -> this.rules.add(RULE))
			.withMessageContainingAll("'here'", Integer.toString(Rules.RULES));
	}

	private boolean granted() {
		return this.rules.decide(null, CALLED).granted();
	}

	private void pass(Duration time) {
		this.nanoTime.addAndGet(time.toNanos());
	}

}
