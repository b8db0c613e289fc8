/** One schema per message of a client's, complete: a message without one does not compile. */
import * as v from "./shapes.ts";
import type {
  Call,
  ClientMessage,
  FetchMap,
  Get,
  Hello,
  Ops,
  Received,
} from "./client-messages.ts";
import { declared } from "./declared.ts";
import { CLIENT_CALL_LAYOUT } from "./packed-calls.ts";
import {
  CLIENT_OP_LAYOUT,
  KEY_LAYOUT,
  unpackClientCalls,
  unpackClientOps,
  unpackKeys,
} from "./packed-ops.ts";
import { CLIENT_SET_LAYOUTS, SET_OP_LAYOUTS } from "./packed-set-ops.ts";
import { describe, packed } from "./layout.ts";
import { clientId, count, version } from "./schema.ts";
import type { Schema } from "./shapes.ts";
import { ackLevel, clusterId } from "./schema-shared.ts";
import { subscriberSchemas } from "./schema-subscriptions.ts";

const clientOps = [CLIENT_OP_LAYOUT, ...Object.values(CLIENT_SET_LAYOUTS)];
const questions = [KEY_LAYOUT, SET_OP_LAYOUTS.members, SET_OP_LAYOUTS.total];

export const CLIENT_SCHEMAS: {
  readonly [Type in ClientMessage["type"]]: Schema<Extract<ClientMessage, { type: Type }>>;
} = {
  HELLO: declared<Hello>()(
    v.object({
      type: v.literal("HELLO"),
      version: count(),
      cluster: clusterId,
      clientId: v.exactOptional(clientId),
      forward: v.boolean(),
      received: v.exactOptional(count()),
    }),
  ),
  OPS: declared<Ops>()(
    v.object({
      type: v.literal("OPS"),
      seq: count(),
      ops: packed(`list of ${clientOps.map(describe).join(" or ")}`, unpackClientOps),
      ack: v.exactOptional(ackLevel),
      received: v.exactOptional(count()),
    }),
  ),
  GET: declared<Get>()(
    v.object({
      type: v.literal("GET"),
      seq: count(),
      keys: packed(`list of ${questions.map(describe).join(" or ")}`, unpackKeys),
      received: v.exactOptional(count()),
    }),
  ),
  CALL: declared<Call>()(
    v.object({
      type: v.literal("CALL"),
      seq: count(),
      calls: packed(`list of ${describe(CLIENT_CALL_LAYOUT)}`, unpackClientCalls),
      received: v.exactOptional(count()),
    }),
  ),
  FETCH_MAP: declared<FetchMap>()(
    v.object({
      type: v.literal("FETCH_MAP"),
      version: v.exactOptional(version),
      viewVersion: v.exactOptional(version),
      received: v.exactOptional(count()),
    }),
  ),
  RECEIVED: declared<Received>()(v.object({ type: v.literal("RECEIVED"), received: count() })),
  ...subscriberSchemas,
};
