package mu.micro.local;

import java.net.InetAddress;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import javax.jmdns.impl.DNSIncoming;
import javax.jmdns.impl.DNSTaskStarter;
import javax.jmdns.impl.JmDNSImpl;
import javax.jmdns.impl.ServiceInfoImpl;
import javax.jmdns.impl.tasks.RecordReaper;
import javax.jmdns.impl.tasks.Responder;
import javax.jmdns.impl.tasks.resolver.ServiceInfoResolver;
import javax.jmdns.impl.tasks.resolver.ServiceResolver;
import javax.jmdns.impl.tasks.resolver.TypeResolver;
import javax.jmdns.impl.tasks.state.Announcer;
import javax.jmdns.impl.tasks.state.Canceler;
import javax.jmdns.impl.tasks.state.Prober;
import javax.jmdns.impl.tasks.state.Renewer;

import org.jspecify.annotations.Nullable;

/**
 * When JmDNS does what. Its own intervals are made for a network where everybody talks at
 * once; on the loopback interface they cost seconds for nothing.
 */
final class MdnsTimers implements DNSTaskStarter {

	/**
	 * What the names of our JmDNS objects start with, so that those of others keep their
	 * intervals.
	 */
	static final String PREFIX = "micro-";

	private static final long PROBE_MILLIS = 40;

	private static final long ANNOUNCE_MILLIS = 250;

	private static final long CANCEL_MILLIS = 20;

	private static final long RENEW_MILLIS = 2000;

	private static final long REAP_MILLIS = 200;

	private static final long QUERY_MILLIS = 225;

	private final JmDNSImpl dns;

	private final DaemonTimer tasks;

	private final DaemonTimer states;

	private MdnsTimers(JmDNSImpl dns) {
		this.dns = dns;
		this.tasks = new DaemonTimer(dns, dns.getName() + ".tasks");
		this.states = new DaemonTimer(dns, dns.getName() + ".states");
	}

	/**
	 * Has JmDNS ask here. It keeps the answer for the whole JVM, and so does this.
	 */
	static void install() {
		DNSTaskStarter.Factory.ClassDelegate before = DNSTaskStarter.Factory.classDelegate();
		if (!(before instanceof Delegate)) {
			DNSTaskStarter.Factory.setClassDelegate(new Delegate(before));
		}
	}

	@Override
	public void purgeTimer() {
		this.tasks.purge();
	}

	@Override
	public void purgeStateTimer() {
		this.states.purge();
	}

	@Override
	public void cancelTimer() {
		this.tasks.cancel();
	}

	@Override
	public void cancelStateTimer() {
		this.states.cancel();
	}

	@Override
	public void startProber() {
		this.states.schedule(new Prober(this.dns), 0, PROBE_MILLIS);
	}

	@Override
	public void startAnnouncer() {
		this.states.schedule(new Announcer(this.dns), 0, ANNOUNCE_MILLIS);
	}

	@Override
	public void startRenewer() {
		this.states.schedule(new Renewer(this.dns), RENEW_MILLIS, RENEW_MILLIS);
	}

	@Override
	public void startCanceler() {
		this.states.schedule(new Canceler(this.dns), 0, CANCEL_MILLIS);
	}

	@Override
	public void startReaper() {
		this.tasks.schedule(new RecordReaper(this.dns), REAP_MILLIS, REAP_MILLIS);
	}

	@Override
	public void startServiceInfoResolver(ServiceInfoImpl info) {
		this.tasks.schedule(new ServiceInfoResolver(this.dns, info), 0, QUERY_MILLIS);
	}

	@Override
	public void startTypeResolver() {
		this.tasks.schedule(new TypeResolver(this.dns), 0, QUERY_MILLIS);
	}

	@Override
	public void startServiceResolver(String type) {
		this.tasks.schedule(new ServiceResolver(this.dns, type), 0, QUERY_MILLIS);
	}

	@Override
	public void startResponder(DNSIncoming in, InetAddress address, int port) {
		this.tasks.start(new Responder(this.dns, in, address, port));
	}

	private record Delegate(
			DNSTaskStarter.Factory.@Nullable ClassDelegate next) implements DNSTaskStarter.Factory.ClassDelegate {

		@Override
		public @Nullable DNSTaskStarter newDNSTaskStarter(JmDNSImpl dns) {
			if (dns.getName().startsWith(PREFIX)) {
				return new MdnsTimers(dns);
			}
			return (this.next != null) ? this.next.newDNSTaskStarter(dns) : null;
		}

	}

	/**
	 * Has a thread only once it has work, because JmDNS may make one timer too many, and
	 * takes no work once cancelled, where JmDNS would get an exception.
	 */
	private static final class DaemonTimer {

		private final JmDNSImpl dns;

		private final String name;

		private final ReentrantLock lock = new ReentrantLock();

		private @Nullable Timer timer;

		private boolean cancelled;

		DaemonTimer(JmDNSImpl dns, String name) {
			this.dns = dns;
			this.name = name;
		}

		void schedule(TimerTask task, long delay, long period) {
			with((running) -> running.schedule(task, delay, period));
		}

		void start(Responder responder) {
			with(responder::start);
		}

		void purge() {
			with(Timer::purge);
		}

		void cancel() {
			this.lock.lock();
			try {
				this.cancelled = true;
				if (this.timer != null) {
					this.timer.cancel();
				}
			}
			finally {
				this.lock.unlock();
			}
		}

		private void with(Consumer<Timer> action) {
			this.lock.lock();
			try {
				if (this.cancelled || this.dns.isCanceled()) {
					return;
				}
				if (this.timer == null) {
					this.timer = new Timer(this.name, true);
				}
				action.accept(this.timer);
			}
			finally {
				this.lock.unlock();
			}
		}

	}

}
