/** Why the client's bounds fit together. Here, since no browser need load it. */
import { expect, it } from "vitest";
import {
  FLIGHT_BYTES_MAX,
  FLIGHTS_MAX,
  FRAME_HEAD_BYTES,
  PING_MS,
  PONG_MS_MAX,
  RECONNECT_MS_MAX,
  REMOVED_TAG_BYTES,
} from "../../src/client/limits.ts";
import {
  CREDIT_FRAMES,
  FRAME_BYTES_MAX,
  FRAME_ITEMS_MAX,
  FRAME_OPS_MAX,
  SLOW_RETRY_MS,
  TAGS_MAX,
  VALUE_BYTES_MAX,
} from "../../src/protocol/limits.ts";

/** Msgpack values in an operation, its tags apart. */
const OP_ITEMS = 10;

it.each([
  ["a request for the map fits beside all flights", FLIGHTS_MAX < CREDIT_FRAMES],
  ["every operation fits a frame", VALUE_BYTES_MAX + FRAME_HEAD_BYTES < FRAME_BYTES_MAX],
  ["every frame can go out alone", FRAME_BYTES_MAX <= FLIGHT_BYTES_MAX],
  [
    "a removal fits a frame",
    VALUE_BYTES_MAX + TAGS_MAX * REMOVED_TAG_BYTES + 2 * FRAME_HEAD_BYTES < FRAME_BYTES_MAX,
  ],
  [
    "a frame of removals is read by every node",
    FRAME_OPS_MAX * OP_ITEMS + FRAME_BYTES_MAX / REMOVED_TAG_BYTES < FRAME_ITEMS_MAX,
  ],
  ["one answer is there before the next is asked for", PONG_MS_MAX < PING_MS],
  ["who is told to stay away a while can do so", SLOW_RETRY_MS <= RECONNECT_MS_MAX],
])("%s", (_, holds) => {
  expect(holds).toBe(true);
});
