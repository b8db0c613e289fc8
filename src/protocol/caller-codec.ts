/** What those alone say who call actors: nobody else need load how it is written. */
import { packClientCall } from "./client-calls.ts";
import type { Call } from "./client-messages.ts";
import { withPacked } from "./client-wire.ts";
import { writeValue } from "./writer.ts";

export const encodeCall = (message: Call): Uint8Array =>
  writeValue(withPacked(message, { calls: message.calls.map(packClientCall) }));
