package mu.micro.core;

import java.util.Comparator;

/**
 * The order of a store's keys and names: that of their bytes in UTF-8, which is that of
 * their code points. {@link String#compareTo} differs, because it puts the halves of
 * surrogate pairs before U+E000.
 */
public enum KeyOrder implements Comparator<String> {

	/**
	 * The order; of texts that are Unicode, as {@link mu.micro.Limits} demands.
	 */
	UTF8;

	@Override
	public int compare(String one, String other) {
		int length = Math.min(one.length(), other.length());
		for (int i = 0; i < length; i++) {
			char left = one.charAt(i);
			char right = other.charAt(i);
			if (left != right) {
				boolean wide = Character.isSurrogate(left);
				return (wide == Character.isSurrogate(right)) ? left - right : (wide ? 1 : -1);
			}
		}
		return one.length() - other.length();
	}

}
