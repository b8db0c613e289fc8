/**
 * What a subscription shows, against an owner that others write to, too: whatever order acknowledgements, refusals, changes and
 * wholes in pieces come in, in the end it is what the owner has.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { TOLD_MS_MAX } from "../../src/client/subscription-limits.ts";
import { View } from "../../src/client/view.ts";
import { digestOf } from "../../src/data/bucket-digest.ts";
import { equalBytes } from "../../src/data/bytes.ts";
import { Epoch, PartitionId, Seq } from "../../src/data/ids.ts";
import { compareRows, type Row } from "../../src/data/row.ts";
import type { ChangedPart } from "../../src/protocol/subscription-messages.ts";
import { decodeJson, encodeJson } from "../../src/protocol/values.ts";
import { record } from "../actions.ts";

const KEYS = ["a", "b", "c", "d"] as const;
const P = PartitionId(0);
const MINE = "mine";

const key = fc.constantFrom(...KEYS);
const action = fc.oneof(
  { weight: 4, arbitrary: record("mine", { key, isDeletion: fc.boolean(), skew: fc.nat(6) }) },
  { weight: 4, arbitrary: record("theirs", { key, isDeletion: fc.boolean() }) },
  { weight: 6, arbitrary: record("arrive", { refused: fc.nat(9), which: fc.nat(3) }) },
  { weight: 6, arbitrary: record("answer", { which: fc.nat(3) }) },
  { weight: 8, arbitrary: record("tell", {}) },
  { weight: 2, arbitrary: record("whole", {}) },
  { weight: 3, arbitrary: record("read", {}) },
  { weight: 1, arbitrary: record("wait", {}) },
  { weight: 2, arbitrary: record("learn", {}) },
  { weight: 1, arbitrary: record("lose", { key }) },
);

type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

interface Write {
  readonly id: number;
  readonly row: Row;
}

interface Reading {
  readonly from: number;
  readonly left: readonly string[] | null;
}

/** Asks for digests, when this began. */
interface Compare {
  readonly compare: Reading;
}

const SALT = { a: 1, b: 2 };
const SOME = Uint8Array.of(1);

class World {
  readonly seen: Record<string, number>;
  readonly #rows = new Map<string, { readonly row: Row; readonly seq: number }>();
  /** What was there before. */
  readonly #before = new Map<string, Row>();
  readonly #view: View;
  /** Not at the owner yet; and what became of others, which the client has not heard. */
  #sent: Write[] = [];
  #answers: (Write & { readonly stands: boolean })[] = [];
  readonly #learned: (() => void)[] = [];
  /** To the subscriber, in order. */
  readonly #told: (ChangedPart | Compare)[] = [];
  /** Keys of a whole that are still to be read, null: it is to be compared first; where the owner was when it began. */
  #reading: Reading | null = null;
  #lastMine = 0;
  #now = 1_000;
  #seq = 0;
  #id = 0;
  readonly changed = new Map<string, unknown>();

  constructor(seen: Record<string, number>) {
    this.seen = seen;
    const changed = ({ key: name, value }: { key: string; value: unknown }): void => {
      if (value === undefined) this.#note("told as gone");
      if (value === undefined) this.changed.delete(name);
      else this.changed.set(name, value);
    };
    const port = { partitionCount: () => 1, now: () => this.#now, changed };
    this.#view = new View({ map: "m" }, port);
  }

  do(step: Action): void {
    this.#now++;
    switch (step.type) {
      case "mine": {
        this.#lastMine = Math.max(this.#lastMine + 1, this.#now + step.skew - 3);
        const row = this.#row(step, MINE, this.#lastMine - this.#now);
        const id = this.#id++;
        this.#view.wrote(id, step.key, row);
        this.#sent.push({ id, row });
        return;
      }
      case "theirs":
        this.#merge(this.#row(step, "theirs", 0));
        return;
      case "arrive":
        return this.#arrive(step);
      case "answer":
        return this.#answer(step.which);
      case "tell":
        return this.#tell();
      case "whole":
        // A SUBSCRIBE without positions ends what was under way.
        this.#reading = { from: this.#seq, left: KEYS };
        this.#send([], { replaces: { count: 1, which: [0] }, position: null });
        return;
      case "read":
        return this.#read();
      case "wait":
        this.#now += TOLD_MS_MAX;
        return this.#doubt();
      case "learn":
        return this.#learned.shift()?.();
      case "lose":
        return this.#lose(step.key);
    }
  }

  /** The owner was lost, and with it what nobody else had; who follows is asked what it has. */
  #lose(name: string): void {
    const row = this.#before.get(name);
    this.#note("lost");
    if (row) this.#rows.set(name, { row, seq: ++this.#seq });
    else this.#rows.delete(name);
    this.#before.delete(name);
    this.#reading = { from: this.#seq, left: null };
    this.#told.push({ compare: this.#reading });
  }

  /** Not if that was so long ago that something else is read by now. */
  #compare({ compare }: Compare): void {
    if (this.#reading !== compare) return;
    const rows = [...this.#rows.values()].map(({ row }) => row);
    const [theirs] = this.#view.digests([P], SALT);
    const count = (theirs?.buckets.length ?? 0) / 6;
    const isSame = equalBytes(theirs?.buckets ?? SOME, digestOf(rows, count, SALT));
    this.#note(isSame ? "the same" : "not the same");
    this.#reading = { from: compare.from, left: isSame ? [] : KEYS };
    if (!isSame) this.#send([], { replaces: { count: 1, which: [0] }, position: null });
  }

  end(): void {
    while (this.#sent.length > 0) this.#arrive({ refused: 5, which: 0 });
    while (this.#answers.length > 0) this.#answer(0);
    while (this.#reading || this.#told.length > 0) {
      this.#read();
      this.#tell();
    }
    for (let i = 0; i < 2; i++) {
      this.#now += TOLD_MS_MAX;
      this.#doubt();
      for (const learn of this.#learned.splice(0)) learn();
    }
    const there = [...this.#rows.values()].filter(({ row }) => row.value !== null);
    const keys = there.map(({ row }) => row.key).toSorted();
    expect([...this.#view.entries()].map(([name]) => name).toSorted()).toEqual(keys);
    expect([...this.changed.keys()].toSorted()).toEqual(keys);
    for (const { row } of there) expect(numberOf(row)).toBe(this.changed.get(row.key));
    this.#now += 2 * TOLD_MS_MAX;
    expect(this.#view.takeUntold(10), "nothing is in doubt").toEqual([]);
  }

  #row(of: { key: string; isDeletion: boolean }, node: string, skew: number): Row {
    const stamp = { millis: this.#now + skew, counter: this.#id, node };
    const value = of.isDeletion ? null : encodeJson(this.#id, "value");
    const bytes = value && (value.ok ? value.value : expect.fail("no value"));
    return { map: "m", key: of.key, kind: "lww", sub: "", stamp, value: bytes, expiresAt: null };
  }

  /** What comes of it at the owner; whoever is told everything is told of it. */
  #merge(row: Row): boolean {
    const known = this.#rows.get(row.key);
    if (known && compareRows(known.row, row) >= 0) return false;
    if (known) this.#before.set(row.key, known.row);
    this.#rows.set(row.key, { row, seq: ++this.#seq });
    if (!this.#reading) this.#send([row], {});
    this.#id++;
    return true;
  }

  #send(rows: readonly Row[], part: Partial<ChangedPart>): void {
    const position = { since: Epoch(1), seq: Seq(this.#seq) };
    this.#told.push({ partitionId: P, position, replaces: null, rows, ...part });
  }

  /** One in ten is refused and stands, another is refused. */
  #arrive({ refused, which }: { refused: number; which: number }): void {
    const write = this.#sent[which % Math.max(1, this.#sent.length)];
    if (!write) return;
    this.#sent = this.#sent.filter((other) => other !== write);
    const stored = refused !== 1 && this.#merge(write.row);
    if (refused < 2) this.#note("refused");
    this.#note(stored ? "stored" : "not stored");
    this.#answers.push({ ...write, stands: refused > 1 });
  }

  #answer(which: number): void {
    const answer = this.#answers[which % Math.max(1, this.#answers.length)];
    if (!answer) return;
    this.#answers = this.#answers.filter((other) => other !== answer);
    this.#view.settled(answer.id, answer.row.key, answer.stands);
  }

  #tell(): void {
    const part = this.#told.shift();
    if (!part) return;
    if ("compare" in part) this.#compare(part);
    else this.#view.take([part]);
  }

  /** One key at a time, and in the end what has changed since it began. */
  #read(): void {
    const { from, left } = this.#reading ?? { from: 0, left: null };
    if (!left) return;
    const [next, ...rest] = left;
    if (next !== undefined) {
      const row = this.#rows.get(next)?.row;
      this.#reading = { from, left: rest };
      return this.#send(row?.value ? [row] : [], { position: null });
    }
    this.#reading = null;
    const since = [...this.#rows.values()].filter(({ seq }) => seq > from);
    this.#note(since.length > 0 ? "changed while it was read" : "whole");
    this.#send(
      since.map(({ row }) => row),
      {},
    );
  }

  /** The answers come later. */
  #doubt(): void {
    for (const untold of this.#view.takeUntold(10)) {
      this.#note("asked");
      const row = this.#rows.get(untold.key)?.row;
      this.#learned.push(() => this.#view.learned(untold, row?.stamp ?? null, row?.value ?? null));
    }
  }

  #note(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }
}

function numberOf({ value }: Row): unknown {
  const json = value && decodeJson(value, "value");
  return json?.ok ? json.value : null;
}

/** How often the runs met what it is about. */
function runs(step: fc.Arbitrary<Action>, numRuns: number): Readonly<Record<string, number>> {
  const seen: Record<string, number> = {};
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (actions) => {
      const world = new World(seen);
      for (const one of actions) world.do(one);
      world.end();
    }),
    { numRuns },
  );
  return seen;
}

it("in the end it is what the owner has, whatever came in which order", () => {
  const seen = runs(action, 3_000);
  const enough = ["refused", "stored", "not stored", "changed while it was read", "asked", "lost"];
  for (const what of [...enough, "the same", "not the same"])
    expect(seen[what], what).toBeGreaterThan(30);
});

it("tells nothing as gone where nothing was deleted, refused or lost", () => {
  const kept = action.map((step): Action => {
    if (step.type === "lose") return { type: "tell" };
    if (step.type === "arrive") return { ...step, refused: 9 };
    return "isDeletion" in step ? { ...step, isDeletion: false } : step;
  });
  const seen = runs(kept, 1_000);
  expect(seen["not stored"], "superseded").toBeGreaterThan(100);
  expect(seen["told as gone"]).toBeUndefined();
});
