/** A socket that asks one thing at a time and shows every frame, for tests of the protocol. */
import { ClusterId } from "../../src/data/ids.ts";
import { decodeServerMessage, encodeClientMessage } from "../../src/protocol/codec.ts";
import type {
  ClientMessage,
  ClientWrite,
  ServerMessage,
  Welcome,
} from "../../src/protocol/client-messages.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";

const ANSWER_TIMEOUT_MS = 10_000;

export class Client {
  readonly socket: WebSocket;
  readonly received: ServerMessage[] = [];
  closed: number | null = null;
  #heard: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }) => {
      if (typeof data === "string") return;
      const message = decodeServerMessage(new Uint8Array(data as ArrayBuffer));
      if (!message.ok) throw new Error(JSON.stringify(message.error));
      this.received.push(message.value);
      this.#heard();
    });
    socket.addEventListener("close", ({ code }) => {
      this.closed = code;
      this.#heard();
    });
  }

  static async open(base: URL, query = ""): Promise<Client> {
    const url = new URL(`/v1/ws${query}`, base);
    url.protocol = "ws:";
    const socket = new WebSocket(url.href);
    const client = new Client(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error(`no socket at ${url.href}`)));
    });
    return client;
  }

  async hello(forward: boolean, clientId: string): Promise<Welcome> {
    const cluster = ClusterId("main");
    this.send({ type: "HELLO", version: PROTOCOL_VERSION, cluster, clientId, forward });
    return this.next("WELCOME");
  }

  send(message: ClientMessage): void {
    this.raw(encodeClientMessage(message));
  }

  raw(bytes: Uint8Array): void {
    this.socket.send(new Uint8Array(bytes));
  }

  /** The next frame of that type, also one that has come already; frames before it are taken away. */
  async next<Type extends ServerMessage["type"]>(
    type: Type,
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<Extract<ServerMessage, { type: Type }>> {
    for (const began = Date.now(); ;) {
      const found = this.received.findIndex((message) => message.type === type);
      const message = this.received[found];
      if (message && isOf(message, type)) {
        this.received.splice(0, found + 1);
        return message;
      }
      const left = timeoutMs - (Date.now() - began);
      if (this.closed !== null || left <= 0)
        throw new Error(`no ${type} (closed: ${this.closed}): ${JSON.stringify(this.received)}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#heard = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

export function opOf(
  key: string,
  value: Uint8Array | null,
  node: string,
  counter = 0,
): ClientWrite {
  return { map: "ws", key, value, expiresAt: null, stamp: { millis: Date.now(), counter, node } };
}

function isOf<Type extends ServerMessage["type"]>(
  message: ServerMessage,
  type: Type,
): message is Extract<ServerMessage, { type: Type }> {
  return message.type === type;
}
