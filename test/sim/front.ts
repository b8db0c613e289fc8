/**
 * What HTTP does to a cluster: writes without a stamp, several in one request, and lists what a map has. Each is
 * asked once, of the owner that the coordinator knows; an answer that is lost is missed by nobody, but was given.
 */
import { partitionOf } from "../../src/data/hash.ts";
import type { CallId } from "../../src/core/machine/cluster-event.ts";
import { PartitionId, Seq } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import type { IncrementOp, Op, WriteOp } from "../../src/protocol/ops.ts";
import type { Moment, Stamped } from "./answers.ts";
import type { World } from "./world.ts";

const ENTRIES_MAX = 1_000;

interface Write {
  readonly op: WriteOp;
  readonly before: Row | undefined;
  readonly partitionId: PartitionId;
  /** When it was asked: who takes the place of a lost owner may know less. */
  readonly failovers: number | undefined;
}

export class SimFront {
  readonly #world: World;
  readonly #writes = new Map<Seq, readonly Write[]>();
  readonly #increments = new Map<Seq, IncrementOp>();
  readonly #scans = new Map<CallId, Moment>();
  #forwardId = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Those whose owner is that of the first, in this order. */
  put(keys: readonly string[]): void {
    const [first] = keys;
    const owner = first === undefined ? null : this.#ownerOf(first);
    if (!owner) return;
    const forwardId = Seq(++this.#forwardId);
    const writes = keys
      .filter((key) => this.#ownerOf(key) === owner)
      .map((key, i) => this.#write(key, forwardId, i));
    this.#writes.set(forwardId, writes);
    const { counts } = this.#world;
    counts.unstamped += writes.length;
    if (writes.length > 1) counts["unstamped together"]++;
    const head = { type: "OP_FORWARD", sourceNodeId: "front", forwardId } as const;
    const ops = writes.map(({ op }) => op);
    this.#world.send("front", owner, { ...head, rulings: [], ops });
  }

  /** What is asked twice is counted twice, and is not asked again. */
  increment(): void {
    const { prng, sets } = this.#world;
    const op = sets.increment(prng);
    const owner = this.#ownerOf(op.key);
    if (!owner) return;
    const forwardId = Seq(++this.#forwardId);
    this.#increments.set(forwardId, op);
    const head = { type: "OP_FORWARD", sourceNodeId: "front", forwardId } as const;
    this.#world.send("front", owner, { ...head, rulings: [], ops: [op] });
  }

  /** As often as the network has it arrive. */
  arrived(ops: readonly Op[]): void {
    for (const op of ops) if (op.type === "increment") this.#world.sets.delivered(op);
  }

  #write(key: string, forwardId: Seq, index: number): Write {
    const { checkers, options } = this.#world;
    // No deletes: one that was not answered has a stamp that nobody here knows.
    const value = Uint8Array.of(255, forwardId >>> 8, forwardId & 255, ...(index ? [index] : []));
    const op: WriteOp = { type: "write", map: "m", key, stamp: null, value, expiresAt: null };
    const partitionId = partitionOf(key, options.config.partitionCount);
    const before = checkers.durability.due(key);
    return { op, before, partitionId, failovers: checkers.failovers.get(partitionId) };
  }

  scan(): void {
    const { prng, answers, options } = this.#world;
    const partitionId = PartitionId(prng.below(options.config.partitionCount));
    const moment = answers.momentOf(partitionId);
    const owner = this.#world.coordinator.disk.entries.get(partitionId)?.ruling.owner;
    if (!owner) return;
    const asked = { map: "m", prefix: "", after: null, limit: ENTRIES_MAX };
    const scan = { type: "SCAN", partitionIds: [partitionId], ...asked } as const;
    const call = this.#world.send("front", owner, scan);
    if (moment) this.#scans.set(call, moment);
  }

  /** It is on its way, and may be lost: what is said in it holds. */
  told(call: CallId, message: ClusterMessage): void {
    if (message.type === "SCANNED")
      for (const { partitionId, entries, done } of message.pages) {
        const moment = this.#scans.get(call);
        const keys = new Set(entries.map(({ key }) => key));
        if (moment && done) this.#world.answers.scanned(partitionId, keys, moment);
      }
    if (message.type !== "OP_FORWARDED") return;
    const increment = this.#increments.get(message.forwardId);
    this.#increments.delete(message.forwardId);
    if (increment && message.results[0]?.type === "stored") this.#world.sets.counted(increment);
    const writes = this.#writes.get(message.forwardId) ?? [];
    this.#writes.delete(message.forwardId);
    const stamped = new Map<string, Stamped>();
    for (const [i, write] of writes.entries()) {
      const result = message.results[i];
      if (result?.type !== "stored" && result?.type !== "superseded") continue;
      this.#judge(write, result);
      // Of two to one key the second is the later one.
      this.#world.answers.follows(write.op.key, stamped.get(write.op.key), result);
      stamped.set(write.op.key, result);
    }
  }

  #judge({ op, before, partitionId, failovers }: Write, result: Stamped): void {
    const same = failovers === this.#world.checkers.failovers.get(partitionId);
    this.#world.answers.stamped(op, result, same ? before : undefined);
  }

  #ownerOf(key: string): Sender | null {
    const { coordinator, options } = this.#world;
    const partitionId = partitionOf(key, options.config.partitionCount);
    return coordinator.disk.entries.get(partitionId)?.ruling.owner ?? null;
  }
}
