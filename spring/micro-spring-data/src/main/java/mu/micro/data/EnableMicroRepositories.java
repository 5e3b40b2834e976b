package mu.micro.data;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.beans.factory.support.BeanNameGenerator;
import org.springframework.context.annotation.ComponentScan.Filter;
import org.springframework.context.annotation.Import;
import org.springframework.data.repository.config.DefaultRepositoryBaseClass;
import org.springframework.data.repository.query.QueryLookupStrategy;

/**
 * Makes beans of the repository interfaces in some packages, over the bean of type
 * {@link mu.micro.store.Database}.
 *
 * <pre class="code">
 * record Note(&#64;Id String id, &#64;Indexed String title, boolean done) {
 * }
 *
 * interface Notes extends CrudRepository&lt;Note, String&gt; {
 *
 * 	List&lt;Note&gt; findByTitle(String title);
 *
 * }
 * </pre>
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@Import(MicroRepositoriesRegistrar.class)
public @interface EnableMicroRepositories {

	/**
	 * The same as {@link #basePackages()}.
	 * @return packages
	 */
	String[] value() default {};

	/**
	 * In which packages to look; by default in that of the annotated class.
	 * @return packages
	 */
	String[] basePackages() default {};

	/**
	 * In whose packages to look.
	 * @return a class of each package
	 */
	Class<?>[] basePackageClasses() default {};

	/**
	 * Which interfaces to take.
	 * @return filters
	 */
	Filter[] includeFilters() default {};

	/**
	 * Which interfaces to leave.
	 * @return filters
	 */
	Filter[] excludeFilters() default {};

	/**
	 * What the names of classes end with that implement a repository's own methods.
	 * @return the end of the name
	 */
	String repositoryImplementationPostfix() default "Impl";

	/**
	 * Where named queries would be; there are none here.
	 * @return a location
	 */
	String namedQueriesLocation() default "";

	/**
	 * How queries are looked up; always by the name of the method.
	 * @return the key
	 */
	QueryLookupStrategy.Key queryLookupStrategy() default QueryLookupStrategy.Key.CREATE_IF_NOT_FOUND;

	/**
	 * What makes each repository.
	 * @return the class of a factory bean
	 */
	Class<?> repositoryFactoryBeanClass() default MicroRepositoryFactoryBean.class;

	/**
	 * What repositories extend; by default a {@link DatabaseRepository}.
	 * @return a class with the constructor of that one
	 */
	Class<?> repositoryBaseClass() default DefaultRepositoryBaseClass.class;

	/**
	 * What names the beans.
	 * @return the class of the generator
	 */
	Class<? extends BeanNameGenerator> nameGenerator() default BeanNameGenerator.class;

	/**
	 * The name of the {@link DatabaseTemplate} that repositories work with. Unless there
	 * is a bean of the default name, one is made.
	 * @return the name of a bean
	 */
	String keyValueTemplateRef() default MicroRepositoryConfigurationExtension.TEMPLATE;

	/**
	 * Whether to take interfaces within classes as well.
	 * @return whether to
	 */
	boolean considerNestedRepositories() default false;

}
