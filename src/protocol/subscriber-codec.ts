/** What those alone say and hear who subscribe: nobody else need load how it is written and read. */
import type { Result } from "../data/result.ts";
import { withPacked } from "./client-wire.ts";
import { decodeToClient } from "./decoding.ts";
import type { ErrorInfo } from "./error-data.ts";
import { SUBSCRIBED_SCHEMAS } from "./schema-subscribed.ts";
import type {
  Changes,
  Digests,
  PartDigest,
  PartPosition,
  Resync,
  Subscribe,
  Synced,
  Unsubscribe,
  WantDigests,
} from "./subscription-messages.ts";
import { writeValue } from "./writer.ts";

export type Subscribed = Changes | Synced | WantDigests | Resync;

export const encodeSubscriber = (message: Subscribe | Unsubscribe | Digests): Uint8Array =>
  writeValue(subscriberWire(message));

function subscriberWire(message: Subscribe | Unsubscribe | Digests): object {
  switch (message.type) {
    case "SUBSCRIBE":
      return withPacked(message, { positions: message.positions.map(packPosition) });
    case "DIGESTS":
      return withPacked(message, { parts: message.parts.map(packDigest) });
    case "UNSUBSCRIBE":
      return message;
  }
}

const packPosition = ({ partitionId, since, seq }: PartPosition): unknown[] => [
  partitionId,
  since,
  seq,
];

const packDigest = ({ partitionId, buckets }: PartDigest): unknown[] => [partitionId, buckets];

export const decodeSubscribed = (bytes: Uint8Array): Result<Subscribed, ErrorInfo> =>
  decodeToClient<Subscribed>(SUBSCRIBED_SCHEMAS, bytes);
