package mu.micro.data;

/**
 * An entity as it was read or deleted.
 *
 * @param key the key of its entry
 * @param entity the entity, with its version
 * @param revision the revision of its entry
 */
record Stored(String key, Object entity, long revision) {
}
