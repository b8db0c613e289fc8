/** From bytes to messages: what the codecs of clients and of objects have in common. Never throws, whatever arrives. */
import { err, ok, type Result } from "../data/result.ts";
import { malformed, within } from "./checks.ts";
import { borderError } from "./border-errors.ts";
import type { ErrorInfo } from "./error-data.ts";
import { ENVELOPE_BYTES_MAX, ENVELOPE_ITEMS_MAX } from "./limits.ts";
import { isFields, readValue, type Fields } from "./reader.ts";
import { parse } from "./schema.ts";
import { type Schema } from "./shapes.ts";
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "./version.ts";

type Schemas<M> = Readonly<Record<string, Schema<M>>>;

export function readFields(
  bytes: Uint8Array,
  bytesMax: number,
  itemsMax: number,
): Result<Fields, ErrorInfo> {
  if (bytes.length > bytesMax)
    return err(borderError("FRAME_TOO_LARGE", { bytes: bytes.length, bytesMax }));
  const value = readValue(bytes, itemsMax);
  if (!value.ok) return err(value.error("frame"));
  return isFields(value.value) ? ok(value.value) : err(malformed("a map")("frame"));
}

/** `greeting`: the message of a session that says which version is spoken. */
export function decodeFrame<M>(
  schemas: Schemas<M>,
  fields: Fields,
  greeting: string,
): Result<M, ErrorInfo> {
  const version = fields["type"] === greeting ? decodeVersion(fields["version"]) : null;
  return version && !version.ok ? version : decodeMessage(schemas, fields, "");
}

/** What a node says to a client, as far as `schemas` go. */
export function decodeToClient<M>(schemas: Schemas<M>, bytes: Uint8Array): Result<M, ErrorInfo> {
  const fields = readFields(bytes, ENVELOPE_BYTES_MAX, ENVELOPE_ITEMS_MAX);
  return fields.ok ? decodeFrame(schemas, fields.value, "WELCOME") : fields;
}

/** Before anything else is looked at: under another version it may mean something else. */
export function decodeVersion(version: unknown): Result<number, ErrorInfo> {
  if (typeof version !== "number" || !Number.isSafeInteger(version))
    return err(malformed("an integer")("version"));
  return version >= PROTOCOL_VERSION_MIN && version <= PROTOCOL_VERSION
    ? ok(version)
    : err(borderError("PROTOCOL_VERSION_MISMATCH", { expected: PROTOCOL_VERSION, got: version }));
}

export function decodeMessage<M>(
  schemas: Schemas<M>,
  fields: Fields,
  at: string,
): Result<M, ErrorInfo> {
  const { type } = fields;
  if (typeof type !== "string") return err(within(malformed("a text"), ".type")(at));
  const schema = Object.hasOwn(schemas, type) ? schemas[type] : undefined;
  if (!schema) return err(borderError("UNKNOWN_MESSAGE", { type }));
  const message = parse(schema, fields);
  return message.ok ? message : err(message.error(at));
}
