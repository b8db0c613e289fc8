/** One greeted socket to a node. */
import { ClusterId } from "../data/ids.ts";
import type { ClientMessage, ServerMessage } from "../protocol/client-messages.ts";
import { decodeServerMessage, encodeClientMessage } from "../protocol/codec.ts";
import { Receipts } from "../protocol/receipts.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";

const WELCOME_TIMEOUT_MS = 10_000;

/** A close without a code is answered only after 10 s. */
const NORMAL = 1_000;

export interface Wanted {
  /** null: any active member. */
  readonly node: string | null;
  readonly clientId: string;
  readonly forward: boolean;
}

/** What happens after the welcome. */
export interface Ears {
  readonly message: (message: ServerMessage) => void;
  readonly closed: (code: number) => void;
}

export interface Connection {
  readonly nodeId: string;
  readonly send: (message: ClientMessage) => void;
  readonly close: () => void;
}

/** Rejects if there is no welcome. */
export async function connect(base: URL, wanted: Wanted, ears: Ears): Promise<Connection> {
  const url = new URL("/v1/ws?cluster=main", base);
  url.protocol = "ws:";
  if (wanted.node !== null) url.searchParams.set("node", wanted.node);
  const socket = new WebSocket(url.href);
  socket.binaryType = "arraybuffer";
  const send = (message: ClientMessage): void => {
    // A frame for a socket that is closing is sent again by way of `closed`.
    if (socket.readyState === WebSocket.OPEN) socket.send(encodeClientMessage(message));
  };
  const close = (): void => socket.close(NORMAL);
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const timer = setTimeout(close, WELCOME_TIMEOUT_MS);
  let welcomed = false;
  const receipts = new Receipts();

  socket.addEventListener("open", () => {
    const { clientId, forward } = wanted;
    const cluster = ClusterId("main");
    send({ type: "HELLO", version: PROTOCOL_VERSION, cluster, clientId, forward, received: 0 });
  });
  socket.addEventListener("message", ({ data }) => {
    const message = decoded(data);
    if (!message) return;
    const receipt = receipts.take(data.byteLength, message);
    if (receipt) send(receipt);
    if (welcomed) return ears.message(message);
    if (message.type !== "WELCOME") return reject(new Error(`greeted by ${message.type}`));
    welcomed = true;
    clearTimeout(timer);
    resolve({ nodeId: message.nodeId, send, close });
  });
  socket.addEventListener("close", ({ code }) => {
    clearTimeout(timer);
    if (welcomed) ears.closed(code);
    else reject(new Error(`${url.href} closed with ${code} before a welcome`));
  });
  return promise;
}

function decoded(data: unknown): ServerMessage | null {
  if (!(data instanceof ArrayBuffer)) return null; // a pong
  const message = decodeServerMessage(new Uint8Array(data));
  if (!message.ok) throw new Error(message.error.message);
  return message.value;
}
