package mu.micro.data;

import java.util.Random;

/**
 * Texts that are hard to keep apart and in order.
 */
final class Texts {

	private static final String[] PIECES = { "a", "b", "A", "é", "\0", "\1", "\t", "\n", "\u000b", " ", "%", "_", "\\",
			"=", "-", "Z", "[", "\uE000", "\uFFFD", "\uD83D\uDE00", "\uDBFF\uDFFF" };

	private Texts() {
	}

	/**
	 * Any text.
	 * @param random where from
	 * @param most pieces
	 * @return the text, perhaps empty
	 */
	static String any(Random random, int most) {
		StringBuilder text = new StringBuilder();
		for (int length = random.nextInt(most + 1); length > 0; length--) {
			text.append(PIECES[random.nextInt(PIECES.length)]);
		}
		return text.toString();
	}

	/**
	 * Any text, of which some begin alike for longer than a key keeps.
	 * @param random where from
	 * @return the text
	 */
	static String perhapsLong(Random random) {
		return switch (random.nextInt(6)) {
			case 0 -> "a".repeat(IndexKey.MOST - 1) + any(random, 3);
			case 1 -> "\n".repeat(IndexKey.MOST) + any(random, 2);
			default -> any(random, 3);
		};
	}

}
