/** What those alone say and hear who call actors: nobody else need load how it is written and read. */
import type { Result } from "../data/result.ts";
import { packClientCall } from "./client-calls.ts";
import type { Call, FetchMap, Replies } from "./client-messages.ts";
import { withPacked } from "./client-wire.ts";
import { decodeToClient } from "./decoding.ts";
import type { ErrorInfo } from "./error-data.ts";
import { REPLIES_SCHEMAS } from "./schema-replies.ts";
import { writeValue } from "./writer.ts";

export const encodeCall = (message: Call | FetchMap): Uint8Array =>
  writeValue(
    message.type === "CALL"
      ? withPacked(message, { calls: message.calls.map(packClientCall) })
      : message,
  );

export const decodeReplies = (bytes: Uint8Array): Result<Replies, ErrorInfo> =>
  decodeToClient<Replies>(REPLIES_SCHEMAS, bytes);
