/** An element that is added and taken out again before the add is settled, whatever becomes of the page meanwhile. */
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  isAdd,
  isRemoval,
  type Ask,
  type Kept,
  type Settled,
} from "../../src/client/machine/ask.ts";
import type { ClientEffect } from "../../src/client/machine/client-state.ts";
import { addsOf } from "../../src/client/machine/removals.ts";
import { everyAsk } from "../../src/client/machine/outbox-state.ts";
import { formatStamp, type Stamp } from "../../src/data/hlc.ts";
import { makeError } from "../../src/protocol/errors.ts";
import { record } from "../actions.ts";
import { Node, Page, T } from "./pages.ts";

const PAGES = 2;
const VALUES = ["x", "y"];
const OF = { map: "m", key: "set" };
const elementOf = (value: string) => ({ ...OF, value: new TextEncoder().encode(value) });

const at = fc.nat(PAGES - 1);
const value = fc.constantFrom(...VALUES);
const action = fc.oneof(
  { weight: 4, arbitrary: record("add", { at, value }) },
  { weight: 4, arbitrary: record("remove", { at, value }) },
  { weight: 2, arbitrary: record("end", { at, heir: at }) },
  { weight: 1, arbitrary: record("refuse", { at }) },
  { weight: 1, arbitrary: record("correct", { at, aheadMs: fc.constantFrom(-300_000, 300_000) }) },
  ...(["flush", "deliver", "answer", "cut", "connect"] as const).map((type) => ({
    weight: 2,
    arbitrary: record(type, { at }),
  })),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** An add, as its visitor knows it: under whichever tag. */
interface Add {
  readonly value: string;
  isRemoved: boolean;
  /** It was refused, and may stand if a node had it before; or its removal was. */
  isRefused: boolean;
  isRemovalRefused: boolean;
}

/** A page and what its visitor sees there. */
class Visited {
  readonly page: Page;
  /** By number of the operation, as long as it is not settled. */
  readonly #open = new Map<number, Add>();
  /** By the tag that it has in the end. */
  readonly #known = new Map<Stamp, Add>();
  readonly #adds: Map<string, Add>;

  constructor(id: string, node: Node, clock: { now: number }, adds: Map<string, Add>) {
    this.#adds = adds;
    this.page = new Page(id, node, clock, (effect) => this.#hear(effect));
  }

  #hear(effect: ClientEffect): void {
    if (effect.type === "taken") this.#stamped(effect.ask);
    if (effect.type === "restamped") for (const write of effect.writes) this.#stamped(write);
    if (effect.type === "settled") for (const settled of effect.all) this.#settled(settled);
  }

  #stamped(ask: Ask): void {
    if (!isAdd(ask)) return;
    const tag = formatStamp(ask.op.stamp);
    const text = new TextDecoder().decode(ask.op.value);
    const fresh = { value: text, isRemoved: false, isRefused: false, isRemovalRefused: false };
    // What was adopted is known by the tag that it had.
    const add = this.#open.get(ask.id) ?? this.#adds.get(tag) ?? fresh;
    this.#open.set(ask.id, add);
    this.#adds.set(tag, add);
  }

  #settled({ ask, outcome }: Settled): void {
    const isRefused = outcome.type === "refused";
    if (isRemoval(ask) && isRefused)
      for (const tag of ask.op.tags ?? []) {
        const add = this.#adds.get(formatStamp(tag)) ?? expect.fail("nobody has added it");
        add.isRemovalRefused = true;
      }
    const add = this.#open.get(ask.id);
    if (!add || !isAdd(ask)) return;
    this.#open.delete(ask.id);
    if (isRefused) add.isRefused = true;
    else this.#known.set(ask.op.stamp, add);
  }

  add(text: string): void {
    const draft = { type: "add", ...elementOf(text) } as const;
    this.page.do({ type: "write", draft, ttlMs: null, ack: "owner" });
  }

  /** All of it that is seen here. False: nothing is. */
  remove(text: string): boolean {
    const of = elementOf(text);
    const behind = addsOf(this.page.client.outbox.removals, of);
    const isSeen = ([, add]: readonly [unknown, Add]): boolean =>
      add.value === text && !add.isRemoved;
    const [known, open] = [[...this.#known].filter(isSeen), [...this.#open].filter(isSeen)];
    expect(behind, "what it waits for").toEqual(open.map(([id]) => id));
    if (known.length + behind.length === 0) return false;
    const tags = known.map(([tag]) => tag);
    const draft = { type: "remove", ...of, tags } as const;
    this.page.do({ type: "write", draft, ttlMs: null, ack: "owner", behind });
    for (const [, add] of [...known, ...open]) add.isRemoved = true;
    return true;
  }
}

class Origin {
  readonly node = new Node();
  readonly clock = { now: T };
  readonly adds = new Map<string, Add>();
  readonly seen: Record<string, number>;
  #ids = 0;
  readonly #visited = Array.from({ length: PAGES }, () => this.#newPage());

  constructor(seen: Record<string, number>) {
    this.seen = seen;
  }

  #newPage(): Visited {
    return new Visited(`p${this.#ids++}`, this.node, this.clock, this.adds);
  }

  #note(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  async do(step: Action): Promise<void> {
    this.clock.now += 10;
    const visited = this.#visited[step.at] ?? expect.fail("no such page");
    const { page } = visited;
    switch (step.type) {
      case "add":
        return visited.add(step.value);
      case "remove":
        if (visited.remove(step.value)) this.#note("removed");
        return;
      case "end":
        return this.#end(step.at, step.heir);
      // What was refused is nowhere: it has not come to the node.
      case "refuse":
        return page.answer(makeError("BAD_CURSOR", { field: "x" }), "sent");
      case "correct":
        page.cut();
        return page.connect(step.aheadMs);
      default:
        page[step.type]();
    }
  }

  async #end(index: number, heir: number): Promise<void> {
    const kept = (await this.#visited[index]?.page.end()) ?? [];
    this.#visited[index] = this.#newPage();
    this.#visited[heir]?.page.adopt(kept);
    if (kept.some(waits)) this.#note("left waiting");
  }

  async settle(): Promise<void> {
    for (const { page } of this.#visited) {
      page.connect();
      for (let i = 0; i < 10 && page.pending > 0; i++) {
        page.flush();
        page.deliver();
        page.answer();
      }
      expect(page.pending).toBe(0);
      expect(await page.end()).toEqual([]);
    }
    const standing = new Set<Add>();
    for (const [tag, stands] of this.node.adds) {
      const add = this.adds.get(tag) ?? expect.fail("nobody has added it");
      if (stands) standing.add(add);
    }
    for (const add of new Set(this.adds.values())) this.#judge(add, standing.has(add));
  }

  #judge({ isRemoved, isRefused, isRemovalRefused }: Add, stands: boolean): void {
    if (isRefused && isRemoved) this.#note("refused and removed");
    if (isRemovalRefused) return;
    if (isRemoved) expect(stands, "removed, and there").toBe(false);
    else if (!isRefused) expect(stands, "added, and not there").toBe(true);
  }
}

const waits = (one: Kept): boolean => "behind" in one && one.behind.length > 0;

it("a removal outlives its page as the add does for which it waits, and takes that out and nothing else", async () => {
  const seen: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 60 }), async (actions) => {
      const origin = new Origin(seen);
      for (const step of actions) await origin.do(step);
      await origin.settle();
    }),
    { numRuns: 1_500 },
  );
  for (const what of ["removed", "left waiting", "refused and removed"])
    expect(seen[what], what).toBeGreaterThan(20);
}, 60_000);

it("an element that was added and taken out offline is not there after a reload", async () => {
  const node = new Node();
  const page = new Page("p", node);
  page.do({ type: "write", draft: { type: "add", ...elementOf("x") }, ttlMs: null, ack: "owner" });
  const behind = addsOf(page.client.outbox.removals, elementOf("x"));
  const draft = { type: "remove", ...elementOf("x"), tags: [] } as const;
  page.do({ type: "write", draft, ttlMs: null, ack: "owner", behind });
  const next = new Page("q", node);
  next.adopt(await page.end());
  next.connect();
  for (let i = 0; i < 2; i++) {
    next.deliver();
    next.answer();
  }
  expect(next.pending).toBe(0);
  expect([...node.adds.values()]).toEqual([false]);
});

it("a removal that was adopted is nobody's yet, whatever the page before may have sent", async () => {
  const node = new Node();
  const page = new Page("p", node);
  page.do({ type: "write", draft: { type: "add", ...elementOf("x") }, ttlMs: null, ack: "owner" });
  const behind = addsOf(page.client.outbox.removals, elementOf("x"));
  const draft = { type: "remove", ...elementOf("x"), tags: [] } as const;
  page.do({ type: "write", draft, ttlMs: null, ack: "owner", behind });
  const kept = (await page.end()).map((one) => ({ ...one, exposed: true }));
  const next = new Page("q", node);
  next.adopt(kept);
  next.connect();
  next.deliver();
  next.answer();
  expect(everyAsk(next.client.outbox)).toMatchObject([{ op: { type: "remove" }, exposed: false }]);
});

it("a removal takes out an add that is refused when it is sent again, since a node may have it", () => {
  const node = new Node();
  const page = new Page("p", node);
  page.connect();
  page.do({ type: "write", draft: { type: "add", ...elementOf("x") }, ttlMs: null, ack: "owner" });
  page.flush();
  page.deliver();
  page.cut();
  const behind = addsOf(page.client.outbox.removals, elementOf("x"));
  const draft = { type: "remove", ...elementOf("x"), tags: [] } as const;
  page.do({ type: "write", draft, ttlMs: null, ack: "owner", behind });
  page.connect();
  page.flush();
  page.answer(makeError("BAD_CURSOR", { field: "x" }), "sent");
  page.flush();
  page.deliver();
  page.answer();
  expect(page.pending).toBe(0);
  expect([...node.adds.values()]).toEqual([false]);
});
