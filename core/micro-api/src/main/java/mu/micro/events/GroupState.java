package mu.micro.events;

/**
 * How far a group is.
 *
 * @param name its name
 * @param next the lowest offset that it has not acknowledged
 * @param inFlight how many events are being handled, or wait to be delivered again
 * @param waiting how many events were never delivered to it
 */
public record GroupState(String name, long next, int inFlight, long waiting) {

}
