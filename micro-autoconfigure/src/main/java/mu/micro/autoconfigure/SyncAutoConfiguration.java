package mu.micro.autoconfigure;

import java.time.Clock;

import mu.micro.Scoped;
import mu.micro.core.StoreSync;
import mu.micro.remote.RemoteSync;
import mu.micro.spring.LeaderOnlyBeanPostProcessor;
import mu.micro.spring.Leadership;
import mu.micro.store.Databases;
import mu.micro.sync.Sync;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.io.ResourceLoader;

/**
 * Locks and leaders: the one provider that {@code micro.sync.type} names, the noun for
 * the application's own namespace, and methods that only a leader runs.
 */
@AutoConfiguration(after = StoreAutoConfiguration.class)
@EnableConfigurationProperties(MicroProperties.class)
public final class SyncAutoConfiguration {

	@Bean
	@Lazy
	@ConditionalOnMissingBean(value = Sync.class, parameterizedContainer = Scoped.class)
	Scoped<Sync> microSyncs(MicroProperties properties, ResourceLoader resources, ObjectProvider<Databases> databases) {
		return switch (ProviderType.present("micro.sync.type", properties.sync().type(), resources.getClassLoader())) {
			case STORE -> new StoreSync(databases.getObject(), Clock.systemUTC());
			case REMOTE ->
				new RemoteSync(properties.remote().address(), properties.remote().timeout(), Clock.systemUTC());
		};
	}

	@Bean
	@Lazy
	@ConditionalOnMissingBean
	Sync microSync(Scoped<Sync> syncs, MicroProperties properties) {
		return syncs.in(properties.namespace());
	}

	@Bean
	@ConditionalOnMissingBean
	Leadership microLeadership(ObjectProvider<Sync> sync, MicroProperties properties) {
		return new Leadership(sync::getObject, properties.sync().leaderTtl());
	}

	@Bean
	@ConditionalOnMissingBean
	static LeaderOnlyBeanPostProcessor microLeaderOnlyBeanPostProcessor(ObjectProvider<Leadership> leadership) {
		return new LeaderOnlyBeanPostProcessor(leadership);
	}

}
