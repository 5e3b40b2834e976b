package mu.micro.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.Scoped;
import mu.micro.blob.Blob;
import mu.micro.blob.BlobContent;
import mu.micro.blob.Blobs;
import mu.micro.core.BlobBytes;
import mu.micro.core.KeyOrder;
import mu.micro.store.Query;
import org.jspecify.annotations.Nullable;

/**
 * Blobs as files in a directory, which several processes of one user may share. Each blob
 * is a file in a directory of its namespace, and only this user can read it. A blob is on
 * the disk when {@code put} returns.
 * <p>
 * A file that is damaged is {@link MicroException.Unavailable}, or an {@link IOException}
 * of whoever reads its bytes, before the last of them. It can be deleted, and put again.
 */
public final class FileBlobs implements Scoped<Blobs> {

	/**
	 * What the names of files end with that are not whole.
	 */
	static final String WRITING = ".tmp";

	private static final String SUFFIX = ".blob";

	/**
	 * Where files are while they are written. No namespace's directory has this name.
	 */
	private static final String DRAFTS = ".writing";

	/**
	 * Who wrote nothing for so long is dead, or is told that nothing was put.
	 */
	private static final Duration ABANDONED = Duration.ofHours(1);

	private static final int BUFFER = 64 * 1024;

	private static final System.Logger logger = System.getLogger(FileBlobs.class.getName());

	private final Path directory;

	private final Clock clock;

	private final boolean posix;

	private final AtomicReference<Instant> cleared = new AtomicReference<>(Instant.MIN);

	private final Set<Content> open = ConcurrentHashMap.newKeySet();

	private volatile boolean closed;

	/**
	 * The blobs in a directory. Nothing is touched before the first call.
	 * @param directory where they are, made by the first that is put
	 * @param clock tells when blobs are put
	 */
	public FileBlobs(Path directory, Clock clock) {
		this.directory = directory.toAbsolutePath().normalize();
		this.clock = clock;
		this.posix = directory.getFileSystem().supportedFileAttributeViews().contains("posix");
	}

	@Override
	public Blobs in(String namespace) {
		return new View(Limits.name("namespace", namespace));
	}

	@Override
	public void close() {
		this.closed = true;
		this.open.forEach(Content::close);
	}

	private void checkOpen() {
		if (this.closed) {
			throw new MicroException.Unavailable("the blobs in " + this.directory + " are closed");
		}
	}

	/*
	 * What others write is never deleted under them: a draft that is written to is young.
	 */
	private void clearDrafts(Path drafts) {
		Instant now = this.clock.instant();
		Instant last = this.cleared.get();
		if (last.isAfter(now.minus(ABANDONED)) || !this.cleared.compareAndSet(last, now)) {
			return;
		}
		try (DirectoryStream<Path> files = Files.newDirectoryStream(drafts, "*" + WRITING)) {
			for (Path file : files) {
				clear(file, now.minus(ABANDONED));
			}
		}
		catch (IOException | DirectoryIteratorException ex) {
			logger.log(System.Logger.Level.DEBUG, "drafts are left for others to clear away", ex);
		}
	}

	private static void clear(Path draft, Instant abandoned) throws IOException {
		try {
			if (Files.getLastModifiedTime(draft).toInstant().isBefore(abandoned)) {
				Files.deleteIfExists(draft);
			}
		}
		catch (NoSuchFileException ex) {
			// Whole by now, or cleared away by another.
		}
	}

	private void makeDirectory(Path made) throws IOException {
		if (Files.isDirectory(made)) {
			return;
		}
		Path parent = made.getParent();
		if (parent != null) {
			makeDirectory(parent);
		}
		try {
			Files.createDirectory(made,
					(this.posix)
							? new FileAttribute<?>[] {
									PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")) }
							: new FileAttribute<?>[0]);
		}
		catch (FileAlreadyExistsException ex) {
			if (!Files.isDirectory(made)) {
				throw ex;
			}
		}
		if (parent != null) {
			sync(parent);
		}
	}

	/*
	 * An interrupt would close the channel; it waits until that is done.
	 */
	private static void sync(Path directory) throws IOException {
		boolean interrupted = Thread.interrupted();
		try {
			boolean done = false;
			while (!done) {
				try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
					channel.force(true);
					done = true;
				}
				catch (ClosedByInterruptException ex) {
					interrupted |= Thread.interrupted();
				}
				catch (AccessDeniedException ex) {
					// Directories cannot be opened here, and need not be.
					done = true;
				}
			}
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private static MicroException.Unavailable unavailable(String what, Path file, Exception cause) {
		return new MicroException.Unavailable(what + " " + file + ": " + reason(cause)
				+ "; see to it that this user may read and write there and that there is space, or set"
				+ " micro.blob.directory to another place", cause);
	}

	private static MicroException.Unavailable damaged(String key, Path file, IOException cause) {
		return new MicroException.Unavailable("the blob '" + key + "' cannot be read from " + file + ": "
				+ reason(cause) + "; put it again or delete it", cause);
	}

	private static String reason(Exception cause) {
		if (cause instanceof AccessDeniedException) {
			return "this user may not";
		}
		if (cause instanceof FileSystemException failed && failed.getReason() != null) {
			return failed.getReason();
		}
		return (cause.getMessage() != null && !(cause instanceof FileSystemException)) ? cause.getMessage()
				: cause.toString();
	}

	private final class View implements Blobs {

		private final String namespace;

		private final Path place;

		View(String namespace) {
			this.namespace = namespace;
			this.place = FileBlobs.this.directory.resolve(BlobFileName.of(namespace));
		}

		private Path file(String key) {
			return this.place.resolve(BlobFileName.of(Limits.key(key)) + SUFFIX);
		}

		@Override
		public Blob put(String key, String contentType, InputStream content) throws IOException {
			Path file = file(key);
			Limits.name("content type", contentType);
			checkOpen();
			BlobDraft draft = begin(file, key, contentType);
			try {
				byte[] buffer = new byte[BUFFER];
				for (int read = content.read(buffer); read >= 0; read = content.read(buffer)) {
					write(draft, buffer, read, file);
				}
				checkOpen();
				return end(draft, file);
			}
			finally {
				forget(draft);
			}
		}

		private BlobDraft begin(Path file, String key, String contentType) {
			Path drafts = FileBlobs.this.directory.resolve(DRAFTS);
			try {
				makeDirectory(drafts);
				clearDrafts(drafts);
				return new BlobDraft(drafts, this.namespace, key, contentType);
			}
			catch (IOException ex) {
				throw unavailable("the blob cannot be written to", file, ex);
			}
		}

		private void write(BlobDraft draft, byte[] bytes, int count, Path file) {
			try {
				draft.write(bytes, count);
			}
			catch (IOException ex) {
				throw unavailable("the blob cannot be written to", file, ex);
			}
		}

		private Blob end(BlobDraft draft, Path file) {
			Blob blob;
			try {
				makeDirectory(this.place);
				blob = draft.moveTo(file, FileBlobs.this.clock.instant().truncatedTo(ChronoUnit.MILLIS));
			}
			catch (IOException ex) {
				throw unavailable("the blob cannot be written to", file, ex);
			}
			confirm(file);
			return blob;
		}

		private void confirm(Path file) {
			try {
				sync(this.place);
			}
			catch (IOException ex) {
				throw new MicroException.OutcomeUnknown(
						"the disk does not confirm what was done to " + file + ": " + reason(ex), ex);
			}
		}

		private void forget(BlobDraft draft) {
			try {
				draft.close();
			}
			catch (IOException ex) {
				logger.log(System.Logger.Level.DEBUG, "a draft is left to be cleared away", ex);
			}
		}

		@Override
		public @Nullable Blob find(String key) {
			Content content = open(key);
			if (content == null) {
				return null;
			}
			try (content) {
				return content.blob();
			}
		}

		@Override
		public @Nullable BlobContent get(String key) {
			Content content = open(key);
			if (content != null) {
				FileBlobs.this.open.add(content);
				if (FileBlobs.this.closed) {
					content.close();
					checkOpen();
				}
			}
			return content;
		}

		private @Nullable Content open(String key) {
			Path file = file(key);
			checkOpen();
			try {
				Content content = open(file);
				if (!content.header.namespace().equals(this.namespace) || !content.blob().key().equals(key)) {
					content.close();
					throw new IOException("it holds another blob, of '" + content.header.namespace() + "'");
				}
				return content;
			}
			catch (NoSuchFileException ex) {
				return null;
			}
			catch (IOException ex) {
				throw damaged(key, file, ex);
			}
		}

		private Content open(Path file) throws IOException {
			InputStream stream = Files.newInputStream(file);
			try {
				BlobHeader header = BlobHeader.read(stream);
				return new Content(header, new BlobBytes(stream, header.blob(), file.toString()));
			}
			catch (IOException ex) {
				stream.close();
				throw ex;
			}
		}

		@Override
		public boolean delete(String key) {
			Path file = file(key);
			checkOpen();
			try {
				if (!Files.deleteIfExists(file)) {
					return false;
				}
			}
			catch (IOException ex) {
				throw unavailable("the blob cannot be deleted from", file, ex);
			}
			confirm(file);
			return true;
		}

		@Override
		public List<Blob> list(String prefix, String after, int limit) {
			// Checks what a store's listing has to keep to as well.
			Query query = Query.prefix(prefix).withAfter(after).withLimit(limit);
			checkOpen();
			List<Blob> blobs = new ArrayList<>();
			boolean more = true;
			while (more) {
				int wanted = limit - blobs.size();
				Set<String> keys = keys(query, wanted);
				for (String key : keys) {
					query = query.withAfter(key);
					Blob blob = find(key);
					if (blob != null) {
						blobs.add(blob);
					}
				}
				// What was deleted meanwhile has left room for others.
				more = keys.size() == wanted && blobs.size() < limit;
			}
			return blobs;
		}

		/*
		 * The names of the files say which keys there are, all but the end of long ones.
		 */
		private Set<String> keys(Query query, int limit) {
			TreeSet<String> keys = new TreeSet<>(KeyOrder.UTF8);
			byte[] prefix = query.prefix().getBytes(StandardCharsets.UTF_8);
			byte[] after = query.after().getBytes(StandardCharsets.UTF_8);
			try (DirectoryStream<Path> files = Files.newDirectoryStream(this.place, "*" + SUFFIX)) {
				for (Path file : files) {
					String key = key(file, prefix, after);
					if (key != null && key.startsWith(query.prefix())
							&& (query.after().isEmpty() || KeyOrder.UTF8.compare(key, query.after()) > 0)) {
						keys.add(key);
						if (keys.size() > limit) {
							keys.pollLast();
						}
					}
				}
			}
			catch (NoSuchFileException ex) {
				return Set.of();
			}
			catch (IOException | DirectoryIteratorException ex) {
				throw unavailable("the blobs cannot be listed in", this.place, ex);
			}
			return keys;
		}

		private @Nullable String key(Path file, byte[] prefix, byte[] after) {
			String name = file.getFileName().toString();
			name = name.substring(0, name.length() - SUFFIX.length());
			byte[] known = BlobFileName.known(name);
			int common = Math.min(known.length, prefix.length);
			if (!Arrays.equals(known, 0, common, prefix, 0, common)) {
				return null;
			}
			common = Math.min(known.length, after.length);
			if (Arrays.compareUnsigned(known, 0, common, after, 0, common) < 0) {
				return null;
			}
			String key = new String(known, StandardCharsets.UTF_8);
			if (BlobFileName.isCut(name)) {
				try (Content content = open(file)) {
					key = content.blob().key();
				}
				catch (NoSuchFileException ex) {
					return null;
				}
				catch (IOException ex) {
					throw new MicroException.Unavailable("the blobs cannot be listed in " + this.place
							+ ": the header of a long key, which begins with '" + key + "', cannot be read: "
							+ reason(ex) + "; delete " + file, ex);
				}
			}
			// Others' files are none of ours.
			return (!key.isEmpty() && BlobFileName.of(key).equals(name)) ? key : null;
		}

	}

	/**
	 * A file that is open.
	 */
	private final class Content implements BlobContent {

		private final BlobHeader header;

		private final BlobBytes bytes;

		Content(BlobHeader header, BlobBytes bytes) {
			this.header = header;
			this.bytes = bytes;
		}

		@Override
		public Blob blob() {
			return this.header.blob();
		}

		@Override
		public InputStream stream() {
			return this.bytes;
		}

		@Override
		public void close() {
			FileBlobs.this.open.remove(this);
			try {
				this.bytes.close();
			}
			catch (IOException ex) {
				logger.log(System.Logger.Level.DEBUG, "a file was not closed well", ex);
			}
		}

	}

}
