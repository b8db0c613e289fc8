/** A socket that follows one map, over as many connections as it takes. */
import { ClusterId } from "../../src/data/ids.ts";
import { decodeServerMessage, encodeClientMessage } from "../../src/protocol/codec.ts";
import type { ClientMessage, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { ErrorInfo } from "../../src/protocol/errors.ts";
import type { Query } from "../../src/protocol/subscription-messages.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { Subscriber } from "../sim/subscriber.ts";
import { pause } from "./writer.ts";

export class Follower {
  readonly subscriber: Subscriber;
  /** Of all that is about the subscription, both ways, since the last connection. */
  bytes = 0;
  readonly types = new Map<string, number>();
  /** Whoever follows asks for no more than its credit. */
  readonly refused: ErrorInfo[] = [];
  readonly #base: () => URL;
  #socket: WebSocket | null = null;
  #received = 0;

  constructor(base: () => URL, query: Query) {
    this.#base = base;
    this.subscriber = new Subscriber(1, query);
  }

  async connect(node: string): Promise<void> {
    this.leave();
    const url = new URL(`/v1/ws?node=${node}`, this.#base());
    url.protocol = "ws:";
    const socket = new WebSocket(url.href);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    [this.bytes, this.#received] = [0, 0];
    this.types.clear();
    socket.addEventListener("message", ({ data }) => {
      if (socket === this.#socket && typeof data !== "string")
        this.#hear(new Uint8Array(data as ArrayBuffer));
    });
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error(`no socket at ${url.href}`)));
    });
    const hello = { version: PROTOCOL_VERSION, cluster: ClusterId("main"), forward: true };
    this.#say({ type: "HELLO", ...hello, clientId: "follower", received: 0 });
    this.#say(this.subscriber.subscribe());
  }

  leave(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  get closed(): boolean {
    return this.#socket === null || this.#socket.readyState > WebSocket.OPEN;
  }

  async synced(): Promise<void> {
    await until(() => this.subscriber.synced, "all there is");
  }

  /** Of its rows by key. */
  async has(expected: ReadonlyMap<string, unknown>, decode: (value: Uint8Array) => unknown) {
    const is = (): boolean => {
      const rows = this.subscriber.rows;
      return (
        rows.length === expected.size &&
        rows.every(({ key, value }) => value && expected.get(key) === decode(value))
      );
    };
    await until(is, `${expected.size} rows (${this.subscriber.rows.length})`);
  }

  #hear(bytes: Uint8Array): void {
    this.#received += bytes.length;
    const message = decodeServerMessage(bytes);
    if (!message.ok) throw new Error(JSON.stringify(message.error));
    this.#count(message.value, bytes.length);
    if (message.value.type === "ERROR") this.refused.push(message.value.error);
    const answer = this.subscriber.hear(message.value);
    if (answer) this.#say(answer);
    this.#say({ type: "RECEIVED", received: this.#received });
  }

  #say(message: ClientMessage): void {
    const bytes = encodeClientMessage(message);
    this.#count(message, bytes.length);
    this.#socket?.send(new Uint8Array(bytes));
  }

  #count({ type }: ClientMessage | ServerMessage, bytes: number): void {
    if (!ABOUT.has(type)) return;
    this.types.set(type, (this.types.get(type) ?? 0) + 1);
    this.bytes += bytes;
  }
}

const ABOUT = new Set(["SUBSCRIBE", "CHANGES", "SYNCED", "WANT_DIGESTS", "DIGESTS", "RESYNC"]);

export async function until(is: () => boolean, what: string, ms = 30_000): Promise<void> {
  for (const began = Date.now(); !is(); await pause(10))
    if (Date.now() - began > ms) throw new Error(`${what} does not come`);
}
