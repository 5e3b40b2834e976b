/**
 * Tests of the whole, over the distribution as users get it.
 */
package mu.micro.dist;
