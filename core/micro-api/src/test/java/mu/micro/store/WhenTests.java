package mu.micro.store;

import mu.micro.MicroException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class WhenTests {

	@Test
	void conditionsAreEqualByWhatTheySay() {
		assertThat(When.ALWAYS).isEqualTo(new When.Always()).isNotEqualTo(When.ABSENT);
		assertThat(When.ABSENT).isEqualTo(new When.Absent());
		assertThat(When.revision(7)).isEqualTo(new When.Revision(7)).isNotEqualTo(When.revision(8));
	}

	@Test
	void aRevisionIsPositive() {
		for (long revision : new long[] { 1, Long.MAX_VALUE }) {
			assertThat(When.revision(revision)).isEqualTo(new When.Revision(revision));
		}
		for (long revision : new long[] { 0, -1, Long.MIN_VALUE }) {
			assertThatExceptionOfType(MicroException.Invalid.class).isThrownBy(() -> When.revision(revision))
				.withMessage("the revision " + revision + " is not positive");
		}
	}

}
