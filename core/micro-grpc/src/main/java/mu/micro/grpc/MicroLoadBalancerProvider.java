package mu.micro.grpc;

import io.grpc.Attributes;
import io.grpc.ConnectivityState;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Spreads the calls of a {@code micro:///name} channel over the service's instances, in
 * turn. When the last instance is gone, connections to where it was are given up: others
 * may have taken the place. Calls then fail at once and say so.
 * <p>
 * gRPC finds this class by itself.
 */
public final class MicroLoadBalancerProvider extends LoadBalancerProvider {

	static final String POLICY = "micro_round_robin";

	static final Attributes.Key<String> SERVICE = Attributes.Key.create("micro-service");

	private static final int PRIORITY = 5;

	@Override
	public boolean isAvailable() {
		return true;
	}

	@Override
	public int getPriority() {
		return PRIORITY;
	}

	@Override
	public String getPolicyName() {
		return POLICY;
	}

	@Override
	public LoadBalancer newLoadBalancer(LoadBalancer.Helper helper) {
		return new Balancer(helper);
	}

	private static final class Balancer extends LoadBalancer {

		private final Helper helper;

		private @Nullable LoadBalancer turns;

		Balancer(Helper helper) {
			this.helper = helper;
		}

		@Override
		public Status acceptResolvedAddresses(ResolvedAddresses resolved) {
			if (resolved.getAddresses().isEmpty()) {
				shutdown();
				fail(Status.UNAVAILABLE.withDescription(
						"no instance of '" + resolved.getAttributes().get(SERVICE) + "' is running; start one"));
				return Status.OK;
			}
			LoadBalancer balancer = this.turns;
			if (balancer == null) {
				LoadBalancerProvider provider = LoadBalancerRegistry.getDefaultRegistry().getProvider("round_robin");
				if (provider == null) {
					return Status.UNAVAILABLE
						.withDescription("gRPC's round_robin is missing; add io.grpc:grpc-util to the class path");
				}
				balancer = provider.newLoadBalancer(this.helper);
				this.turns = balancer;
			}
			return balancer.acceptResolvedAddresses(resolved.toBuilder().setLoadBalancingPolicyConfig(null).build());
		}

		@Override
		public void handleNameResolutionError(Status error) {
			if (this.turns != null) {
				this.turns.handleNameResolutionError(error);
			}
			else {
				fail(error);
			}
		}

		private void fail(Status status) {
			this.helper.updateBalancingState(ConnectivityState.TRANSIENT_FAILURE,
					new FixedResultPicker(PickResult.withError(status)));
		}

		@Override
		public boolean canHandleEmptyAddressListFromNameResolution() {
			return true;
		}

		@Override
		public void requestConnection() {
			if (this.turns != null) {
				this.turns.requestConnection();
			}
		}

		@Override
		public void shutdown() {
			if (this.turns != null) {
				this.turns.shutdown();
				this.turns = null;
			}
		}

	}

}
