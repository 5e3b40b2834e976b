package mu.micro.cli;

import com.google.gson.JsonElement;

/**
 * Prints a JSON array of any length, an item on each line.
 */
final class JsonItems {

	private final Terminal terminal;

	private boolean begun;

	JsonItems(Terminal terminal) {
		this.terminal = terminal;
	}

	void add(JsonElement item) {
		this.terminal.out().print((this.begun) ? "," + System.lineSeparator() : "[");
		this.terminal.out().print(Terminal.line(item));
		this.begun = true;
	}

	/**
	 * Ends the array. Left out where something failed, so that what was printed is no
	 * JSON.
	 */
	void end() {
		this.terminal.out().println((this.begun) ? "]" : "[]");
	}

}
