/** What is kept for later pages, and when. */

/** What a page has left when it ended is its own for so long, if it was reloaded; then any other page of the origin sends it. */
export const ADOPT_PAUSE_MS = 5_000;

/** Pages of one origin and grid that each of them watches. */
export const WATCHED_MAX = 100;

/** Subscriptions whose rows a browser keeps for later pages: those that were opened last. */
export const KEPT_QUERIES_MAX = 200;

/** What a browser could not keep is tried again after so long. */
export const STORAGE_RETRY_MS = 5_000;
