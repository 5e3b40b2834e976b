package mu.micro.local;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Files and multicast at once. An announcement is there if one of them has it, unless it
 * was in the files and left them: multicast takes longer to forget.
 */
final class PairedMedium implements Medium {

	private static final System.Logger logger = System.getLogger(LocalRegistry.class.getName());

	private final Path directory;

	private final DirectoryMedium files;

	private final MdnsMedium multicast;

	private final AtomicBoolean alone = new AtomicBoolean();

	private final ReentrantLock lock = new ReentrantLock();

	private volatile Runnable changed = () -> {
	};

	private Set<Announcement> filed = Set.of();

	/**
	 * What multicast has not forgotten yet.
	 */
	private final Set<Announcement> gone = new HashSet<>();

	/**
	 * Opens nothing yet.
	 * @param directory where the files are
	 * @param node who announces
	 */
	PairedMedium(Path directory, Node node) {
		this.directory = directory;
		this.files = new DirectoryMedium(directory, node);
		this.multicast = new MdnsMedium(node, () -> Secret.of(directory), this::goOnAlone);
	}

	@Override
	public void open(Runnable changed) {
		this.changed = changed;
		this.files.open(changed);
		this.multicast.open(changed);
		this.multicast.opened().whenComplete((nothing, problem) -> {
			if (problem != null) {
				goOnAlone(String.valueOf(problem.getMessage()));
			}
		});
	}

	@Override
	public void announce(List<Announcement> own) {
		this.multicast.announce(own);
		this.files.announce(own);
	}

	@Override
	public List<Announcement> heard() {
		Set<Announcement> inFiles = Set.copyOf(this.files.heard());
		Set<Announcement> onAir = this.alone.get() ? new HashSet<>() : new HashSet<>(this.multicast.heard());
		this.lock.lock();
		try {
			this.gone.addAll(this.filed);
			this.gone.removeAll(inFiles);
			this.gone.retainAll(onAir);
			this.filed = inFiles;
			onAir.removeAll(this.gone);
		}
		finally {
			this.lock.unlock();
		}
		onAir.addAll(inFiles);
		return List.copyOf(onAir);
	}

	@Override
	public void close() {
		this.multicast.stop();
		this.files.close();
		this.multicast.close();
	}

	private void goOnAlone(String problem) {
		if (this.alone.compareAndSet(false, true)) {
			logger.log(System.Logger.Level.INFO, "Services find each other by the files in " + this.directory
					+ " alone, because multicast on the loopback interface cannot be used: " + problem);
			this.multicast.stop();
			this.changed.run();
		}
	}

}
