/** What was done to sets and counters in a run, and whether what is read in the end can have come of it. */
import { addOf, removalOf, totalsOf } from "../../src/core/node/changes.ts";
import { SIDES, countSub, decodeTotal, type Count } from "../../src/data/count.ts";
import { elementSub } from "../../src/data/element.ts";
import type { Stamp } from "../../src/data/hlc.ts";
import type { Draft } from "../../src/client/machine/ask.ts";
import type { Identity, Of, Row } from "../../src/data/row.ts";
import type { ClientOp, ClientQuestion } from "../../src/protocol/client-messages.ts";
import type { IncrementOp, ReadResult } from "../../src/protocol/ops.ts";
import type { Prng } from "./prng.ts";
import type { World } from "./world.ts";

const SETS = ["set0", "set1"];
const COUNTERS = ["count0", "count1"];
/** Nobody with an id counts there. */
const FRONT_COUNTER = "count2";
const ELEMENTS = 4;
/** Removed without a word about tags: which are meant nobody can say. */
const SWEPT = ELEMENTS;

export interface CountDraft extends Of {
  readonly type: "count";
  readonly by: number;
}

type SetOp = Extract<ClientOp, { type: string }>;
type Answered = Extract<ReadResult, { type: "members" | "total" }>;

export const QUESTIONS: readonly ClientQuestion[] = [
  ...SETS.map((key) => ({ type: "members", map: "m", key, after: null, limit: 1_000 }) as const),
  ...[...COUNTERS, FRONT_COUNTER].map((key) => ({ type: "total", map: "m", key }) as const),
];

/** The rows that an acknowledged operation has made, as far as anybody but the owner knows. */
export function rowsOfOp(op: SetOp, clientId: string): readonly Row[] {
  switch (op.type) {
    case "add":
      return [addOf(op, op.stamp, op.value, op.expiresAt)];
    case "count":
      return totalsOf(op, clientId, op);
    case "remove":
      return (op.tags ?? []).map((tag) => removalOf(op, elementSub(op.value, tag), op.stamp));
  }
}

export class SetTally {
  readonly #world: World;
  /** By set and element, of every add that was ever sent. */
  readonly #tags = new Map<string, Stamp[]>();
  /** Adds that somebody has ever asked to remove. */
  readonly #doomed = new Set<string>();
  /** By counter and client, what was sent last. */
  readonly #counts = new Map<string, Map<string, Count>>();
  /** As over HTTP: what came to a node, as often as it came, and what was answered. */
  #delivered = 0;
  #counted = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Something that this client does next. */
  next(prng: Prng, clientId: string, stamp: Stamp): SetOp {
    const what = prng.below(100);
    if (what < 30) return this.#count(prng, clientId);
    const of = { map: "m", key: prng.pick(SETS) };
    const n = prng.below(ELEMENTS + 1);
    const value = Uint8Array.of(n);
    const tags = this.#seen(of.key, n);
    this.#world.counts["set and counter ops"]++;
    if (what < 70 || tags.length === 0) {
      this.#of(of.key, n).push(stamp);
      return { type: "add", ...of, stamp, value, expiresAt: null };
    }
    if (n === SWEPT) return { type: "remove", ...of, stamp, value, tags: null };
    // Also such as come later than this.
    const meant = tags.filter(() => prng.chance(0.6));
    for (const tag of meant) this.#doomed.add(nameOf(of.key, n, tag));
    return { type: "remove", ...of, stamp, value, tags: meant };
  }

  #count(prng: Prng, clientId: string): SetOp {
    const key = prng.pick(COUNTERS);
    const counts = this.#counts.get(key) ?? new Map<string, Count>();
    const { inc, dec } = counts.get(clientId) ?? { inc: 0, dec: 0 };
    const next = { inc: inc + prng.below(5), dec: dec + prng.below(3) };
    this.#counts.set(key, counts.set(clientId, next));
    return { type: "count", map: "m", key, ...next };
  }

  /** Something that somebody does next who stamps and counts by himself. */
  draft(prng: Prng): Draft | CountDraft {
    const what = prng.below(100);
    if (what < 40) {
      const by = (1 + prng.below(4)) * (prng.chance(0.3) ? -1 : 1);
      return { type: "count", map: "m", key: prng.pick(COUNTERS), by };
    }
    const of = { map: "m", key: prng.pick(SETS) };
    const n = prng.below(ELEMENTS);
    const value = Uint8Array.of(n);
    const tags = this.#seen(of.key, n).filter(() => prng.chance(0.3));
    if (what < 75 || tags.length === 0) return { type: "add", ...of, value };
    return { type: "remove", ...of, value, tags };
  }

  /** By whom: as who counts. */
  sends(op: SetOp, by: string, isFirst: boolean): void {
    if (isFirst) this.#world.counts["set and counter ops"]++;
    const n = "value" in op ? (op.value[0] ?? 0) : 0;
    if (op.type === "add" && isFirst) this.#of(op.key, n).push(op.stamp);
    if (op.type === "remove")
      for (const tag of op.tags ?? []) this.#doomed.add(nameOf(op.key, n, tag));
    if (op.type !== "count") return;
    const counts = this.#counts.get(op.key) ?? new Map<string, Count>();
    const { inc, dec } = counts.get(by) ?? { inc: 0, dec: 0 };
    const most = { inc: Math.max(inc, op.inc), dec: Math.max(dec, op.dec) };
    this.#counts.set(op.key, counts.set(by, most));
  }

  increment(prng: Prng): IncrementOp {
    return { type: "increment", map: "m", key: FRONT_COUNTER, inc: 1 + prng.below(4), dec: 0 };
  }
  delivered({ inc }: IncrementOp): void {
    this.#delivered += inc;
  }
  counted({ inc }: IncrementOp): void {
    this.#counted += inc;
  }

  /** In the end, when nothing is on its way any more. */
  judge(question: ClientQuestion, answer: Answered): void {
    if (answer.type === "members") this.#judgeSet(question.key, answer.members);
    else if (question.key === FRONT_COUNTER) this.#judgeIncrements(answer);
    else this.#judgeCounter(question.key, answer);
  }

  #judgeSet(key: string, members: Extract<Answered, { type: "members" }>["members"]): void {
    const { checkers } = this.#world;
    for (let n = 0; n <= ELEMENTS; n++) {
      const there = members.filter(({ value }) => value[0] === n);
      const listed = new Set(there.flatMap(({ tags }) => tags.map((tag) => nameOf(key, n, tag))));
      for (const tag of this.#of(key, n)) {
        const name = nameOf(key, n, tag);
        const stands = checkers.durability.greatest(identityOf(key, n, tag));
        const isThere = listed.delete(name);
        const isDoomed = n === SWEPT || this.#doomed.has(name);
        if (stands) checkers.count("R-set");
        if (isThere && stands?.value === null)
          checkers.fail("R-set", `${name} is there after its removal was acknowledged`);
        if (!isThere && stands?.value && !isDoomed)
          checkers.fail("R-set", `${name} was added, and nobody has removed it`);
      }
      if (listed.size > 0) checkers.fail("R-set", `${[...listed].join()} was never added`);
    }
  }

  #judgeCounter(key: string, total: Count): void {
    const { checkers } = this.#world;
    for (const side of SIDES) {
      let [acked, sent] = [0, 0];
      for (const [clientId, count] of this.#counts.get(key) ?? []) {
        const sub = countSub(clientId, side);
        const row = checkers.durability.greatest({ map: "m", key, kind: "pn", sub });
        const known = row?.value && decodeTotal(row.value);
        acked += known?.ok ? known.value : 0;
        sent += count[side];
      }
      if (acked > 0) checkers.count("R-count");
      if (total[side] < acked || total[side] > sent)
        checkers.fail("R-count", `${key} ${side} ${total[side]}, not ${acked} to ${sent}`);
    }
  }

  /** What only a destroyed node has counted is lost; what the network doubles is counted twice. */
  #judgeIncrements({ inc }: Count): void {
    const { checkers, graves } = this.#world;
    if (this.#counted > 0) checkers.count("R-count");
    const least = graves.size === 0 ? this.#counted : 0;
    if (inc < least || inc > this.#delivered)
      checkers.fail("R-count", `${FRONT_COUNTER} ${inc}, not ${least} to ${this.#delivered}`);
  }

  /** What is too far ahead for every node nobody has been told of. */
  #seen(key: string, n: number): readonly Stamp[] {
    const { schedule, options } = this.#world;
    return this.#of(key, n).filter(
      ({ millis }) => millis <= schedule.now + options.skewMsMax + 10_000,
    );
  }

  #of(key: string, n: number): Stamp[] {
    const name = `${key} ${n}`;
    const tags = this.#tags.get(name) ?? [];
    this.#tags.set(name, tags);
    return tags;
  }
}

function identityOf(key: string, n: number, tag: Stamp): Identity {
  return { map: "m", key, kind: "or", sub: elementSub(Uint8Array.of(n), tag) };
}

const nameOf = (key: string, n: number, tag: Stamp): string => {
  const { sub } = identityOf(key, n, tag);
  return `${key} ${n} ${sub}`;
};
