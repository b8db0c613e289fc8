/** What clients are told, judged against what they were told before. */
import { compareStamps, type Stamp } from "../../src/data/hlc.ts";
import { partitionOf } from "../../src/data/hash.ts";
import type { PartitionId } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";
import type { ClientQuestion, ServerMessage } from "../../src/protocol/client-messages.ts";
import type { OpResult, ReadResult, WriteOp } from "../../src/protocol/ops.ts";
import type { World } from "./world.ts";

/** When something was asked: by then this much had been acknowledged or read, in this reign of an owner. */
export interface Moment {
  readonly reign: number;
  readonly known: ReadonlyMap<string, Stamp>;
}

interface Question {
  readonly key: string;
  readonly moment: Moment;
}

/**
 * How long a write that was not answered yet when the faults ended may still take: it is sent again at once, and
 * whoever holds it up is asked again after a pause as long as pauses grow in a storm, then ruled on. Most take 20 ms.
 */
const ACK_AFTER_FAULTS_MS = 6_000;
/** Long after the faults: a few hops. */
const ACK_IN_CALM_MS = 100;

export class Answers {
  readonly #world: World;
  /** The newest stamp that was read of each key, and in which reign. */
  readonly #read = new Map<string, { readonly reign: number; readonly stamp: Stamp }>();
  /** Of each frame what was asked for first, second …; null: nobody judges that. */
  readonly #asked = new Map<string, readonly (Question | null)[]>();

  constructor(world: World) {
    this.#world = world;
  }

  /** null: what is answered may be stale. */
  momentOf(partitionId: PartitionId): Moment | null {
    const { checkers, options } = this.#world;
    if (!this.#isOneServing(partitionId)) return null;
    const reign = checkers.reignOf(partitionId);
    const known = new Map<string, Stamp>();
    for (const key of this.#world.keys()) {
      if (partitionOf(key, options.config.partitionCount) !== partitionId) continue;
      const stamps = [checkers.durability.due(key)?.stamp];
      const read = this.#read.get(key);
      if (read?.reign === reign) stamps.push(read.stamp);
      for (const stamp of stamps) if (stamp && newer(stamp, known.get(key))) known.set(key, stamp);
    }
    return { reign, known };
  }

  /** Otherwise another node serves, too, for all it knows; what that one answers is stale, and may be. */
  #isOneServing(partitionId: PartitionId): boolean {
    const { coordinator, nodes } = this.#world;
    const owner = coordinator.disk.entries.get(partitionId)?.ruling.owner;
    for (const [id, { disk }] of nodes)
      if ((disk.partitions.get(partitionId)?.role.type === "owner") !== (id === owner))
        return false;
    return true;
  }

  asks(socket: string, seq: number, keys: readonly ClientQuestion[]): void {
    const questions = keys.map(({ type, key }): Question | null => {
      const moment = type === undefined ? this.momentOf(this.#partitionOf(key)) : null;
      return moment && { key, moment };
    });
    if (questions.some(Boolean)) this.#asked.set(`${socket} ${seq}`, questions);
    else this.#asked.delete(`${socket} ${seq}`);
  }

  /** R-read: within one reign no read goes back behind an earlier one, or behind what was acknowledged. */
  told(socket: string, message: ServerMessage): void {
    if (message.type !== "VALUES") return;
    const questions = this.#asked.get(`${socket} ${message.seq}`) ?? [];
    for (const [i, question] of questions.entries()) {
      const value = message.values[i];
      if (question && value?.type === "value") this.#judgeRead(question, value);
    }
  }

  #judgeRead({ key, moment }: Question, value: Extract<ReadResult, { type: "value" }>): void {
    // It may have begun to serve since it was asked: by a ruling that came late.
    if (!this.#stands(key, moment) || !this.#isOneServing(this.#partitionOf(key))) return;
    const { checkers } = this.#world;
    const known = moment.known.get(key);
    if (known) checkers.count("R-read");
    const forgotten = !value.stamp && known && this.#mayBeForgotten(key, known);
    if (known && !forgotten && (!value.stamp || compareStamps(value.stamp, known) < 0))
      checkers.fail("R-read", `${key} is read at ${at(value.stamp)} after ${at(known)}`);
    const before = this.#read.get(key);
    const last = before?.reign === moment.reign ? before.stamp : undefined;
    if (value.stamp && newer(value.stamp, last))
      this.#read.set(key, { reign: moment.reign, stamp: value.stamp });
  }

  /** Deleted or expired, or somebody tried to, and so long ago that nothing need be left of it. */
  #mayBeForgotten(key: string, stamp: Stamp): boolean {
    const { checkers, schedule, options } = this.#world;
    const isOld = stamp.millis < schedule.now - options.config.tombstoneRetentionMs;
    return isOld && checkers.mayBeGone({ key, stamp });
  }

  /** R-read: a list has every entry that was acknowledged and that nobody tried to delete since. */
  scanned(partitionId: PartitionId, keys: ReadonlySet<string>, moment: Moment): void {
    const { checkers, counts } = this.#world;
    if (checkers.reignOf(partitionId) !== moment.reign) return;
    counts.scanned++;
    for (const [key, stamp] of moment.known) {
      const row = checkers.durability.due(key);
      if (!row || compareStamps(row.stamp, stamp) !== 0 || checkers.mayBeGone(row)) continue;
      checkers.count("R-read");
      if (!keys.has(key)) checkers.fail("R-read", `${key}, stored at ${at(stamp)}, is not listed`);
    }
  }

  /**
   * R-later-write: what is written without a stamp, after an answer, stands over what was answered. It may lose
   * to a write of the same time.
   */
  stamped(op: WriteOp, { type, stamp }: Stamped, before: Row | undefined): void {
    const { checkers } = this.#world;
    if (before) checkers.count("R-later-write");
    if (before && compareStamps(stamp, before.stamp) <= 0)
      checkers.fail("R-later-write", `${op.key} ${type} at ${at(stamp)} after ${at(before.stamp)}`);
    if (type === "stored") checkers.stored({ ...op, stamp, kind: "lww", sub: "" });
  }

  /** R-later-write, of two to one key in one request. Either may have lost, also to the other or both to a third. */
  follows(key: string, first: Stamped | undefined, { type, stamp }: Stamped): void {
    if (!first) return;
    const { checkers } = this.#world;
    checkers.count("R-later-write");
    const bothStand = type === "stored" && first.type === "stored";
    if (compareStamps(stamp, first.stamp) < (bothStand ? 1 : 0))
      checkers.fail(
        "R-later-write",
        `${key} ${type} at ${at(stamp)}, before it ${at(first.stamp)}`,
      );
  }

  /** I8: after the faults an answer comes in bounded time. */
  answered(since: number): void {
    const { checkers, healedAt, calmAt, schedule } = this.#world;
    const { formedAt } = checkers;
    if (healedAt === null || formedAt === null) return;
    checkers.count("I8");
    // Who could not be invited is invited again after a pause; until then there is nobody to answer.
    const ms = schedule.now - Math.max(since, healedAt, formedAt);
    const max = calmAt !== null && since >= calmAt ? ACK_IN_CALM_MS : ACK_AFTER_FAULTS_MS;
    if (ms > max) checkers.fail("I8", `a write of ${since} took ${ms} ms, ${max} at most`);
  }

  #stands(key: string, { reign }: Moment): boolean {
    return this.#world.checkers.reignOf(this.#partitionOf(key)) === reign;
  }
  #partitionOf(key: string): PartitionId {
    return partitionOf(key, this.#world.options.config.partitionCount);
  }
}

export type Stamped = Exclude<OpResult, { type: "refused" }>;

const newer = (stamp: Stamp, than: Stamp | undefined): boolean =>
  !than || compareStamps(stamp, than) > 0;

const at = (stamp: Stamp | null): string =>
  stamp ? `${stamp.millis}:${stamp.counter}:${stamp.node}` : "nothing";
