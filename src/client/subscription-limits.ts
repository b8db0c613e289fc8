/** What subscriptions keep to, and load with the first of them. */

/**
 * What is acknowledged is told within so long, wherever a subscription has all that there is. Else its owner is asked: about so many
 * entries at a time, and after a pause about more.
 */
export const TOLD_MS_MAX = 5_000;
export const UNTOLD_ASKED_MAX = 64;
export const UNTOLD_PAUSE_MS = 250;

/** What expires is told so often at most. */
export const EXPIRY_PAUSE_MS_MIN = 100;

/** A timer is set for no longer; what is due later is looked at again then. */
export const ALARM_MS_MAX = 3_600_000;

/** The most that a subscription's `limit` may be: so many are looked through for each change. */
export const RANKED_MAX = 1_000;
