/**
 * A set and a counter under one key that are followed, against an owner that others write to, too: whatever order acknowledgements,
 * refusals, changes, wholes in pieces and losses come in, in the end both show what the owner has; and on the way nothing is told
 * twice, and nothing of what this client adds counts twice or not at all.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { ElementChange } from "godwit/client";
import type { Asked, Question } from "../../src/client/desk.ts";
import type { Follower } from "../../src/client/follower.ts";
import { Followers } from "../../src/client/followers.ts";
import type { Followed, Hub } from "../../src/client/hub.ts";
import { TOLD_MS_MAX } from "../../src/client/limits.ts";
import { LiveView, type Listener } from "../../src/client/live-view.ts";
import type { Ask, Outcome, Settled, Write } from "../../src/client/machine/ask.ts";
import { freed, joined, withRiders, type Counters } from "../../src/client/machine/counters.ts";
import { GridSet } from "../../src/client/set.ts";
import { Told } from "../../src/client/told.ts";
import { View } from "../../src/client/view.ts";
import { digestOf } from "../../src/data/bucket-digest.ts";
import { equalBytes } from "../../src/data/bytes.ts";
import { COUNT_STAMP } from "../../src/data/count-stamp.ts";
import { Epoch, Seq } from "../../src/data/ids.ts";
import { compareRows, isVisible, type Row } from "../../src/data/row.ts";
import type { ChangedPart, Query } from "../../src/protocol/subscription-messages.ts";
import {
  action,
  bytesOf,
  jsonOf,
  MINE,
  nameOf,
  OF,
  P,
  REFUSED,
  SALT,
  sumOf,
  THEIRS,
  textIn,
  totalsOf,
  REFUSED_REMOVALS,
  harmless,
  type Action,
  type Stored,
  addOf,
  removalOf,
} from "./followed-steps.ts";
import { writeOf } from "./worlds.ts";

class World {
  readonly #seen: Record<string, number>;
  #now = 1_000;
  #id = 0;
  #millis = 0;
  // The owner.
  readonly #rows = new Map<string, Stored>();
  readonly #before = new Map<string, Row>();
  #seq = 0;
  readonly #theirs = { inc: 0, dec: 0 };
  /** Whatever others' sides of the counter have been. */
  readonly #sides = { inc: new Set([0]), dec: new Set([0]) };
  // On the way.
  #sent: Ask[] = [];
  #answers: Settled[] = [];
  #told: (ChangedPart | { readonly compare: object })[] = [];
  #reading: { readonly from: number; readonly left: readonly string[] | null } | null = null;
  #counters: Counters = new Map();
  readonly #waiting = new Map<number, (settled: Settled) => void>();
  readonly #set: GridSet<string>;
  readonly #lives: LiveView[] = [];
  readonly values = new Set<string>();
  #total: number | undefined;
  #own = 0;

  constructor(seen: Record<string, number>) {
    this.#seen = seen;
    const followers = new Followers(this.#hub());
    const loader = { followers, following: () => expect.fail("it is followed as it is") };
    this.#set = new GridSet(OF.map, OF.key, this.#desk, loader);
    this.#followers = followers;
    const heard = (changes: readonly ElementChange<string>[]): void => {
      for (const change of changes) {
        expect(this.values.has(change.value), "told twice").toBe(!change.isThere);
        if (change.isThere) this.values.add(change.value);
        else this.values.delete(change.value);
        if (!change.isThere) this.#note("told as gone");
      }
    };
    this.#lives.push(followers.follow("set", OF, { listener: heard, kept: null }));
    const counted = (total: number): void => {
      expect(total, "told twice").not.toBe(this.#total);
      this.#total = total;
    };
    this.#lives.push(followers.follow("counter", OF, { listener: counted, kept: null }));
    for (const live of this.#lives) live.hear({ type: "synced", id: 1 });
  }

  readonly #followers: Followers;
  readonly #desk = {
    defaults: { ack: "owner", localMax: 100 } as const,
    now: () => this.#now,
    ask: (question: Question): Asked => this.#ask(question),
  };

  #hub(): Hub {
    const counters = (): Counters => this.#counters;
    const outbox = {
      get counters() {
        return counters();
      },
    };
    const hub = {
      desk: this.#desk,
      host: {
        client: { settings: { replicaId: MINE }, outbox, router: { map: null } },
        pendingOf: () => [],
      },
      viewOf: (
        query: Query,
        kind: "or",
        changed: ConstructorParameters<typeof View>[1]["changed"],
      ) => new View(query, { partitionCount: () => 1, now: this.#desk.now, changed }, kind),
      toldOf: ({ map }: Query) => new Told(map),
      follow: (_query: Query, listener: Listener, { make }: Followed<Follower>) => {
        const never = { room: () => 0, ask: () => undefined, close: () => undefined };
        return new LiveView(make, listener, { now: this.#desk.now, ...never });
      },
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that followers ask of it
    return hub as unknown as Hub;
  }

  // ---------------------------------------------------------------- what the client asks

  #ask(question: Question): Asked {
    const id = this.#id++;
    const { promise: settled, resolve } = Promise.withResolvers<Settled>();
    this.#waiting.set(id, resolve);
    const ask = this.#askOf(question, id);
    const [counters, next] = joined(this.#counters, ask);
    this.#counters = counters;
    if (next) this.#sent.push(next);
    if (question.type === "count") this.#own += question.by;
    this.#followers.did({ type: "taken", ask });
    return { ask, settled };
  }

  #askOf(question: Question, id: number): Ask {
    const common = { id, partitionId: P, bytes: 1, refused: null, redirectedAt: null };
    if (question.type === "read") return { ...common, kind: "read", key: question.key };
    if (question.type === "count") {
      const op = { type: "count", ...OF, inc: 0, dec: 0 } as const;
      return { ...common, kind: "owner", op, by: question.by, riders: [] };
    }
    const { draft, ttlMs } = question;
    const stamp = this.#stamp(MINE);
    const expiresAt = ttlMs === null ? null : this.#now + ttlMs;
    const op = draft.type === "add" ? { ...draft, stamp, expiresAt } : { ...draft, stamp };
    return writeOf(id, { op: op as Write["op"] });
  }

  #stamp(node: string, ahead = 0): Row["stamp"] {
    this.#millis = Math.max(this.#millis + 1, this.#now);
    return { millis: this.#millis + ahead, counter: this.#id++, node };
  }

  async do(step: Action): Promise<void> {
    this.#now++;
    this.#step(step);
    await this.#pass();
    this.#check();
  }

  async #pass(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await Promise.resolve();
    for (const { view } of this.#lives) view.expire();
    for (let turn = 0; turn < 3; turn++) await Promise.resolve();
  }

  #step(step: Action): void {
    switch (step.type) {
      case "add": {
        const options = step.ttl === null ? {} : { ttl: step.ttl };
        return void this.#set.add(step.value, options).catch(() => undefined);
      }
      case "delete":
        return void this.#set.delete(step.value).catch(() => undefined);
      case "count":
        return void this.#ask({ type: "count", ...OF, by: step.by, ack: "owner" });
      case "theirs": {
        const expiresAt = step.ttl === null ? null : this.#now + step.ttl;
        const stamp = this.#stamp(THEIRS, step.ahead);
        return void this.#merge([addOf(step.value, stamp, expiresAt)]);
      }
      case "removed":
        return void this.#merge(
          this.#tagsOf(step.value).map((tag) => removalOf(step.value, tag, this.#stamp(THEIRS))),
        );
      case "counted":
        return this.#counted(step.by);
      case "arrive":
        return this.#arrive(step);
      case "answer":
        return this.#answer(step.which);
      case "tell":
        return this.#tell();
      case "restamp":
        return this.#restamp(step.which);
      case "whole":
        this.#reading = { from: this.#seq, left: [...this.#rows.keys()] };
        return this.#send([], { replaces: { count: 1, which: [0] }, position: null });
      case "read":
        return this.#read();
      case "wait":
        this.#now += TOLD_MS_MAX;
        return this.#doubt();
      case "lose":
        return this.#lose(step.which);
    }
  }

  // ---------------------------------------------------------------- the owner

  #counted(amount: number): void {
    const side = amount < 0 ? "dec" : "inc";
    this.#theirs[side] += Math.abs(amount);
    this.#sides[side].add(this.#theirs[side]);
    this.#merge(totalsOf(THEIRS, this.#theirs));
  }

  get #visible(): readonly Row[] {
    return [...this.#rows.values()].flatMap(({ row }) => (isVisible(row, this.#now) ? row : []));
  }

  #tagsOf(json: string): readonly Row["stamp"][] {
    return this.#visible.flatMap((row) => (jsonOf(row) === json ? row.stamp : []));
  }

  #merge(rows: readonly Row[]): boolean {
    const changed = rows.filter((row) => {
      const known = this.#rows.get(nameOf(row));
      if (known && compareRows(known.row, row) >= 0) return false;
      if (known) this.#before.set(nameOf(row), known.row);
      this.#rows.set(nameOf(row), { row, seq: ++this.#seq });
      return true;
    });
    if (changed.length > 0 && !this.#reading) this.#send(changed, {});
    return changed.length === rows.length;
  }

  /** The owner was lost, and with it what nobody else had; who follows is asked what it has. */
  #lose(index: number): void {
    const names = [...this.#rows.keys()];
    const name = names[index % Math.max(1, names.length)];
    if (name === undefined) return;
    const row = this.#before.get(name);
    this.#note(`lost ${this.#rows.get(name)?.row.kind}`);
    if (row) this.#rows.set(name, { row, seq: ++this.#seq });
    else this.#rows.delete(name);
    this.#reading = { from: this.#seq, left: null };
    this.#told.push({ compare: this.#reading });
  }

  #send(rows: readonly Row[], part: Partial<ChangedPart>): void {
    const position = { since: Epoch(1), seq: Seq(this.#seq) };
    this.#told.push({ partitionId: P, position, replaces: null, rows, ...part });
  }

  #tell(): void {
    const part = this.#told.shift();
    if (!part) return;
    if ("compare" in part) return this.#compare(part.compare);
    for (const live of this.#lives) {
      live.hear({ type: "changed", id: 1, parts: [part] });
      if (part.position) live.hear({ type: "synced", id: 1 });
    }
  }

  #compare(reading: object): void {
    if (this.#reading !== reading) return;
    const [digests = [], others = []] = this.#lives.map(({ view }) => view.digests([P], SALT));
    const buckets = digests[0]?.buckets ?? expect.fail("no digest");
    expect(others).toEqual(digests);
    const count = buckets.length / 8;
    const isSame = equalBytes(buckets, digestOf(this.#visible, count, SALT));
    this.#note(isSame ? "the same" : "not the same");
    const { from } = this.#reading;
    this.#reading = { from, left: isSame ? [] : [...this.#rows.keys()] };
    if (isSame) return;
    this.#send([], { replaces: { count: 1, which: [0] }, position: null });
  }

  #read(): void {
    const { from, left } = this.#reading ?? { from: 0, left: null };
    if (!left) return;
    const [next, ...rest] = left;
    if (next !== undefined) {
      const row = this.#rows.get(next)?.row;
      this.#reading = { from, left: rest };
      return this.#send(row && isVisible(row, this.#now) ? [row] : [], { position: null });
    }
    this.#reading = null;
    const since = [...this.#rows.values()].filter(({ seq }) => seq > from);
    this.#note(since.length > 0 ? "changed while it was read" : "whole");
    this.#send(
      since.map(({ row }) => row),
      {},
    );
  }

  // ---------------------------------------------------------------- there and back

  /** One in ten is refused and stands, another is refused; of a third the answer is lost, so it comes again. */
  #arrive({ refused, which: index }: { refused: number; which: number }): void {
    const ask = this.#sent[index % Math.max(1, this.#sent.length)];
    if (!ask) return;
    this.#sent = this.#sent.filter((other) => other !== ask);
    if (refused === 2) this.#sent.push("ttlMs" in ask ? { ...ask, exposed: true } : ask);
    const outcome = refused === 1 ? REFUSED : this.#outcomeOf(ask);
    if (refused === 2) return;
    const isRefused = refused < 2 && ask.kind !== "read";
    this.#note(isRefused ? "refused" : outcome.type);
    this.#answers.push({ ask, outcome: isRefused ? REFUSED : outcome });
  }

  #outcomeOf(ask: Ask): Outcome {
    if (ask.kind === "read") {
      const members = ["x", "y", "z"].flatMap((json) => {
        const tags = this.#tagsOf(json);
        return tags.length > 0 ? { value: bytesOf(json), tags } : [];
      });
      return { type: "members", members, after: null };
    }
    const { op } = ask;
    const stamp = COUNT_STAMP;
    if (op.type === "count") {
      this.#merge(totalsOf(MINE, op));
      return { type: "stored", stamp };
    }
    const text = textIn(op.value);
    if (op.type === "add" && !this.#merge([addOf(text, op.stamp, op.expiresAt)]))
      return { type: "superseded", stamp };
    if (op.type === "remove")
      this.#merge((op.tags ?? []).map((tag) => removalOf(text, tag, op.stamp)));
    return { type: "stored", stamp };
  }

  #answer(index: number): void {
    const answer = this.#answers[index % Math.max(1, this.#answers.length)];
    if (!answer) return;
    this.#answers = this.#answers.filter((other) => other !== answer);
    const all = withRiders(answer);
    const [counters, next] = freed(this.#counters, [answer]);
    this.#counters = counters;
    this.#sent.push(...next);
    for (const { ask, outcome } of all)
      if (outcome.type === "refused" && "by" in ask) this.#own -= ask.by;
    this.#followers.did({ type: "settled", all });
    for (const settled of all) this.#waiting.get(settled.ask.id)?.(settled);
  }

  #restamp(index: number): void {
    const ask = this.#sent[index % Math.max(1, this.#sent.length)];
    if (!ask || !("ttlMs" in ask) || ask.exposed) return;
    const write: Write = { ...ask, op: { ...ask.op, stamp: this.#stamp(MINE) } };
    this.#sent = this.#sent.map((other) => (other === ask ? write : other));
    this.#note("restamped");
    this.#followers.did({ type: "restamped", writes: [write] });
  }

  #doubt(): void {
    for (const { view } of this.#lives)
      for (const untold of view.takeUntold(10)) {
        this.#note(`asked ${untold.row.stamp === COUNT_STAMP ? "pn" : "or"}`);
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both are
        void (view as Follower).doubt(untold);
      }
  }

  // ---------------------------------------------------------------- what must be

  #check(): void {
    if (this.#total === undefined) return;
    const others = this.#total - this.#own;
    const known = [...this.#sides.inc].some((inc) => this.#sides.dec.has(inc - others));
    expect(known, `${this.#total}, ${this.#own} of it here`).toBe(true);
  }

  async end(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      await this.#drain();
      this.#now += TOLD_MS_MAX;
      await this.#pass();
      this.#doubt();
    }
    await this.#drain();
    const there = this.#visible;
    const elements = there.flatMap((row) => (row.kind === "or" ? String(jsonOf(row)) : []));
    expect([...this.values].toSorted()).toEqual([...new Set(elements)].toSorted());
    expect(this.#total).toBe(sumOf(there));
    this.#now += 2 * TOLD_MS_MAX;
    for (const { view } of this.#lives) expect(view.takeUntold(10), "in doubt").toEqual([]);
    for (const live of this.#lives) live.close();
  }

  async #drain(): Promise<void> {
    while (this.#sent.length + this.#answers.length + this.#told.length > 0 || this.#reading) {
      this.#arrive({ refused: 5, which: 0 });
      this.#answer(0);
      this.#read();
      this.#tell();
      await this.#pass();
      this.#check();
    }
  }

  #note(what: string): void {
    this.#seen[what] = (this.#seen[what] ?? 0) + 1;
  }
}

/** How often the runs met what it is about. */
async function runs(
  step: fc.Arbitrary<Action>,
  numRuns: number,
  examples: readonly (readonly Action[])[] = [],
): Promise<Readonly<Record<string, number>>> {
  const seen: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (actions) => {
      const world = new World(seen);
      for (const one of actions) await world.do(one);
      await world.end();
    }),
    { numRuns, examples: examples.map((steps) => [[...steps]]) },
  );
  return seen;
}

it("in the end a set and a counter are what the owner has, and at no time is anything counted twice", async () => {
  const seen = await runs(action, 1_000, REFUSED_REMOVALS);
  const enough = ["refused", "stored", "superseded", "restamped", "changed while it was read"];
  const lost = ["lost or", "lost pn", "asked or", "asked pn", "the same", "not the same"];
  for (const what of [...enough, ...lost]) expect(seen[what], what).toBeGreaterThan(0);
}, 60_000);

it("tells no element as gone that nobody has removed, and none was refused or lost", async () => {
  const seen = await runs(action.map(harmless), 300);
  expect(seen["stored"]).toBeGreaterThan(100);
  expect(seen["told as gone"]).toBeUndefined();
}, 60_000);
