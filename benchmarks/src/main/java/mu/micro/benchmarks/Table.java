package mu.micro.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Figures beside those of a limit program, and the budget for their ratio.
 */
final class Table {

	private final List<String[]> rows = new ArrayList<>();

	private final List<String> missed = new ArrayList<>();

	private int budgets;

	Table() {
		this.rows.add(new String[] { "what", "Micro", "limit program", "ratio", "budget" });
	}

	/**
	 * Adds a figure of which more is better.
	 * @param what what was measured, with its unit
	 * @param ours the figure of Micro
	 * @param limit the limit program's
	 * @param budget the least ratio; 0 for none
	 */
	void add(String what, double ours, double limit, double budget) {
		double ratio = ours / limit;
		this.rows.add(new String[] { what, number(ours), number(limit), number(ratio),
				(budget > 0) ? "at least " + number(budget) : "" });
		this.budgets += (budget > 0) ? 1 : 0;
		if (ratio < budget) {
			this.missed.add(what + ": " + number(ratio) + " instead of " + number(budget));
		}
	}

	/**
	 * Adds a figure that must stay below a limit.
	 * @param what what was measured, with its unit
	 * @param ours the figure of Micro
	 * @param most the most it may be
	 */
	void most(String what, double ours, double most) {
		this.rows.add(new String[] { what, number(ours), "", "", "at most " + number(most) });
		this.budgets++;
		if (ours > most) {
			this.missed.add(what + ": " + number(ours) + " instead of " + number(most));
		}
	}

	/**
	 * Prints the table, and which budgets were missed.
	 */
	void print() {
		int[] widths = new int[this.rows.get(0).length];
		for (String[] row : this.rows) {
			for (int i = 0; i < row.length; i++) {
				widths[i] = Math.max(widths[i], row[i].length());
			}
		}
		for (int r = 0; r < this.rows.size(); r++) {
			StringBuilder line = new StringBuilder("|");
			for (int i = 0; i < widths.length; i++) {
				String cell = this.rows.get(r)[i];
				String space = " ".repeat(widths[i] - cell.length());
				line.append(' ').append((i == 0) ? cell + space : space + cell).append(" |");
			}
			System.out.println(line);
			if (r == 0) {
				System.out.println("|" + " --- |".repeat(widths.length));
			}
		}
		System.out.println();
		if (this.budgets > 0) {
			System.out.println((this.missed.isEmpty()) ? "All budgets are kept."
					: "Missed budgets: " + String.join("; ", this.missed));
			System.out.println();
		}
	}

	private static String number(double value) {
		if (value >= 100) {
			return String.format(Locale.ROOT, "%,.0f", value);
		}
		return String.format(Locale.ROOT, (value >= 10) ? "%.1f" : "%.2f", value);
	}

}
