package mu.micro.grpc;

import io.grpc.Attributes;
import io.grpc.ConnectivityState;
import io.grpc.LoadBalancer;
import io.grpc.LoadBalancerProvider;
import io.grpc.LoadBalancerRegistry;
import io.grpc.Status;
import io.grpc.util.ForwardingLoadBalancerHelper;
import org.jspecify.annotations.Nullable;

/**
 * Spreads the calls of a {@code micro:///name} channel over the service's instances, in
 * turn. When the last instance is gone no call goes to where it was, for others may have
 * taken the place: calls then fail at once and say so.
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

		private final Turns turns;

		private final @Nullable LoadBalancer balancer;

		Balancer(Helper helper) {
			this.turns = new Turns(helper);
			LoadBalancerProvider provider = LoadBalancerRegistry.getDefaultRegistry().getProvider("round_robin");
			this.balancer = (provider != null) ? provider.newLoadBalancer(this.turns) : null;
		}

		@Override
		public Status acceptResolvedAddresses(ResolvedAddresses resolved) {
			if (this.balancer == null) {
				return Status.UNAVAILABLE
					.withDescription("gRPC's round_robin is missing; add io.grpc:grpc-util to the class path");
			}
			if (resolved.getAddresses().isEmpty()) {
				this.turns.fail(Status.UNAVAILABLE.withDescription(
						"no instance of '" + resolved.getAttributes().get(SERVICE) + "' is running; start one"));
				return Status.OK;
			}
			Status status = this.balancer
				.acceptResolvedAddresses(resolved.toBuilder().setLoadBalancingPolicyConfig(null).build());
			this.turns.resume();
			return status;
		}

		@Override
		public void handleNameResolutionError(Status error) {
			if (this.balancer != null && this.turns.known()) {
				this.balancer.handleNameResolutionError(error);
			}
			else {
				this.turns.fail(error);
			}
		}

		@Override
		public boolean canHandleEmptyAddressListFromNameResolution() {
			return true;
		}

		@Override
		public void requestConnection() {
			if (this.balancer != null) {
				this.balancer.requestConnection();
			}
		}

		@Override
		public void shutdown() {
			if (this.balancer != null) {
				this.balancer.shutdown();
			}
		}

	}

	/**
	 * Holds back what round robin says while there is nobody to call. To shut it down
	 * instead would keep a channel from closing for the five seconds that gRPC grants the
	 * calls of a subchannel.
	 */
	private static final class Turns extends ForwardingLoadBalancerHelper {

		private final LoadBalancer.Helper helper;

		private @Nullable ConnectivityState state;

		private LoadBalancer.@Nullable SubchannelPicker picker;

		private boolean held = true;

		Turns(LoadBalancer.Helper helper) {
			this.helper = helper;
		}

		@Override
		protected LoadBalancer.Helper delegate() {
			return this.helper;
		}

		@Override
		public void updateBalancingState(ConnectivityState newState, LoadBalancer.SubchannelPicker newPicker) {
			this.state = newState;
			this.picker = newPicker;
			if (!this.held) {
				this.helper.updateBalancingState(newState, newPicker);
			}
		}

		boolean known() {
			return !this.held;
		}

		void fail(Status status) {
			this.held = true;
			this.helper.updateBalancingState(ConnectivityState.TRANSIENT_FAILURE,
					new LoadBalancer.FixedResultPicker(LoadBalancer.PickResult.withError(status)));
		}

		void resume() {
			if (this.held && this.state != null && this.picker != null) {
				this.helper.updateBalancingState(this.state, this.picker);
			}
			this.held = false;
		}

	}

}
