/** What is said to those alone who subscribe: nobody else need load how it is read. */
import type { Result } from "../data/result.ts";
import { decodeToClient } from "./decoding.ts";
import type { ErrorInfo } from "./error-data.ts";
import { SUBSCRIBED_SCHEMAS } from "./schema-subscribed.ts";
import type { Changes, Resync, Synced, WantDigests } from "./subscription-messages.ts";

export type Subscribed = Changes | Synced | WantDigests | Resync;

export const decodeSubscribed = (bytes: Uint8Array): Result<Subscribed, ErrorInfo> =>
  decodeToClient<Subscribed>(SUBSCRIBED_SCHEMAS, bytes);
