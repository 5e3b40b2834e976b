package mu.micro.data;

import java.util.List;
import java.util.Optional;

import com.fasterxml.jackson.annotation.JsonAutoDetect.Visibility;
import com.fasterxml.jackson.annotation.JsonCreator;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.AnnotationIntrospector;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.cfg.EnumFeature;
import tools.jackson.databind.cfg.MapperConfig;
import tools.jackson.databind.introspect.Annotated;
import tools.jackson.databind.introspect.AnnotatedClass;
import tools.jackson.databind.introspect.AnnotatedMember;
import tools.jackson.databind.introspect.NopAnnotationIntrospector;
import tools.jackson.databind.introspect.PotentialCreator;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.jsontype.BasicPolymorphicTypeValidator;

import org.springframework.data.annotation.PersistenceCreator;
import org.springframework.data.annotation.Transient;
import org.springframework.data.annotation.Version;

/**
 * How entities become JSON.
 * <p>
 * Their fields and record components are written, not what getters compute, so that what
 * is read is what was there. Times keep their nanoseconds and zones, enums are their
 * names, and a field that is missing in JSON, because it is newer, is null or zero. A
 * type of which there are several kinds says so with {@code @JsonTypeInfo} and names
 * them; names of classes are neither written nor read. Jackson's annotations hold: what
 * {@code @JsonIgnore} stands on is not stored.
 */
public final class EntityJson {

	private EntityJson() {
	}

	/**
	 * The settings that entities are written and read with, to be added to.
	 * @return a builder
	 */
	public static JsonMapper.Builder builder() {
		return JsonMapper.builder()
			.changeDefaultVisibility((checker) -> checker.withFieldVisibility(Visibility.ANY)
				.withGetterVisibility(Visibility.NONE)
				.withIsGetterVisibility(Visibility.NONE)
				.withSetterVisibility(Visibility.NONE))
			.enable(DateTimeFeature.WRITE_DATES_WITH_ZONE_ID)
			.disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS, DateTimeFeature.WRITE_DURATIONS_AS_TIMESTAMPS,
					DateTimeFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
			.disable(EnumFeature.WRITE_ENUMS_USING_TO_STRING, EnumFeature.READ_ENUMS_USING_TO_STRING)
			.disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES,
					DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
	}

	/**
	 * A mapper that leaves out versions, which are the entries' revisions, and what
	 * Spring Data takes for transient.
	 * @param mapper any mapper
	 * @return the mapper for entities
	 */
	static JsonMapper entities(JsonMapper mapper) {
		AnnotationIntrospector introspector = mapper.serializationConfig().getAnnotationIntrospector();
		return mapper.rebuild()
			.annotationIntrospector(AnnotationIntrospector.pair(new Annotations(), introspector))
			.polymorphicTypeValidator(BasicPolymorphicTypeValidator.builder().build())
			.deactivateDefaultTyping()
			.disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES,
					DeserializationFeature.FAIL_ON_IGNORED_PROPERTIES)
			.build();
	}

	private static final class Annotations extends NopAnnotationIntrospector {

		@Override
		public boolean hasIgnoreMarker(MapperConfig<?> config, AnnotatedMember member) {
			return member.hasAnnotation(Version.class) || member.hasAnnotation(Transient.class);
		}

		@Override
		public JsonCreator.@Nullable Mode findCreatorAnnotation(MapperConfig<?> config, Annotated annotated) {
			return annotated.hasAnnotation(PersistenceCreator.class) ? JsonCreator.Mode.PROPERTIES : null;
		}

		/*
		 * As Spring Data has it: the only constructor, whoever may call it.
		 */
		@Override
		public @Nullable PotentialCreator findPreferredCreator(MapperConfig<?> config, AnnotatedClass type,
				List<PotentialCreator> constructors, List<PotentialCreator> factories,
				Optional<PotentialCreator> withoutParameters) {
			if (withoutParameters.isPresent() || constructors.size() != 1
					|| type.getRawType().getName().startsWith("java")) {
				return null;
			}
			return constructors.get(0);
		}

	}

}
