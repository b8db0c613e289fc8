/** What calls of actors keep to, beside what all operations do. */

/** Under way at one node: each waits for every copy, and other operations live on the same credit. */
export const CALLS_UNDER_WAY_MAX = 1_000;

/** How long a call may take, where nobody says. */
export const CALL_TIMEOUT_MS = 30_000;
