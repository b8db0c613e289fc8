/** A client: writes, deletes and reads some keys, sends a frame again until each of its ops is answered. */
import { ClusterId } from "../../src/data/ids.ts";
import type { ClientMessage, ClientOp, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { Prng } from "./prng.ts";

export interface ClientPort {
  /** By the client's own clock. */
  readonly now: () => number;
  readonly valueBytesMax: number;
  readonly expiryRate: number;
  /** All ops of a write that was begun at this moment are answered. */
  readonly answered: (begunAt: number) => void;
  readonly trueTime: () => number;
  readonly send: (client: SimClient, message: ClientMessage) => void;
  readonly later: (ms: number, run: () => void) => void;
  readonly reroute: (client: SimClient) => void;
}

interface Frame {
  readonly ops: readonly ClientOp[];
  /** When the first of them was sent the first time. */
  readonly begunAt: number;
}

export class SimClient {
  readonly id: string;
  readonly forward: boolean;
  node = "";
  /** Frames without an answer, by seq. */
  readonly outbox = new Map<number, Frame>();
  written = 0;
  reads = 0;
  #seq = 0;
  #counter = 0;
  readonly #prng: Prng;
  readonly #port: ClientPort;

  constructor(id: string, forward: boolean, prng: Prng, port: ClientPort) {
    this.id = id;
    this.forward = forward;
    this.#prng = prng;
    this.#port = port;
  }

  connect(node: string): void {
    this.node = node;
    const hello = { version: 1, cluster: ClusterId("sim"), clientId: this.id } as const;
    this.#port.send(this, { type: "HELLO", ...hello, forward: this.forward });
    for (const seq of this.outbox.keys()) this.#sendFrame(seq);
  }

  write(keys: readonly string[]): void {
    const ops = keys.map((key): ClientOp => {
      const counter = this.#counter++ % 60_000;
      const stamp = { millis: this.#port.now(), counter, node: this.id };
      const value = this.#prng.chance(0.25) ? null : this.#value(counter);
      const expires = this.#prng.chance(this.#port.expiryRate);
      const expiresAt = expires ? this.#port.trueTime() + this.#prng.below(10_000) : null;
      this.written++;
      return { map: "m", key, stamp, value, expiresAt };
    });
    this.#put(ops, this.#port.trueTime());
  }

  #value(counter: number): Uint8Array {
    const bytes = new Uint8Array(2 + this.#prng.below(this.#port.valueBytesMax - 1));
    bytes.set([this.written & 255, counter & 255]);
    return bytes;
  }

  read(key: string): void {
    this.#port.send(this, { type: "GET", seq: this.#seq++, keys: [{ map: "m", key }] });
  }

  #put(ops: readonly ClientOp[], begunAt: number): void {
    const seq = this.#seq++;
    this.outbox.set(seq, { ops, begunAt });
    this.#sendFrame(seq);
    this.#watch(seq, 0);
  }

  #sendFrame(seq: number): void {
    const frame = this.outbox.get(seq);
    if (frame) this.#port.send(this, { type: "OPS", seq, ops: frame.ops });
  }

  #watch(seq: number, attempt: number): void {
    this.#port.later(1_500 + this.#prng.below(1_500), () => {
      if (!this.outbox.has(seq)) return;
      if (attempt % 2 === 1) this.#port.reroute(this);
      this.#sendFrame(seq);
      this.#watch(seq, attempt + 1);
    });
  }

  receive(message: ServerMessage): void {
    switch (message.type) {
      case "VALUES":
        this.reads++;
        return;
      case "ACK": {
        const frame = this.outbox.get(message.seq);
        if (!frame) return;
        const { ops, begunAt } = frame;
        this.outbox.delete(message.seq);
        const refused = message.exceptions.filter(({ result }) => result.type === "refused");
        // What was refused is tried again, under the stamps it has, as a frame of its own.
        const again = refused.flatMap(({ index }) => ops[index] ?? []);
        if (again.length === 0) return this.#port.answered(begunAt);
        return this.#port.later(100 + this.#prng.below(400), () => {
          this.#port.reroute(this);
          this.#put(again, begunAt);
        });
      }
      case "ERROR":
        if (message.error.code === "HELLO_EXPECTED") this.connect(this.node);
        return;
      default:
    }
  }
}
