/** What the client keeps to by itself, beside what a node grants it. Why it fits together: `test/client/limits.test.ts`. */
import { FRAME_BYTES_MAX } from "../protocol/limits.ts";

/** Unanswered frames at one node: enough that the next one is there when one is answered. */
export const FLIGHTS_MAX = 16;

/** Bytes in them. More would only wait in the node's inbox. */
export const FLIGHT_BYTES_MAX = 4 * FRAME_BYTES_MAX;

/** What a frame says beside its operations. */
export const FRAME_HEAD_BYTES = 1_024;

/** What an operation takes beside its texts and its value: numbers and lengths. */
export const OP_OVERHEAD_BYTES = 48;

/** What a tag in a removal is counted as: more than it is, so that a frame keeps to its number of msgpack values, too. */
export const REMOVED_TAG_BYTES = 200;

/** A text `ping` so often, so that the socket is kept open; without a `pong` within the second it is given up. */
export const PING_MS = 30_000;
export const PONG_MS_MAX = 10_000;

/** From the first try to open a socket to the node's welcome. */
export const WELCOME_MS_MAX = 10_000;

/** Pauses are drawn from 0 to this, which doubles with each attempt. */
export const PAUSE_MS_MIN = 50;
export const PAUSE_MS_MAX = 2_000;
export const RECONNECT_MS_MAX = 10_000;

/** A connection that has lasted so long was not a failure. */
export const STEADY_MS = 5_000;

/** Clocks that differ by less are left alone: how long frames travel varies more than most clocks do. */
export const CLOCK_TOLERANCE_MS = 1_000;

/** "Try again later": a node has closed the socket for what this client did not read, or sent too much of. */
export const CLOSED_AS_SLOW = 1013;
