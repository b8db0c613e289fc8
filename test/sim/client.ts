/** A client: writes, deletes and reads some keys, sends a frame again until each of its ops is answered, keeps a map. */
import { ClusterId, NodeId } from "../../src/data/ids.ts";
import { applyMapDelta, mergeMaps } from "../../src/data/map-delta.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import type {
  ClientMessage,
  ClientOp,
  ClientQuestion,
  ClientWrite,
  MapDeltaMessage,
  ServerMessage,
} from "../../src/protocol/client-messages.ts";
import type { Stamp } from "../../src/data/hlc.ts";
import type { AckLevel, ReadResult } from "../../src/protocol/ops.ts";
import type { Prng } from "./prng.ts";

export interface ClientPort {
  /** By the client's own clock. */
  readonly now: () => number;
  readonly valueBytesMax: number;
  /** As it is stored. */
  readonly valueOf: (bytes: Uint8Array) => Uint8Array;
  readonly expiryRate: number;
  /** All that was refused is sent again at one moment, over one new connection: else each frame opens its own. */
  readonly gathers: boolean;
  /** Some frames ask that the backups have them. */
  readonly backups: boolean;
  /** All ops of a write that was begun at this moment are answered. */
  readonly answered: (begunAt: number) => void;
  readonly trueTime: () => number;
  readonly send: (client: SimClient, message: ClientMessage) => void;
  readonly later: (ms: number, run: () => void) => void;
  /** To any node; in the end to the owner, if that was named: among many chance would take too long. */
  readonly reroute: (client: SimClient, owner?: NodeId) => void;
  /** What it does to a set or a counter next. */
  readonly change: (client: SimClient, prng: Prng, stamp: Stamp) => ClientOp;
  /** Of a set or a counter. */
  readonly read: (question: ClientQuestion, result: ReadResult) => void;
  readonly heardMap: (client: SimClient, heard: HeardMap) => void;
}

export interface Frame {
  readonly ops: readonly ClientOp[];
  /** When the first of them was sent the first time. */
  readonly begunAt: number;
  readonly ack: AckLevel;
}

/** `gap`: it builds on what this client never had. */
export type HeardMap = "whole" | "delta" | "gap";

export class SimClient {
  readonly id: string;
  readonly forward: boolean;
  node = "";
  connections = 0;
  /** Frames without an answer, by seq. */
  readonly outbox = new Map<number, Frame>();
  written = 0;
  reads = 0;
  map: PartitionMapPayload | null = null;
  heard: HeardMap = "whole";
  /**
   * A frame to it was lost, or it asked, perhaps while a push was on its way, which then makes the answer a
   * misfit; and it has not been sent a whole map since. It may see a gap, and asks again.
   */
  lossy = false;
  /** To be sent once more, all at one moment. */
  readonly #refused: Frame[] = [];
  /** Of sets and counters, by seq. */
  readonly #questions = new Map<number, ClientQuestion>();
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

  get waiting(): number {
    return this.outbox.size + this.#refused.length;
  }

  connect(node: string): void {
    this.node = node;
    this.connections++;
    const hello = { version: 1, cluster: ClusterId("sim"), clientId: this.id } as const;
    this.#port.send(this, { type: "HELLO", ...hello, forward: this.forward });
    for (const seq of this.outbox.keys()) this.#sendFrame(seq);
  }

  write(keys: readonly string[]): void {
    const ops = keys.map((key): ClientWrite => {
      const counter = this.#counter++ % 60_000;
      const stamp = { millis: this.#port.now(), counter, node: this.id };
      const value = this.#prng.chance(0.25) ? null : this.#value(counter);
      const expires = this.#prng.chance(this.#port.expiryRate);
      const expiresAt = expires ? this.#port.trueTime() + this.#prng.below(10_000) : null;
      this.written++;
      return { map: "m", key, stamp, value, expiresAt };
    });
    const ack = this.#port.backups && this.#seq % 3 === 1 ? "backup" : "owner";
    this.#put({ ops, begunAt: this.#port.trueTime(), ack });
  }

  #value(counter: number): Uint8Array {
    const bytes = new Uint8Array(2 + this.#prng.below(this.#port.valueBytesMax - 1));
    bytes.set([this.written & 255, counter & 255]);
    return this.#port.valueOf(bytes);
  }

  /** A set or a counter. */
  change(): void {
    const stamp = { millis: this.#port.now(), counter: this.#counter++ % 60_000, node: this.id };
    const op = this.#port.change(this, this.#prng, stamp);
    const ack = this.#port.backups && this.#seq % 3 === 1 ? "backup" : "owner";
    this.#put({ ops: [op], begunAt: this.#port.trueTime(), ack });
  }

  ask(question: ClientQuestion): void {
    this.#questions.set(this.#seq, question);
    this.#port.send(this, { type: "GET", seq: this.#seq++, keys: [question] });
  }

  read(key: string): void {
    this.#port.send(this, { type: "GET", seq: this.#seq++, keys: [{ map: "m", key }] });
  }

  askMap(): void {
    if (!this.map) return this.#port.send(this, { type: "FETCH_MAP" });
    const { version, viewVersion } = this.map;
    this.lossy = true;
    this.#port.send(this, { type: "FETCH_MAP", version, viewVersion });
  }

  missed(): void {
    this.lossy = true;
  }

  #takeMap(map: PartitionMapPayload): void {
    this.map = this.map ? mergeMaps(this.map, map) : map;
    this.lossy = false;
    this.heard = "whole";
    this.#port.heardMap(this, "whole");
  }

  #takeDelta(delta: MapDeltaMessage): void {
    if (!this.map) return;
    const applied = applyMapDelta(this.map, delta);
    if (applied.ok) {
      this.map = applied.value;
      this.heard = "delta";
      return this.#port.heardMap(this, "delta");
    }
    if (applied.error === "old") return;
    const { version, viewVersion } = this.map;
    // Else it is only ahead of the node, by what it heard from another.
    if (delta.from > version || delta.fromView > viewVersion) this.#port.heardMap(this, "gap");
    this.askMap();
  }

  #put(frame: Frame): void {
    const seq = this.#seq++;
    this.outbox.set(seq, frame);
    this.#sendFrame(seq);
    this.#watch(seq, 0);
  }

  #sendFrame(seq: number): void {
    const frame = this.outbox.get(seq);
    if (!frame) return;
    const { ops, ack } = frame;
    this.#port.send(this, { type: "OPS", seq, ops, ...(ack === "backup" && { ack }) });
  }

  #watch(seq: number, attempt: number): void {
    this.#port.later(1_500 + this.#prng.below(1_500), () => {
      if (!this.outbox.has(seq)) return;
      if (attempt % 2 === 1) this.#port.reroute(this);
      this.#sendFrame(seq);
      this.#watch(seq, attempt + 1);
    });
  }

  #retry(frame: Frame, owner: NodeId | undefined, ms: number): void {
    if (this.#port.gathers && this.#refused.push(frame) > 1) return;
    this.#port.later(ms, () => {
      this.#port.reroute(this, owner);
      if (!this.#port.gathers) return this.#put(frame);
      for (const refused of this.#refused.splice(0)) this.#put(refused);
    });
  }

  /** `current`: over the connection that it has now. What an answer says is true from any. */
  receive(message: ServerMessage, current: boolean): void {
    if (current && "map" in message && message.map) this.#takeMap(message.map);
    if (current && message.type === "MAP_DELTA") this.#takeDelta(message);
    switch (message.type) {
      case "VALUES": {
        this.reads++;
        const question = this.#questions.get(message.seq);
        const [result] = message.values;
        if (question && result) this.#port.read(question, result);
        return;
      }
      case "ACK": {
        const frame = this.outbox.get(message.seq);
        if (!frame) return;
        const { ops, begunAt } = frame;
        const alone = message.exceptions.some(
          ({ result }) => result.type === "refused" && result.error.code === "NO_BACKUP",
        );
        this.outbox.delete(message.seq);
        const refused = message.exceptions.filter(({ result }) => result.type === "refused");
        // What was refused is tried again, under the stamps it has, as a frame of its own.
        const again = refused.flatMap(({ index, result }) =>
          result.type === "refused" && result.error.code === "STAMP_TOO_OLD"
            ? []
            : (ops[index] ?? []),
        );
        if (again.length === 0) return this.#port.answered(begunAt);
        // Where there is no copy, its owner must do.
        const next: Frame = { ops: again, begunAt, ack: alone ? "owner" : frame.ack };
        return this.#retry(next, ownerIn(refused), alone ? 1 : 100 + this.#prng.below(400));
      }
      case "ERROR":
        if (current && message.error.code === "HELLO_EXPECTED") this.connect(this.node);
        return;
      default:
    }
  }
}

type Exceptions = Extract<ServerMessage, { type: "ACK" }>["exceptions"];

function ownerIn(exceptions: Exceptions): NodeId | undefined {
  for (const { result } of exceptions)
    if (result.type === "refused" && result.error.code === "NOT_OWNER")
      return NodeId(String(result.error.data["ownerNodeId"]));
  return undefined;
}
