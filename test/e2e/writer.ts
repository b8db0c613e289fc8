/** A client over a real socket: writes frame after frame, remembers what was acknowledged, sends again. */
import { ClusterId } from "../../src/data/ids.ts";
import { decodeServerMessage, encodeClientMessage } from "../../src/protocol/codec.ts";
import type {
  ClientMessage,
  ClientWrite,
  ServerMessage,
} from "../../src/protocol/client-messages.ts";

const RESEND_AFTER_MS = 3_000;

export class Writer {
  readonly acked = new Map<string, number>();
  readonly refused: string[] = [];
  redirected = 0;
  gapMsMax = 0;
  readonly #base: URL;
  readonly #id: string;
  #socket: WebSocket | null = null;
  #seq = 0;
  #counter = 0;
  #stopped = false;
  #lastAckMs = Date.now();
  readonly #outbox = new Map<number, { ops: ClientWrite[]; sentMs: number }>();

  constructor(base: URL, id: string) {
    this.#base = base;
    this.#id = id;
  }

  async connect(): Promise<void> {
    const url = new URL("/v1/ws", this.#base);
    url.protocol = "ws:";
    const socket = new WebSocket(url.href);
    socket.binaryType = "arraybuffer";
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("no socket")));
    });
    socket.addEventListener("message", ({ data }) =>
      this.#receive(new Uint8Array(data as ArrayBuffer)),
    );
    socket.addEventListener("close", () => {
      if (!this.#stopped) void this.connect();
    });
    this.#socket = socket;
    this.#send({
      type: "HELLO",
      version: 1,
      cluster: ClusterId("main"),
      clientId: this.#id,
      forward: true,
    });
    for (const [seq, frame] of this.#outbox) this.#sendFrame(seq, frame);
  }

  /** Writes until told to stop; at most a few frames are under way. */
  async run(until: () => boolean): Promise<void> {
    while (!until()) {
      if (this.#outbox.size < 8) this.#put(16);
      else await pause(1);
      this.#resend();
      await pause(0);
    }
    for (
      const began = Date.now();
      this.#outbox.size > 0 && Date.now() - began < 40_000;
      await pause(20)
    )
      this.#resend();
    this.#stopped = true;
    this.#socket?.close();
  }

  get unanswered(): number {
    return this.#outbox.size;
  }

  #put(count: number): void {
    const ops = Array.from({ length: count }, (): ClientWrite => {
      const n = this.#counter++;
      const stamp = { millis: Date.now(), counter: n % 60_000, node: this.#id };
      const value = new Uint8Array([0xcd, (n >> 8) & 255, n & 255]); // msgpack uint16
      return { map: "load", key: `${this.#id}-${n % 3_000}`, stamp, value, expiresAt: null };
    });
    const seq = this.#seq++;
    const frame = { ops, sentMs: Date.now() };
    this.#outbox.set(seq, frame);
    this.#sendFrame(seq, frame);
  }

  #resend(): void {
    for (const [seq, frame] of this.#outbox)
      if (Date.now() - frame.sentMs > RESEND_AFTER_MS) this.#sendFrame(seq, frame);
  }

  #sendFrame(seq: number, frame: { ops: ClientWrite[]; sentMs: number }): void {
    frame.sentMs = Date.now();
    this.#send({ type: "OPS", seq, ops: frame.ops });
  }

  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(encodeClientMessage(message));
  }

  #receive(bytes: Uint8Array): void {
    const message = decodeServerMessage(bytes);
    if (!message.ok) throw new Error(JSON.stringify(message.error));
    this.#take(message.value);
  }

  #take(message: ServerMessage): void {
    if (message.type === "NOT_OWNER") this.redirected += message.indexes.length;
    if (message.type === "ERROR") this.refused.push(message.error.code);
    if (message.type !== "ACK") return;
    const frame = this.#outbox.get(message.seq);
    if (!frame) return;
    this.#outbox.delete(message.seq);
    this.gapMsMax = Math.max(this.gapMsMax, Date.now() - this.#lastAckMs);
    this.#lastAckMs = Date.now();
    const exceptions = new Map(message.exceptions.map(({ index, result }) => [index, result]));
    for (const [index, op] of frame.ops.entries()) {
      const exception = exceptions.get(index);
      if (exception?.type === "refused") this.refused.push(exception.error.code);
      else if (op.value && !exception)
        this.acked.set(op.key, ((op.value[1] ?? 0) << 8) | (op.value[2] ?? 0));
    }
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));
