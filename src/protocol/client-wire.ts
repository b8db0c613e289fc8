/** A client's messages as they are written: packed fields in place of operations and keys. */
import type { Asked } from "./client-messages.ts";
import { packClientOps, packKeys } from "./packing.ts";

export function clientWire(message: Asked): object {
  switch (message.type) {
    case "OPS":
      return withPacked(message, { ops: packClientOps(message.ops) });
    case "GET":
      return withPacked(message, { keys: packKeys(message.keys) });
    default:
      return message;
  }
}

/** `type` and `seq` go first: of a frame that is refused unread, the answer can still name it. */
export const withPacked = (message: object, packed: object): object => ({
  type: "",
  seq: 0,
  ...message,
  ...packed,
});
