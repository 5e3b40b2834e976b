package mu.micro.grpc;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import mu.micro.Limits;
import mu.micro.MicroException;
import mu.micro.store.Change;
import mu.micro.store.Entry;
import mu.micro.store.Page;
import mu.micro.store.Query;
import mu.micro.store.TableWrite;
import mu.micro.store.When;
import mu.micro.store.Write;
import mu.micro.wire.store.Condition;
import mu.micro.wire.store.Lagged;
import mu.micro.wire.store.PageRequest;
import mu.micro.wire.store.PageResponse;
import mu.micro.wire.store.Removal;
import mu.micro.wire.store.WatchResponse;
import org.jspecify.annotations.Nullable;

/**
 * Entries, writes and changes as the store's wire has them. Times are whole milliseconds
 * there.
 */
public final class Entries {

	private Entries() {
	}

	/**
	 * Writes an entry.
	 * @param entry the entry
	 * @return the message
	 */
	public static mu.micro.wire.store.Entry toMessage(Entry entry) {
		Instant expires = entry.expires();
		return mu.micro.wire.store.Entry.newBuilder()
			.setKey(entry.key())
			.setValue(bytes(entry.value()))
			.setRevision(entry.revision())
			.putAllMetadata(entry.metadata())
			.setExpires((expires != null) ? expires.toEpochMilli() : 0)
			.build();
	}

	/**
	 * Reads an entry.
	 * @param message the message
	 * @return the entry
	 */
	public static Entry fromMessage(mu.micro.wire.store.Entry message) {
		Instant expires = (message.getExpires() != 0) ? Instant.ofEpochMilli(message.getExpires()) : null;
		return new Entry(message.getKey(), message.getValue().toByteArray(), message.getRevision(),
				message.getMetadataMap(), expires);
	}

	/**
	 * A value without copying it.
	 * @param value the value, which does not change any more
	 * @return the bytes
	 */
	public static ByteString bytes(byte[] value) {
		return UnsafeByteOperations.unsafeWrap(value);
	}

	/**
	 * Writes a write.
	 * @param tableWrite the write
	 * @return the message
	 */
	public static mu.micro.wire.store.Write toMessage(TableWrite tableWrite) {
		Write write = tableWrite.write();
		mu.micro.wire.store.Write.Builder message = mu.micro.wire.store.Write.newBuilder()
			.setTable(tableWrite.table())
			.setKey(write.key())
			.putAllMetadata(write.metadata());
		byte[] value = write.value();
		Duration ttl = write.ttl();
		if (value != null) {
			message.setValue(bytes(value));
		}
		else {
			message.setDelete(true);
		}
		if (ttl != null) {
			message.setTtlMs(ttl.toMillis());
		}
		if (write.when() instanceof When.Absent) {
			message.setCondition(Condition.newBuilder().setAbsent(true));
		}
		else if (write.when() instanceof When.Revision revision) {
			message.setCondition(Condition.newBuilder().setRevision(revision.value()));
		}
		return message.build();
	}

	/**
	 * Reads a write.
	 * @param message the message
	 * @return the write
	 * @throws MicroException.Invalid if it is none, or over a limit
	 */
	public static TableWrite fromMessage(mu.micro.wire.store.Write message) {
		if (!message.hasValue() && !message.getDelete()) {
			throw new MicroException.Invalid(
					"the write of '" + message.getKey() + "' has neither a value nor 'delete'; set one of them");
		}
		Write write = (message.hasValue()) ? Write.put(message.getKey(), message.getValue().toByteArray())
				: Write.delete(message.getKey());
		When when = (message.hasCondition()) ? when(message.getCondition()) : When.ALWAYS;
		return new TableWrite(message.getTable(),
				write.withWhen(when).withTtl(ttl(message.getTtlMs())).withMetadata(message.getMetadataMap()));
	}

	private static @Nullable Duration ttl(long milliseconds) {
		if (milliseconds < 0) {
			throw new MicroException.Invalid("the ttl of " + milliseconds + " ms is negative");
		}
		return (milliseconds == 0) ? null : Duration.ofMillis(milliseconds);
	}

	/**
	 * Reads a condition.
	 * @param message a condition that is there
	 * @return the condition
	 * @throws MicroException.Invalid if it says nothing, or nothing that is known here
	 */
	public static When when(Condition message) {
		if (message.hasRevision()) {
			return When.revision(message.getRevision());
		}
		if (message.getAbsent()) {
			return When.ABSENT;
		}
		throw new MicroException.Invalid(
				"the condition asks for nothing; set 'absent' to true, or 'revision', or leave the condition out");
	}

	/**
	 * Writes a query.
	 * @param namespace the namespace
	 * @param table the table
	 * @param query the query
	 * @return the message
	 */
	public static PageRequest toMessage(String namespace, String table, Query query) {
		return PageRequest.newBuilder()
			.setNamespace(namespace)
			.setTable(table)
			.setPrefix(query.prefix())
			.setSuffix(query.suffix())
			.setAfter(query.after())
			.setOffset(query.offset())
			.setLimit(query.limit())
			.setDescending(query.descending())
			.setKeysOnly(query.keysOnly())
			.build();
	}

	/**
	 * Reads a query.
	 * @param message the message
	 * @return the query
	 * @throws MicroException.Invalid if it is over a limit
	 */
	public static Query fromMessage(PageRequest message) {
		int limit = (message.getLimit() == 0) ? Limits.PAGE : message.getLimit();
		return new Query(message.getPrefix(), message.getSuffix(), message.getAfter(), message.getOffset(), limit,
				message.getDescending(), message.getKeysOnly());
	}

	/**
	 * Writes a page.
	 * @param page the page
	 * @return the message
	 */
	public static PageResponse toMessage(Page page) {
		PageResponse.Builder message = PageResponse.newBuilder().setRevision(page.revision()).setMore(page.more());
		page.entries().forEach((entry) -> message.addEntries(toMessage(entry)));
		return message.build();
	}

	/**
	 * Reads a page.
	 * @param message the message
	 * @return the page
	 */
	public static Page fromMessage(PageResponse message) {
		List<Entry> entries = message.getEntriesList().stream().map(Entries::fromMessage).toList();
		return new Page(entries, message.getRevision(), message.getMore());
	}

	/**
	 * Writes a change.
	 * @param change the change
	 * @return the message
	 */
	public static WatchResponse toMessage(Change change) {
		WatchResponse.Builder message = WatchResponse.newBuilder();
		if (change instanceof Change.Put put) {
			message.setPut(toMessage(put.entry()));
		}
		else if (change instanceof Change.Deleted deleted) {
			message.setDeleted(removal(deleted.key(), deleted.revision()));
		}
		else if (change instanceof Change.Expired expired) {
			message.setExpired(removal(expired.key(), expired.revision()));
		}
		else {
			message.setLagged(Lagged.newBuilder().setRevision(change.revision()));
		}
		return message.build();
	}

	private static Removal removal(String key, long revision) {
		return Removal.newBuilder().setKey(key).setRevision(revision).build();
	}

	/**
	 * Reads a change.
	 * @param message the message
	 * @return the change, or null if the message tells of none
	 */
	public static @Nullable Change fromMessage(WatchResponse message) {
		return switch (message.getToldCase()) {
			case PUT -> new Change.Put(fromMessage(message.getPut()));
			case DELETED -> new Change.Deleted(message.getDeleted().getKey(), message.getDeleted().getRevision());
			case EXPIRED -> new Change.Expired(message.getExpired().getKey(), message.getExpired().getRevision());
			case LAGGED -> new Change.Lagged(message.getLagged().getRevision());
			case STANDING, TOLD_NOT_SET -> null;
		};
	}

}
