package mu.micro.cli;

import java.util.Collection;
import java.util.Locale;

import org.jspecify.annotations.Nullable;

/**
 * Guesses what was meant by a word that nobody knows.
 */
final class Closest {

	private Closest() {
	}

	/**
	 * The known word that is least far from a given one.
	 * @param word what was written
	 * @param known what could be meant
	 * @return the word, or null if none is near
	 */
	static @Nullable String to(String word, Collection<String> known) {
		String closest = null;
		int least = Math.max(1, word.length() / 3) + 1;
		for (String candidate : known) {
			int distance = distance(word.toLowerCase(Locale.ROOT), candidate.toLowerCase(Locale.ROOT), least);
			if (distance < least) {
				least = distance;
				closest = candidate;
			}
		}
		return closest;
	}

	// Levenshtein's, as far as it matters.
	private static int distance(String one, String other, int limit) {
		if (Math.abs(one.length() - other.length()) >= limit) {
			return limit;
		}
		int[] row = new int[other.length() + 1];
		for (int j = 0; j <= other.length(); j++) {
			row[j] = j;
		}
		for (int i = 1; i <= one.length(); i++) {
			int diagonal = row[0];
			row[0] = i;
			for (int j = 1; j <= other.length(); j++) {
				int changed = diagonal + ((one.charAt(i - 1) == other.charAt(j - 1)) ? 0 : 1);
				diagonal = row[j];
				row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
			}
		}
		return row[other.length()];
	}

}
