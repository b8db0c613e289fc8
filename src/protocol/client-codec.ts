/**
 * The half of the codec that a client needs. It is a module of its own so that a browser does not load what only
 * objects say to each other.
 */
import { type Result } from "../data/result.ts";
import type { Asked, Told } from "./client-messages.ts";
import { clientWire } from "./client-wire.ts";
import { decodeToClient } from "./decoding.ts";
import type { ErrorInfo } from "./errors.ts";
import { TOLD_SCHEMAS } from "./schema-server.ts";
import { writeValue } from "./writer.ts";

/** By who calls no actor and has no subscription. */
export const encodeAsked = (message: Asked): Uint8Array => writeValue(clientWire(message));

/** For the same. */
export const decodeTold = (bytes: Uint8Array): Result<Told, ErrorInfo> =>
  decodeToClient<Told>(TOLD_SCHEMAS, bytes);
