/** What a node says to its clients, to subscribers among them. */
import * as v from "./shapes.ts";
import type { ServerMessage } from "./client-messages.ts";
import { declared } from "./declared.ts";
import { describe, packed } from "./layout.ts";
import { CHANGED_ROW_LAYOUT, PART_LAYOUT, unpackParts } from "./packed-changes.ts";
import { count } from "./schema.ts";
import { digestKey, partitionIds } from "./schema-digests.ts";
import { REPLIES_SCHEMAS } from "./schema-replies.ts";
import { TOLD_SCHEMAS } from "./schema-server.ts";
import type { Schema } from "./shapes.ts";
import type { Changes, Resync, Synced, WantDigests } from "./subscription-messages.ts";

export const SUBSCRIBED_SCHEMAS = {
  CHANGES: declared<Changes>()(
    v.object({
      type: v.literal("CHANGES"),
      id: count(),
      parts: packed(
        `list of ${describe(PART_LAYOUT)}, rows of ${describe(CHANGED_ROW_LAYOUT)}`,
        unpackParts,
      ),
    }),
  ),
  SYNCED: declared<Synced>()(v.object({ type: v.literal("SYNCED"), id: count() })),
  WANT_DIGESTS: declared<WantDigests>()(
    v.object({ type: v.literal("WANT_DIGESTS"), id: count(), salt: digestKey, partitionIds }),
  ),
  RESYNC: declared<Resync>()(v.object({ type: v.literal("RESYNC") })),
};

export const SERVER_SCHEMAS: {
  readonly [Type in ServerMessage["type"]]: Schema<Extract<ServerMessage, { type: Type }>>;
} = { ...TOLD_SCHEMAS, ...REPLIES_SCHEMAS, ...SUBSCRIBED_SCHEMAS };
