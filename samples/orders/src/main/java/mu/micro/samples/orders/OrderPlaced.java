package mu.micro.samples.orders;

/**
 * Somebody ordered something.
 *
 * @param order the order's number
 * @param article what was ordered
 * @param cents what it costs
 */
record OrderPlaced(String order, String article, int cents) {
}
