/**
 * A client that writes to one partition, a few frames at a time, and keeps account: what was
 * acknowledged, what was refused, how often its socket was lost.
 */
import { partitionOf } from "../../src/data/hash.ts";
import { ClusterId } from "../../src/data/ids.ts";
import type {
  ClientMessage,
  ClientWrite,
  ServerMessage,
} from "../../src/protocol/client-messages.ts";
import { decodeServerMessage, encodeClientMessage } from "../../src/protocol/codec.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { pause } from "./writer.ts";

/** Enough to be heard of all the time, and few enough to leave room for others. */
const GENTLE: Pace = { frames: 3, ops: 8 };
const RESEND_AFTER_MS = 1_000;

/** The first `count` keys `<prefix><number>` that lie in one partition. */
export function keysIn(
  partition: number,
  partitions: number,
  { prefix, count }: { readonly prefix: string; readonly count: number },
): readonly string[] {
  const keys: string[] = [];
  for (let n = 0; keys.length < count; n++)
    if (partitionOf(`${prefix}${n}`, partitions) === partition) keys.push(`${prefix}${n}`);
  return keys;
}

/** How many frames are under way, and how many ops are in each. */
export interface Pace {
  readonly frames: number;
  readonly ops: number;
}

interface Frame {
  readonly ops: readonly ClientWrite[];
  sentMs: number;
}

export class PartitionWriter {
  readonly acked = new Map<string, number>();
  readonly refused: string[] = [];
  /** Frames acknowledged. */
  acks = 0;
  ackedOps = 0;
  greetings = 0;
  lost = 0;
  readonly #url: URL;
  readonly #id: string;
  readonly #keys: readonly string[];
  readonly #pace: Pace;
  readonly #outbox = new Map<number, Frame>();
  #socket: WebSocket | null = null;
  #seq = 0;
  #count = 0;
  #writing = false;
  #closing = false;

  /** Through the node `node`, which passes on what it does not own. */
  constructor(base: URL, node: string, keys: readonly string[], pace: Pace = GENTLE) {
    this.#url = new URL(`/v1/ws?node=${node}`, base);
    this.#url.protocol = "ws:";
    this.#id = `writer-${node}`;
    this.#keys = keys;
    this.#pace = pace;
  }

  async start(): Promise<void> {
    await this.#connect();
    this.#writing = true;
    this.#fill();
  }

  /** Returns when everything sent is answered, or nothing came for long. */
  async stop(): Promise<void> {
    this.#writing = false;
    for (const began = Date.now(); this.unanswered > 0 && Date.now() - began < 30_000;) {
      await pause(20);
      this.resend();
    }
    this.#closing = true;
    this.#socket?.close();
  }

  get unanswered(): number {
    return this.#outbox.size;
  }

  /** Waits for `count` more frames to be acknowledged. */
  async hears(count: number): Promise<void> {
    const until = this.acks + count;
    for (const began = Date.now(); this.acks < until; await pause(2)) {
      this.resend();
      if (Date.now() - began > 20_000) throw new Error(`no ${count} acks in 20 s`);
    }
  }

  resend(): void {
    for (const [seq, frame] of this.#outbox)
      if (Date.now() - frame.sentMs > RESEND_AFTER_MS) this.#sendFrame(seq, frame);
  }

  async #connect(): Promise<void> {
    const socket = new WebSocket(this.#url.href);
    socket.binaryType = "arraybuffer";
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("no socket")));
    });
    socket.addEventListener("message", ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return;
      const message = decodeServerMessage(new Uint8Array(data));
      if (!message.ok) throw new Error(JSON.stringify(message.error));
      this.#take(message.value);
    });
    socket.addEventListener("close", () => void this.#reconnect());
    this.#socket = socket;
    const cluster = ClusterId("main");
    const hello = { clientId: this.#id, forward: true, version: PROTOCOL_VERSION } as const;
    this.#send({ type: "HELLO", cluster, ...hello });
    for (const [seq, frame] of this.#outbox) this.#sendFrame(seq, frame);
  }

  async #reconnect(): Promise<void> {
    if (this.#closing) return;
    this.lost++;
    for (const began = Date.now(); Date.now() - began < 20_000; await pause(50)) {
      const connected = await this.#connect().then(
        () => true,
        () => false,
      );
      if (connected) return;
    }
  }

  #fill(): void {
    while (this.#writing && this.#outbox.size < this.#pace.frames) {
      const frame = { ops: Array.from({ length: this.#pace.ops }, () => this.#op()), sentMs: 0 };
      const seq = this.#seq++;
      this.#outbox.set(seq, frame);
      this.#sendFrame(seq, frame);
    }
  }

  #op(): ClientWrite {
    const n = this.#count++;
    const stamp = { millis: Date.now(), counter: n % 60_000, node: this.#id };
    const key = this.#keys[n % this.#keys.length] ?? "";
    return { map: "load", key, stamp, value: msgpackOf(n), expiresAt: null };
  }

  #sendFrame(seq: number, frame: Frame): void {
    frame.sentMs = Date.now();
    this.#send({ type: "OPS", seq, ops: frame.ops });
  }

  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN)
      this.#socket.send(encodeClientMessage(message));
  }

  #take(message: ServerMessage): void {
    if (message.type === "WELCOME") this.greetings++;
    if (message.type === "ERROR") this.refused.push(message.error.code);
    if (message.type !== "ACK") return;
    const frame = this.#outbox.get(message.seq);
    if (!frame) return;
    this.#outbox.delete(message.seq);
    this.acks++;
    this.ackedOps += frame.ops.length - message.exceptions.length;
    const exceptions = new Map(message.exceptions.map(({ index, result }) => [index, result]));
    for (const [index, op] of frame.ops.entries()) {
      const exception = exceptions.get(index);
      if (exception?.type === "refused") this.refused.push(exception.error.code);
      else if (!exception && op.value) this.acked.set(op.key, numberIn(op.value));
    }
    this.#fill();
  }
}

/** As uint 32. */
function msgpackOf(n: number): Uint8Array {
  const bytes = new Uint8Array(5);
  bytes[0] = 0xce;
  new DataView(bytes.buffer).setUint32(1, n);
  return bytes;
}

const numberIn = ({ buffer, byteOffset }: Uint8Array): number =>
  new DataView(buffer, byteOffset).getUint32(1);
