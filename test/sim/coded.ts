import { isDeepStrictEqual } from "node:util";
import { equalBytes } from "../../src/data/bytes.ts";
import { ClusterId, Term } from "../../src/data/ids.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import {
  decodeClientMessage,
  decodeEnvelope,
  decodeServerMessage,
  encodeClientMessage,
  encodeEnvelope,
  encodeServerMessage,
} from "../../src/protocol/codec.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";

const HEAD = { clusterId: ClusterId("sim"), version: PROTOCOL_VERSION, term: Term(0) };

/** What a machine says must arrive as it was said: the network here carries values, the real one bytes. */
export function assertCoded(from: Sender, message: ClusterMessage): void {
  const decoded = decodeEnvelope(encodeEnvelope({ ...HEAD, from, message }));
  if (!decoded.ok)
    throw new Error(`${message.type} is refused by its receiver: ${decoded.error.message}`);
  if (!isDeepStrictEqual(decoded.value.message, message))
    throw new Error(`${message.type} arrives as another message`);
}

/** The same of what a client and a node say. */
export function assertFrameCoded(message: ClientMessage | ServerMessage): void {
  const bytes = encoded(message);
  const decoded = isFromClient(message) ? decodeClientMessage(bytes) : decodeServerMessage(bytes);
  if (!decoded.ok) throw new Error(`${message.type} is refused: ${JSON.stringify(decoded.error)}`);
  // Some of what is said in memory is left out on the wire.
  const isSame = isDeepStrictEqual(decoded.value, message);
  if (!isSame && !equalBytes(encoded(decoded.value), bytes))
    throw new Error(`${message.type} arrives as another message`);
}

const encoded = (message: ClientMessage | ServerMessage): Uint8Array =>
  isFromClient(message) ? encodeClientMessage(message) : encodeServerMessage(message);

const FROM_CLIENT = new Set<string>([
  "HELLO",
  "OPS",
  "GET",
  "CALL",
  "FETCH_MAP",
  "RECEIVED",
  "SUBSCRIBE",
  "UNSUBSCRIBE",
  "DIGESTS",
] satisfies ClientMessage["type"][]);

const isFromClient = (message: ClientMessage | ServerMessage): message is ClientMessage =>
  FROM_CLIENT.has(message.type);
