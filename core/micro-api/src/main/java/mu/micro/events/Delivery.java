package mu.micro.events;

import org.jspecify.annotations.Nullable;

/**
 * An event that a group is to handle.
 *
 * @param event the event
 * @param attempt how often it was delivered, this time included
 * @param error what went wrong the last time, up to 1,000 characters; null the first time
 */
public record Delivery(Event event, int attempt, @Nullable String error) {

}
