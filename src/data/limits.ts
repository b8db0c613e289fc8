/**
 * Every bound on stored values. A stamp, once made or decoded, is inside them, so nothing further
 * in checks again. What may arrive from outside (key, value, frame) is bounded by the protocol, where `relations.ts`
 * says why all bounds fit together.
 */

/** Milliseconds since 1970 in a stamp: six bytes, which last until the year 10889. */
export const STAMP_MILLIS_MAX = 2 ** 48 - 1;

/** Stamps that one clock can make within one millisecond: two bytes, from 0. */
export const STAMP_COUNTER_MAX = 2 ** 16 - 1;

/** ASCII characters of a stamp's node: `nodeId.incarnation`, or a client id. */
export const STAMP_NODE_LENGTH_MAX = 64;

/** Characters of a node's id. */
export const NODE_ID_LENGTH_MAX = 32;

/** Bytes of an encoded stamp before the node: millis and counter, big endian. */
export const STAMP_HEAD_BYTES = 8;

/** A stamp from a client that is further ahead of the node's clock is refused. */
export const STAMP_AHEAD_MAX_MS = 60_000;

/** `expiresAt` is whole milliseconds since 1970, 0 .. this. */
export const EXPIRES_AT_MAX = 2 ** 48 - 1;

/** What a row weighs beyond its texts and its value: stamp, expiry, framing. An estimate. */
export const ROW_OVERHEAD_BYTES = 48;
