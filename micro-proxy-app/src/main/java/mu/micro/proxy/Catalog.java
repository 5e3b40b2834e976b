package mu.micro.proxy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;

import mu.micro.MicroException;
import mu.micro.grpc.Schemas;
import org.jspecify.annotations.Nullable;

/**
 * What all running services offer together. A service that does not tell in time is left
 * out until it has told; it delays nobody a second time.
 */
final class Catalog {

	private static final long FRESH = TimeUnit.SECONDS.toNanos(1);

	private static final System.Logger logger = System.getLogger(Catalog.class.getName());

	private final Routes routes;

	private final Schemas schemas;

	private final Executor blocking;

	private final Duration patience;

	private final ReentrantLock lock = new ReentrantLock();

	private final Map<String, CompletableFuture<List<Schemas.Offer>>> asked = new ConcurrentHashMap<>();

	private volatile @Nullable Snapshot latest;

	/**
	 * Nothing asked yet.
	 * @param routes the services
	 * @param schemas what each of them offers
	 * @param blocking where services are asked, each on its own thread
	 * @param patience how long services are waited for
	 */
	Catalog(Routes routes, Schemas schemas, Executor blocking, Duration patience) {
		this.routes = routes;
		this.schemas = schemas;
		this.blocking = blocking;
		this.patience = patience;
	}

	/**
	 * What is offered now, at most a second old. Blocks for as long as the patience.
	 * @return what the services offer that told
	 * @throws MicroException.Unavailable if the registry has told nothing yet
	 */
	Offers offers() {
		Set<String> services = new TreeSet<>(this.routes.services());
		Snapshot now = this.latest;
		if (now != null && now.fits(services)) {
			return now.offers;
		}
		this.lock.lock();
		try {
			now = this.latest;
			if (now == null || !now.fits(services)) {
				now = look(services, now);
				this.latest = now;
			}
			return now.offers;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Whether a service offers a gRPC service. May block on an instance.
	 * @param service the service's name as registered
	 * @param grpcService the full name of the gRPC service
	 * @return true if some instance does
	 * @throws MicroException if the service does not tell
	 */
	boolean offers(String service, String grpcService) {
		return this.schemas.of(service)
			.stream()
			.flatMap((offer) -> offer.schema().services().stream())
			.anyMatch((offered) -> offered.getFullName().equals(grpcService));
	}

	private Snapshot look(Set<String> services, @Nullable Snapshot before) {
		Map<String, CompletableFuture<List<Schemas.Offer>>> answers = new LinkedHashMap<>();
		List<CompletableFuture<?>> awaited = new ArrayList<>();
		services.stream().limit(Schemas.MOST).forEach((service) -> {
			CompletableFuture<List<Schemas.Offer>> late = this.asked.get(service);
			CompletableFuture<List<Schemas.Offer>> answer = (late != null) ? late : ask(service);
			answers.put(service, answer);
			if (late == null) {
				awaited.add(answer);
			}
		});
		await(CompletableFuture.allOf(awaited.toArray(CompletableFuture[]::new)));
		List<Offers.Source> sources = new ArrayList<>();
		answers.forEach((service, answer) -> {
			if (answer.isDone() && !answer.isCompletedExceptionally()) {
				answer.join().forEach((offer) -> sources.add(new Offers.Source(service, offer.schema())));
			}
		});
		Offers offers = (before != null && before.offers.sources().equals(sources)) ? before.offers
				: Offers.of(sources);
		return new Snapshot(services, offers, System.nanoTime());
	}

	private CompletableFuture<List<Schemas.Offer>> ask(String service) {
		CompletableFuture<List<Schemas.Offer>> answer = new CompletableFuture<>();
		this.asked.put(service, answer);
		this.blocking.execute(() -> {
			try {
				answer.complete(this.schemas.of(service));
			}
			catch (RuntimeException ex) {
				logger.log(System.Logger.Level.DEBUG, () -> "no schema of " + service, ex);
				answer.completeExceptionally(ex);
			}
			finally {
				this.asked.remove(service, answer);
			}
		});
		return answer;
	}

	private void await(CompletableFuture<?> all) {
		try {
			all.get(this.patience.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (ExecutionException | TimeoutException ex) {
			logger.log(System.Logger.Level.DEBUG, "not all services told what they offer", ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private record Snapshot(Set<String> services, Offers offers, long at) {

		boolean fits(Set<String> running) {
			return this.services.equals(running) && System.nanoTime() - this.at < FRESH;
		}

	}

}
