package mu.micro.core;

import java.util.List;

import mu.micro.auth.Access;
import mu.micro.auth.Decision;
import mu.micro.auth.Resource;
import mu.micro.auth.Rule;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RulebookTests {

	@Test
	void aDecisionIsMadeOnce() {
		Rulebook book = new Rulebook("here",
				List.of(new Rule("rule", Rule.EVERYBODY, Resource.parse("web:site:/*"), Access.GRANTED, 0)));
		Decision decision = book.decide(null, Resource.parse("web:site:/page"));
		assertThat(book.decide(null, Resource.parse("web:site:/page"))).isSameAs(decision);
	}

	@Test
	void whatWasDecidedIsHeldWithinABound() {
		Rulebook book = new Rulebook("here", List.of());
		Decision first = book.decide(null, Resource.parse("web:site:/page"));
		for (int i = 0; i < 10_000; i++) {
			book.decide(null, Resource.parse("web:site:/page/" + i));
		}
		assertThat(book.decide(null, Resource.parse("web:site:/page"))).isEqualTo(first).isNotSameAs(first);
	}

}
