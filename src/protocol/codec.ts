/**
 * Bytes <-> messages. Decoding is the border: it never throws, whatever arrives, and what it lets
 * through is inside every bound of `limits.ts`. Decoded byte arrays are views of the bytes given.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../data/result.ts";
import { malformed, within } from "./checks.ts";
import type { ClientMessage, ServerMessage } from "./client-messages.ts";
import type { ClusterMessage, Envelope } from "./cluster-messages.ts";
import { makeError, type ErrorInfo } from "./errors.ts";
import {
  ENVELOPE_BYTES_MAX,
  ENVELOPE_ITEMS_MAX,
  FRAME_BYTES_MAX,
  FRAME_ITEMS_MAX,
} from "./limits.ts";
import { isFields, readFirstFields, readValue, type Fields } from "./reader.ts";
import { CLIENT_SCHEMAS, SERVER_SCHEMAS } from "./schema-client.ts";
import { CLUSTER_SCHEMAS } from "./schema-cluster.ts";
import { clusterId, parse, sender, term, type Schema } from "./schema.ts";
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "./version.ts";
import { clientWire, clusterWire, serverWire } from "./wire.ts";
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
  const message = decodeMessage<ClusterMessage>(
    CLUSTER_SCHEMAS,
    fields.value["message"],
    "message",
  );
  if (!message.ok) return message;
  return ok({ ...head.value, version: version.value, message: message.value });
}

function decodeHead(
  fields: Fields,
): Result<Pick<Envelope, "clusterId" | "term" | "from">, ErrorInfo> {
  const head = parse(HEAD_SCHEMA, fields);
  return head.ok ? head : err(head.error(""));
}

// ------------------------------------------------------------------ between clients and nodes

export const encodeClientMessage = (message: ClientMessage): Uint8Array =>
  writeValue(clientWire(message));

/** Either the whole frame is valid, or nothing of it is handed out. */
export function decodeClientMessage(bytes: Uint8Array): Result<ClientMessage, DecodeError> {
  const fields = readFields(bytes, FRAME_BYTES_MAX, FRAME_ITEMS_MAX);
  if (!fields.ok) return err({ seq: seqOf(readFirstFields(bytes, "seq")), error: fields.error });
  const message = decodeFrame<ClientMessage>(CLIENT_SCHEMAS, fields.value, "HELLO");
  return message.ok ? message : err({ seq: seqOf(fields.value), error: message.error });
}

export const encodeServerMessage = (message: ServerMessage): Uint8Array =>
  writeValue(serverWire(message));

export function decodeServerMessage(bytes: Uint8Array): Result<ServerMessage, ErrorInfo> {
  const fields = readFields(bytes, ENVELOPE_BYTES_MAX, ENVELOPE_ITEMS_MAX);
  return fields.ok ? decodeFrame<ServerMessage>(SERVER_SCHEMAS, fields.value, "WELCOME") : fields;
}

/** `greeting`: the message of a session that says which version is spoken. */
function decodeFrame<M>(
  schemas: Schemas<M>,
  fields: Fields,
  greeting: string,
): Result<M, ErrorInfo> {
  const version = fields["type"] === greeting ? decodeVersion(fields["version"]) : null;
  return version && !version.ok ? version : decodeMessage(schemas, fields, "");
}

function seqOf(fields: Fields): number | null {
  const seq = fields["seq"];
  return typeof seq === "number" && Number.isSafeInteger(seq) && seq >= 0 ? seq : null;
}

// ------------------------------------------------------------------ both

type Schemas<M> = Readonly<Record<string, Schema<M>>>;

const HEAD_SCHEMA = v.object({ clusterId, term, from: sender });

function readFields(
  bytes: Uint8Array,
  bytesMax: number,
  itemsMax: number,
): Result<Fields, ErrorInfo> {
  if (bytes.length > bytesMax)
    return err(makeError("FRAME_TOO_LARGE", { bytes: bytes.length, bytesMax }));
  const value = readValue(bytes, itemsMax);
  if (!value.ok) return err(value.error("frame"));
  return isFields(value.value) ? ok(value.value) : err(malformed("a map")("frame"));
}

/** Before anything else is looked at: under another version it may mean something else. */
function decodeVersion(version: unknown): Result<number, ErrorInfo> {
  if (typeof version !== "number" || !Number.isSafeInteger(version))
    return err(malformed("an integer")("version"));
  return version >= PROTOCOL_VERSION_MIN && version <= PROTOCOL_VERSION
    ? ok(version)
    : err(makeError("PROTOCOL_VERSION_MISMATCH", { expected: PROTOCOL_VERSION, got: version }));
}

function decodeMessage<M>(schemas: Schemas<M>, fields: unknown, at: string): Result<M, ErrorInfo> {
  if (!isFields(fields)) return err(malformed("a map")(at));
  const { type } = fields;
  if (typeof type !== "string") return err(within(malformed("a text"), ".type")(at));
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (!schema) return err(makeError("UNKNOWN_MESSAGE", { type }));
  const message = parse(schema, fields);
  return message.ok ? message : err(message.error(at));
}
