/** A client's messages as they are written: packed fields in place of operations and keys. */
import type { ClientMessage } from "./client-messages.ts";
import { packClientOps, packKeys } from "./packing.ts";

/** `type` and `seq` go first: of a frame that is refused unread, the answer can still name it. */
export function clientWire(message: ClientMessage): object {
  if (message.type === "OPS") {
    const { type, seq, ops, ...rest } = message;
    return { type, seq, ops: packClientOps(ops), ...rest };
  }
  if (message.type === "GET") {
    const { type, seq, keys, ...rest } = message;
    return { type, seq, keys: packKeys(keys), ...rest };
  }
  return message;
}
