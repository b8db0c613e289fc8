/**
 * Bytes <-> messages. Decoding is the border: it never throws, whatever arrives, and what it lets
 * through is inside every bound of `limits.ts`. Decoded byte arrays are views of the bytes given.
 */
import * as v from "./shapes.ts";
import { err, ok, type Result } from "../data/result.ts";
import { encodeCall } from "./caller-codec.ts";
import { malformed } from "./checks.ts";
import { encodeAsked } from "./client-codec.ts";
import type { ClientMessage, ServerMessage } from "./client-messages.ts";
import type { ClusterMessage, Envelope } from "./cluster-messages.ts";
import {
  decodeFrame,
  decodeMessage,
  decodeToClient,
  decodeVersion,
  readFields,
} from "./decoding.ts";
import type { ErrorInfo } from "./errors.ts";
import {
  ENVELOPE_BYTES_MAX,
  ENVELOPE_ITEMS_MAX,
  FRAME_BYTES_MAX,
  FRAME_ITEMS_MAX,
} from "./limits.ts";
import { isFields, readFirstFields, type Fields } from "./reader.ts";
// oxlint-disable-next-line import/no-unassigned-import -- it asserts, and has nothing to give
import "./relations.ts";
import { CLIENT_SCHEMAS } from "./schema-client.ts";
import { CLUSTER_SCHEMAS } from "./schema-cluster.ts";
import { parse } from "./schema.ts";
import { clusterId, sender, term } from "./schema-shared.ts";
import { SERVER_SCHEMAS } from "./schema-subscribed.ts";
import { encodeSubscriber } from "./subscriber-codec.ts";
import { clusterWire, serverWire } from "./wire.ts";
import { writeValue } from "./writer.ts";

/** Why a client's frame is refused. `seq` is the frame's, if it could be made out. */
export interface DecodeError {
  readonly seq: number | null;
  readonly error: ErrorInfo;
}

// ------------------------------------------------------------------ between objects

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const { clusterId: cluster, version, term: inTerm, from, message } = envelope;
  return writeValue({
    clusterId: cluster,
    version,
    term: inTerm,
    from,
    message: clusterWire(message),
  });
}

export function decodeEnvelope(bytes: Uint8Array): Result<Envelope, ErrorInfo> {
  const fields = readFields(bytes, ENVELOPE_BYTES_MAX, ENVELOPE_ITEMS_MAX);
  if (!fields.ok) return fields;
  const version = decodeVersion(fields.value["version"]);
  if (!version.ok) return version;
  const head = decodeHead(fields.value);
  if (!head.ok) return head;
  const said = fields.value["message"];
  if (!isFields(said)) return err(malformed("a map")("message"));
  const message = decodeMessage<ClusterMessage>(CLUSTER_SCHEMAS, said, "message");
  if (!message.ok) return message;
  return ok({ ...head.value, version: version.value, message: message.value });
}

function decodeHead(
  fields: Fields,
): Result<Pick<Envelope, "clusterId" | "term" | "from">, ErrorInfo> {
  const head = parse(HEAD_SCHEMA, fields);
  return head.ok ? head : err(head.error(""));
}

// ------------------------------------------------------------------ a node to its clients

export const decodeServerMessage = (bytes: Uint8Array): Result<ServerMessage, ErrorInfo> =>
  decodeToClient<ServerMessage>(SERVER_SCHEMAS, bytes);

export function encodeClientMessage(message: ClientMessage): Uint8Array {
  switch (message.type) {
    case "CALL":
      return encodeCall(message);
    case "SUBSCRIBE":
    case "UNSUBSCRIBE":
    case "DIGESTS":
      return encodeSubscriber(message);
    default:
      return encodeAsked(message);
  }
}

/** Either the whole frame is valid, or nothing of it is handed out. */
export function decodeClientMessage(bytes: Uint8Array): Result<ClientMessage, DecodeError> {
  const fields = readFields(bytes, FRAME_BYTES_MAX, FRAME_ITEMS_MAX);
  if (!fields.ok) return err({ seq: seqOf(readFirstFields(bytes, "seq")), error: fields.error });
  const message = decodeFrame<ClientMessage>(CLIENT_SCHEMAS, fields.value, "HELLO");
  return message.ok ? message : err({ seq: seqOf(fields.value), error: message.error });
}

export const encodeServerMessage = (message: ServerMessage): Uint8Array =>
  writeValue(serverWire(message));

function seqOf(fields: Fields): number | null {
  const seq = fields["seq"];
  return typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 0 ? seq : null;
}

const HEAD_SCHEMA = v.object({ clusterId, term, from: sender });
