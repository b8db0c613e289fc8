/** A set and a counter under one key that are followed, and their owner, which others write to, too. */
import { expect } from "vitest";
import type { ElementChange } from "godwit/client";
import type { Asked, Question } from "../../src/client/desk.ts";
import type { Followed, Follower, FollowerPort } from "../../src/client/follower.ts";
import { Followers } from "../../src/client/followers.ts";
import { TOLD_MS_MAX } from "../../src/client/subscription-limits.ts";
import { LiveView, type Listener } from "../../src/client/live-view.ts";
import { type Ask, type Outcome, type Settled, type Write } from "../../src/client/machine/ask.ts";
import { freed, joined, withRiders, type Counters } from "../../src/client/machine/counters.ts";
import {
  addsOf,
  inTurn,
  released,
  type ElementOf,
  type Removals,
} from "../../src/client/machine/removals.ts";
import { beginClock } from "../../src/client/machine/writer-clock.ts";
import { GridSet } from "../../src/client/set.ts";
import { Told } from "../../src/client/told.ts";
import { View } from "../../src/client/view.ts";
import { COUNT_STAMP } from "../../src/data/count-stamp.ts";
import type { Row } from "../../src/data/row.ts";
import type { Query } from "../../src/protocol/subscription-messages.ts";
import {
  bytesOf,
  jsonOf,
  MINE,
  OF,
  P,
  REFUSED,
  SALT,
  sumOf,
  THEIRS,
  textIn,
  totalsOf,
  type Action,
  addOf,
  removalOf,
} from "./followed-steps.ts";
import { Owner } from "./followed-owner.ts";
import { writeOf } from "./worlds.ts";

export class World {
  readonly #seen: Record<string, number>;
  #now = 1_000;
  #id = 0;
  #millis = 0;
  readonly #owner = new Owner({
    now: () => this.#now,
    note: (what) => this.#note(what),
  });
  // On the way.
  #sent: readonly Ask[] = [];
  #answers: Settled[] = [];
  #counters: Counters = new Map();
  #removals: Removals = new Map();
  #clock = beginClock(MINE);
  readonly #waiting = new Map<number, (settled: Settled) => void>();
  readonly #set: GridSet<string>;
  readonly #lives: LiveView[] = [];
  readonly values = new Set<string>();
  #total: number | undefined;
  #own = 0;

  constructor(seen: Record<string, number>) {
    this.#seen = seen;
    const followers = new Followers(this.#hub());
    const loader = { hub: { followers }, following: () => expect.fail("it is followed as it is") };
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
    addsOf: (of: ElementOf) => addsOf(this.#removals, of),
    clock: beginClock(MINE),
  };

  #hub(): FollowerPort {
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
      },
      pendingOf: () => [],
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
    return hub as unknown as FollowerPort;
  }

  // ---------------------------------------------------------------- what the client asks

  #ask(question: Question): Asked {
    const id = this.#id++;
    const { promise: settled, resolve } = Promise.withResolvers<Settled>();
    this.#waiting.set(id, resolve);
    const ask = this.#askOf(question, id);
    const [removals, unhindered] = inTurn(this.#removals, ask);
    this.#removals = removals;
    const [counters, next] = unhindered
      ? joined(this.#counters, unhindered)
      : [this.#counters, null];
    this.#counters = counters;
    if (!unhindered) this.#note("waits");
    if (next) this.#sent = [...this.#sent, next];
    if (question.type === "count") this.#own += question.by;
    this.#followers.wrote(ask);
    return { ask, settled };
  }

  #askOf(question: Question, id: number): Ask {
    const common = { id, bytes: 1, refused: null, redirectedAt: null };
    if (question.type === "read") return { ...common, kind: "read", key: question.key };
    if (question.type === "count") {
      const op = { type: "count", ...OF, inc: 0, dec: 0 } as const;
      return { ...common, kind: "owner", op, by: question.by, riders: [] };
    }
    if (question.type === "adopt") return expect.fail("nothing was left");
    const { draft, ttlMs, behind = [] } = question;
    const stamp = this.#stamp(MINE);
    const expiresAt = ttlMs === null ? null : this.#now + ttlMs;
    const op = draft.type === "add" ? { ...draft, stamp, expiresAt } : { ...draft, stamp };
    return writeOf(id, { op: op as Write["op"], at: this.#now, ttlMs, behind });
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
        return void this.#owner.merge([addOf(step.value, stamp, expiresAt)]);
      }
      case "removed":
        return void this.#owner.merge(
          this.#owner
            .tagsOf(step.value)
            .map((tag) => removalOf(step.value, tag, this.#stamp(THEIRS))),
        );
      case "counted":
        return this.#owner.counted(step.by);
      case "arrive":
        return this.#arrive(step);
      case "answer":
        return this.#answer(step.which);
      case "tell":
        return this.#tell();
      case "restamp":
        return this.#restamp(step.which);
      case "whole":
        return this.#owner.tellWhole();
      case "read":
        return this.#owner.read();
      case "wait":
        this.#now += TOLD_MS_MAX;
        return this.#doubt();
      case "lose":
        return this.#owner.lose(step.which);
    }
  }

  // ---------------------------------------------------------------- there and back

  #tell(): void {
    const part = this.#owner.told.shift();
    if (!part) return;
    if ("compare" in part) return this.#compare(part.compare);
    for (const live of this.#lives) {
      live.hear({ type: "changed", id: 1, parts: [part] });
      if (part.position) live.hear({ type: "synced", id: 1 });
    }
  }

  #compare(reading: object): void {
    const [digests = [], others = []] = this.#lives.map(({ view }) => view.digests([P], SALT));
    expect(others).toEqual(digests);
    this.#owner.compare(reading, digests[0]?.buckets ?? expect.fail("no digest"));
  }

  /** One in ten is refused and stands, another is refused; of a third the answer is lost, so it comes again. */
  #arrive({ refused, which: index }: { refused: number; which: number }): void {
    const ask = this.#sent[index % Math.max(1, this.#sent.length)];
    if (!ask) return;
    this.#sent = this.#sent.filter((other) => other !== ask);
    if (refused === 2)
      this.#sent = [...this.#sent, "ttlMs" in ask ? { ...ask, exposed: true } : ask];
    const outcome = refused === 1 ? REFUSED : this.#outcomeOf(ask);
    if (refused === 2) return;
    const isRefused = refused < 2 && ask.kind !== "read";
    this.#note(isRefused ? "refused" : outcome.type);
    this.#answers.push({ ask, outcome: isRefused ? REFUSED : outcome });
  }

  #outcomeOf(ask: Ask): Outcome {
    if (ask.kind === "read") {
      const members = ["x", "y", "z"].flatMap((json) => {
        const tags = this.#owner.tagsOf(json);
        return tags.length > 0 ? { value: bytesOf(json), tags } : [];
      });
      return { type: "members", members, after: null };
    }
    const { op } = ask;
    const stamp = COUNT_STAMP;
    if (op.type === "count") {
      this.#owner.merge(totalsOf(MINE, op));
      return { type: "stored", stamp };
    }
    const text = textIn(op.value);
    if (op.type === "add" && !this.#owner.merge([addOf(text, op.stamp, op.expiresAt)]))
      return { type: "superseded", stamp };
    if (op.type === "remove")
      this.#owner.merge((op.tags ?? []).map((tag) => removalOf(text, tag, op.stamp)));
    return { type: "stored", stamp };
  }

  #answer(index: number): void {
    const answer = this.#answers[index % Math.max(1, this.#answers.length)];
    if (!answer) return;
    this.#answers = this.#answers.filter((other) => other !== answer);
    const [counters, next] = freed(this.#counters, [answer]);
    this.#counters = counters;
    const waiting = { removals: this.#removals, clock: this.#clock };
    const free = released(waiting, [answer], this.#now);
    this.#removals = free.removals;
    this.#clock = free.clock;
    this.#sent = [...this.#sent, ...next, ...free.next];
    const all = [...withRiders(answer), ...free.needless];
    for (const removal of free.changed) this.#followers.restamped(removal);
    for (const _ of free.needless) this.#note("needless");
    for (const { ask, outcome } of all)
      if (outcome.type === "refused" && "by" in ask) this.#own -= ask.by;
    for (const settled of all) this.#settle(settled);
  }

  #restamp(index: number): void {
    const ask = this.#sent[index % Math.max(1, this.#sent.length)];
    if (!ask || !("ttlMs" in ask) || ask.exposed) return;
    const write: Write = { ...ask, op: { ...ask.op, stamp: this.#stamp(MINE) } };
    this.#sent = this.#sent.map((other) => (other === ask ? write : other));
    this.#note("restamped");
    this.#followers.restamped(write);
  }

  #settle(settled: Settled): void {
    this.#followers.settled(settled);
    this.#waiting.get(settled.ask.id)?.(settled);
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
    const known = [...this.#owner.sides.inc].some((inc) => this.#owner.sides.dec.has(inc - others));
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
    const there = this.#owner.visible;
    const elements = there.flatMap((row) => (row.kind === "or" ? String(jsonOf(row)) : []));
    expect([...this.values].toSorted()).toEqual([...new Set(elements)].toSorted());
    expect(this.#total).toBe(sumOf(there));
    this.#now += 2 * TOLD_MS_MAX;
    for (const { view } of this.#lives) expect(view.takeUntold(10), "in doubt").toEqual([]);
    for (const live of this.#lives) live.close();
  }

  async #drain(): Promise<void> {
    while (
      this.#sent.length + this.#answers.length + this.#owner.told.length > 0 ||
      this.#owner.isReading
    ) {
      this.#arrive({ refused: 5, which: 0 });
      this.#answer(0);
      this.#owner.read();
      this.#tell();
      await this.#pass();
      this.#check();
    }
  }

  #note(what: string): void {
    this.#seen[what] = (this.#seen[what] ?? 0) + 1;
  }
}
