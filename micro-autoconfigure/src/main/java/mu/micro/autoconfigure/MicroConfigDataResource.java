package mu.micro.autoconfigure;

import java.util.Objects;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.config.ConfigDataResource;

/**
 * A part of the configuration, to be imported.
 */
class MicroConfigDataResource extends ConfigDataResource {

	private final String path;

	private final boolean optional;

	MicroConfigDataResource(String path, boolean optional) {
		super(optional);
		this.path = path;
		this.optional = optional;
	}

	String path() {
		return this.path;
	}

	boolean optional() {
		return this.optional;
	}

	@Override
	public boolean equals(@Nullable Object other) {
		return other instanceof MicroConfigDataResource resource && this.path.equals(resource.path)
				&& this.optional == resource.optional;
	}

	@Override
	public int hashCode() {
		return Objects.hash(this.path, this.optional);
	}

	@Override
	public String toString() {
		return "micro:" + this.path;
	}

}
