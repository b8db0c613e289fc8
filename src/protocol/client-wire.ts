/** A client's messages as they are written: packed fields in place of operations, keys and positions. */
import type { ClientMessage } from "./client-messages.ts";
import { packClientOps, packDigests, packKeys, packPositions } from "./packing.ts";

export function clientWire(message: ClientMessage): object {
  switch (message.type) {
    case "OPS":
      return withPacked(message, { ops: packClientOps(message.ops) });
    case "GET":
      return withPacked(message, { keys: packKeys(message.keys) });
    case "SUBSCRIBE":
      return withPacked(message, { positions: packPositions(message.positions) });
    case "DIGESTS":
      return withPacked(message, { parts: packDigests(message.parts) });
    default:
      return message;
  }
}

/** `type` and `seq` go first: of a frame that is refused unread, the answer can still name it. */
const withPacked = (message: object, packed: object): object => ({
  type: "",
  seq: 0,
  ...message,
  ...packed,
});
