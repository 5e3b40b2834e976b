package mu.micro.data;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

import org.jspecify.annotations.Nullable;

import org.springframework.core.convert.ConversionException;
import org.springframework.core.convert.ConversionService;
import org.springframework.core.convert.support.DefaultConversionService;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.mapping.context.MappingContext;
import org.springframework.data.repository.query.parser.Part;
import org.springframework.data.repository.query.parser.Part.IgnoreCaseType;
import org.springframework.data.repository.query.parser.PartTree;

/**
 * Turns the name of a query method into a condition. What a name asks that cannot be
 * answered is refused when the method is looked at, not when it is called.
 */
final class ConditionCreator {

	private static final ConversionService CONVERSIONS = DefaultConversionService.getSharedInstance();

	private static final int CASELESS = Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE;

	private static final Set<Part.Type> REFUSED = EnumSet.of(Part.Type.NEAR, Part.Type.WITHIN, Part.Type.EXISTS);

	private static final Set<Part.Type> RANGES = EnumSet.of(Part.Type.LESS_THAN, Part.Type.LESS_THAN_EQUAL,
			Part.Type.GREATER_THAN, Part.Type.GREATER_THAN_EQUAL, Part.Type.BEFORE, Part.Type.AFTER, Part.Type.BETWEEN);

	private static final Set<Part.Type> OF_TEXT = EnumSet.of(Part.Type.STARTING_WITH, Part.Type.ENDING_WITH,
			Part.Type.LIKE, Part.Type.NOT_LIKE, Part.Type.REGEX);

	private static final Set<Part.Type> CONTAINMENTS = EnumSet.of(Part.Type.CONTAINING, Part.Type.NOT_CONTAINING);

	private static final Set<Part.Type> OF_MANY = EnumSet.of(Part.Type.CONTAINING, Part.Type.NOT_CONTAINING,
			Part.Type.IS_EMPTY, Part.Type.IS_NOT_EMPTY, Part.Type.IS_NULL, Part.Type.IS_NOT_NULL);

	private final List<List<Word>> alternatives = new ArrayList<>();

	/**
	 * Looks at a name.
	 * @param tree the name
	 * @param context knows the types
	 * @param type the entities' type
	 * @throws InvalidDataAccessApiUsageException if it asks what cannot be answered
	 */
	ConditionCreator(PartTree tree, MappingContext<?, ?> context, Class<?> type) {
		tree.forEach((or) -> this.alternatives.add(or.stream()
			.map((part) -> word(part, EntityPath.of(context, type, part.getProperty().toDotPath())))
			.toList()));
	}

	private static Word word(Part part, EntityPath path) {
		Part.Type type = part.getType();
		boolean text = path.type() == String.class;
		if (REFUSED.contains(type)) {
			throw refused(type, path, "is not supported");
		}
		if (path.isMany() && !OF_MANY.contains(type)) {
			throw refused(type, path, "is not supported for collections; use Containing");
		}
		if (RANGES.contains(type) && !path.isComparable()) {
			throw refused(type, path, "needs values that can be compared");
		}
		if ((OF_TEXT.contains(type) || (CONTAINMENTS.contains(type) && !path.isMany())) && !text) {
			throw refused(type, path, "needs text");
		}
		if (part.shouldIgnoreCase() == IgnoreCaseType.ALWAYS && !text) {
			throw refused(type, path, "cannot ignore the case of what is no text");
		}
		return new Word(path, type, text && part.shouldIgnoreCase() != IgnoreCaseType.NEVER);
	}

	private static InvalidDataAccessApiUsageException refused(Part.Type type, EntityPath path, String why) {
		return new InvalidDataAccessApiUsageException(type.name() + " of '" + path + "' " + why);
	}

	/**
	 * The condition with a call's arguments.
	 * @param arguments the arguments
	 * @return the condition
	 * @throws InvalidDataAccessApiUsageException if one does not fit
	 */
	Condition create(Iterator<? extends @Nullable Object> arguments) {
		List<List<Term>> terms = new ArrayList<>();
		for (List<Word> words : this.alternatives) {
			terms.add(words.stream().map((word) -> word.with(arguments)).toList());
		}
		return new Condition(terms);
	}

	private record Word(EntityPath path, Part.Type type, boolean ignoreCase) {

		Term with(Iterator<? extends @Nullable Object> given) {
			List<@Nullable Object> arguments = new ArrayList<>();
			switch (this.type) {
				case TRUE -> arguments.add(convert(true));
				case FALSE -> arguments.add(convert(false));
				case IN, NOT_IN ->
					EntityPath.elements(asMany(given.next())).forEach((each) -> arguments.add(convert(each)));
				case REGEX -> arguments.add(required(pattern(given.next())));
				default -> {
					for (int i = 0; i < this.type.getNumberOfArguments(); i++) {
						arguments.add(convert(given.next()));
					}
				}
			}
			if (RANGES.contains(this.type) || OF_TEXT.contains(this.type)
					|| (CONTAINMENTS.contains(this.type) && !this.path.isMany())) {
				arguments.forEach(this::required);
			}
			return new Term(this.path, this.type, arguments, this.ignoreCase);
		}

		private Object required(@Nullable Object argument) {
			if (argument == null) {
				throw refused(this.type, this.path, "with null has no meaning; use IsNull");
			}
			return argument;
		}

		private static @Nullable Object asMany(@Nullable Object argument) {
			if (argument instanceof Iterable<?> iterable && !(argument instanceof Collection)) {
				List<@Nullable Object> elements = new ArrayList<>();
				iterable.forEach(elements::add);
				return elements;
			}
			boolean many = argument == null || argument instanceof Collection || argument.getClass().isArray();
			return many ? argument : Arrays.asList(argument);
		}

		private @Nullable Object pattern(@Nullable Object argument) {
			if (argument == null || argument instanceof Pattern) {
				return argument;
			}
			try {
				return Pattern.compile("\\A(?:" + argument + ")\\z", this.ignoreCase ? CASELESS : 0);
			}
			catch (PatternSyntaxException ex) {
				throw new InvalidDataAccessApiUsageException("'" + argument + "' is no regular expression", ex);
			}
		}

		private @Nullable Object convert(@Nullable Object argument) {
			if (argument == null || this.path.type().isInstance(argument)) {
				return argument;
			}
			Object converted;
			try {
				converted = CONVERSIONS.convert(argument, this.path.type());
			}
			catch (ConversionException ex) {
				throw new InvalidDataAccessApiUsageException("'" + argument + "' cannot be compared with '" + this.path
						+ "', which is of " + this.path.type(), ex);
			}
			if (argument instanceof Number before && converted instanceof Number after && !same(before, after)) {
				throw refused(this.type, this.path, "with " + argument + " would lose a part of the number");
			}
			return converted;
		}

		private static boolean same(Number one, Number other) {
			double first = one.doubleValue();
			if (Double.isNaN(first) || Double.isInfinite(first)) {
				return Double.compare(first, other.doubleValue()) == 0;
			}
			return exact(one).compareTo(exact(other)) == 0;
		}

		private static BigDecimal exact(Number number) {
			return (number instanceof Double || number instanceof Float) ? new BigDecimal(number.doubleValue())
					: new BigDecimal(number.toString());
		}

	}

}
