/**
 * What HTTP does to a cluster: writes without a stamp, and lists what a map has. Each is asked once, of the
 * owner that the coordinator knows; an answer that is lost is missed by nobody.
 */
import { partitionOf } from "../../src/data/hash.ts";
import type { CallId } from "../../src/core/machine/cluster-event.ts";
import { PartitionId, Seq } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { ClusterMessage, Sender } from "../../src/protocol/cluster-messages.ts";
import type { WriteOp } from "../../src/protocol/ops.ts";
import type { Moment } from "./answers.ts";
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
  readonly #writes = new Map<Seq, Write>();
  readonly #scans = new Map<CallId, Moment>();
  #forwardId = 0;

  constructor(world: World) {
    this.#world = world;
  }

  put(key: string): void {
    const { checkers, counts } = this.#world;
    const owner = this.#ownerOf(key);
    if (!owner) return;
    const forwardId = Seq(++this.#forwardId);
    // No deletes: one that was not answered has a stamp that nobody here knows.
    const value = Uint8Array.of(255, forwardId >>> 8, forwardId & 255);
    const op: WriteOp = { type: "write", map: "m", key, stamp: null, value, expiresAt: null };
    const partitionId = partitionOf(key, this.#world.options.config.partitionCount);
    const before = checkers.isBehind(partitionId) ? undefined : checkers.acknowledged(key);
    const failovers = checkers.failovers.get(partitionId);
    this.#writes.set(forwardId, { op, before, failovers, partitionId });
    counts.unstamped++;
    const head = { type: "OP_FORWARD", sourceNodeId: "front", forwardId } as const;
    this.#world.send("front", owner, { ...head, rulings: [], ops: [op] });
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

  receive(call: CallId | null, message: ClusterMessage): void {
    if (message.type === "SCANNED")
      for (const { partitionId, entries, done } of message.pages) {
        const moment = call === null ? undefined : this.#scans.get(call);
        const keys = new Set(entries.map(({ key }) => key));
        if (moment && done) this.#world.answers.scanned(partitionId, keys, moment);
      }
    if (message.type !== "OP_FORWARDED") return;
    const write = this.#writes.get(message.forwardId);
    const [result] = message.results;
    this.#writes.delete(message.forwardId);
    if (!write || !result || result.type === "refused" || result.type === "value") return;
    const { op, failovers, partitionId } = write;
    const same = failovers === this.#world.checkers.failovers.get(partitionId);
    this.#world.answers.stamped(op, result, same ? write.before : undefined);
  }

  #ownerOf(key: string): Sender | null {
    const { coordinator, options } = this.#world;
    const partitionId = partitionOf(key, options.config.partitionCount);
    return coordinator.disk.entries.get(partitionId)?.ruling.owner ?? null;
  }
}
