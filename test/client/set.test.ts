/** What a client asks for where somebody holds a set, and what it shows meanwhile. */
import { expect, it } from "vitest";
import type { Asked, Question } from "../../src/client/desk.ts";
import {
  isAdd,
  isRemoval,
  type Ask,
  type Outcome,
  type Settled,
} from "../../src/client/machine/ask.ts";
import { beginClock, stamped } from "../../src/client/machine/writer-clock.ts";
import {
  addsOf,
  inTurn,
  released,
  type ElementOf,
  type Removals,
} from "../../src/client/machine/removals.ts";
import { GridSet } from "../../src/client/set.ts";
import type { Stamp } from "../../src/data/hlc.ts";
import { makeError } from "../../src/protocol/errors.ts";
import type { SetMember } from "../../src/protocol/ops.ts";
import { encodeJson } from "../../src/protocol/values.ts";
import { readOf, writeOf } from "./worlds.ts";

const tagOf = (millis: number, node = "c"): Stamp => ({ millis, counter: 0, node });

/** Whoever answers is the test: each question in turn, an add by the tag that it gets. What waits for an add is sent after it. */
class Counter {
  readonly defaults = { ack: "owner", localMax: 100 } as const;
  readonly asked: Ask[] = [];
  readonly #waiting = new Map<number, (settled: Settled) => void>();
  #answered = 0;
  #id = 0;
  #removals: Removals = new Map();

  readonly clock = beginClock("c");

  addsOf(of: ElementOf): number[] {
    return addsOf(this.#removals, of);
  }

  ask(question: Question): Asked {
    const { promise: settled, resolve } = Promise.withResolvers<Settled>();
    const ask = askOf(question, this.#id++);
    this.#waiting.set(ask.id, resolve);
    const [removals, next] = inTurn(this.#removals, ask);
    this.#removals = removals;
    if (next) this.asked.push(next);
    return { ask, settled };
  }

  async answer(outcome: Outcome, tag = tagOf(0)): Promise<void> {
    const asked = this.asked[this.#answered++] ?? expect.fail("nothing was asked");
    const ask = isAdd(asked) ? { ...asked, op: { ...asked.op, stamp: tag } } : asked;
    const waiting = { removals: this.#removals, clock: beginClock("c") };
    const free = released(waiting, [{ ask, outcome }], 1_000);
    this.#removals = free.removals;
    this.asked.push(...free.next);
    for (const settled of [{ ask, outcome }, ...free.needless])
      this.#waiting.get(settled.ask.id)?.(settled);
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  /** Of the removals: the tags that each names. */
  get removed(): unknown[] {
    return this.asked.flatMap((ask) => (isRemoval(ask) ? [ask.op.tags] : []));
  }
}

function askOf(question: Question, id: number): Ask {
  if (question.type === "read") return readOf(id, { key: question.key });
  if (question.type !== "write") return expect.fail("it is a set");
  const { draft, behind = [] } = question;
  return writeOf(id, { op: stamped(draft, tagOf(id), null), behind });
}

/** Nobody follows it. */
const loader = { hub: null, following: () => expect.fail("nobody has subscribed") };

const setOf = (): [GridSet<string>, Counter] => {
  const counter = new Counter();
  return [new GridSet<string>("tags", "k", counter, loader), counter];
};
const STORED: Outcome = { type: "stored", stamp: tagOf(0) };
const REFUSED: Outcome = { type: "refused", error: makeError("NO_BACKUP", { partitionId: 0 }) };

function members(all: Readonly<Record<string, readonly Stamp[]>>): Outcome {
  const found = Object.entries(all).map(([value, tags]): SetMember => {
    const bytes = encodeJson(value, "value");
    return { value: bytes.ok ? bytes.value : new Uint8Array(), tags };
  });
  return { type: "members", members: found, after: null };
}

it("a removal names the tags that this client has seen, and no others", async () => {
  const [set, node] = setOf();
  const adding = set.add("a");
  await node.answer(STORED, tagOf(5));
  await adding;
  const reading = set.values();
  await node.answer(members({ a: [tagOf(5), tagOf(6, "d")], b: [tagOf(7, "d")] }));
  expect(await reading).toEqual(["a", "b"]);
  void set.delete("a");
  expect(set.peek()).toEqual(["b"]);
  expect(node.removed).toEqual([[tagOf(5), tagOf(6, "d")]]);
});

it("a removal of its own add waits for the tag that a node has, and takes no later add along", async () => {
  const [set, node] = setOf();
  void set.add("a");
  const removing = set.delete("a");
  void set.add("a");
  expect(set.peek()).toEqual(["a"]);
  await node.answer(STORED, tagOf(5));
  await node.answer(STORED, tagOf(6));
  expect(node.removed).toEqual([[tagOf(5)]]);
  await node.answer(STORED);
  await removing;
  expect(set.peek()).toEqual(["a"]);
});

it("a removal of what it has never seen asks for its tags first, and sends nothing where there are none", async () => {
  const [set, node] = setOf();
  const removing = set.delete("a");
  expect(node.asked).toMatchObject([{ kind: "read", key: { type: "members", limit: 1 } }]);
  await node.answer(members({ a: [tagOf(9, "d")] }));
  expect(node.removed).toEqual([[tagOf(9, "d")]]);
  await node.answer(STORED);
  await removing;
  const nothing = set.delete("b");
  await node.answer(members({ c: [tagOf(1)] }));
  await nothing;
  expect(node.removed).toHaveLength(1);
});

it("a removal that has to ask for tags first takes no later add along", async () => {
  const [set, node] = setOf();
  void set.delete("a");
  void set.add("a");
  await node.answer(members({ a: [tagOf(9, "d")] }));
  await node.answer(STORED, tagOf(12));
  await node.answer(STORED);
  expect(node.removed).toEqual([[tagOf(9, "d")]]);
  expect(set.peek()).toEqual(["a"]);
});

it("what it does itself is shown at once, stands over what was asked before, and is undone when refused", async () => {
  const [set, node] = setOf();
  const reading = set.values();
  const adding = set.add("a");
  expect(await set.has("a")).toBe(true);
  await node.answer(members({ b: [tagOf(1)] }));
  expect((await reading).toSorted()).toEqual(["a", "b"]);
  await node.answer(REFUSED);
  await expect(adding).rejects.toMatchObject({ code: "NO_BACKUP" });
  expect(set.peek()).toEqual(["b"]);
  const before = set.values();
  const removing = set.delete("b");
  expect(await set.has("b")).toBe(false);
  await node.answer(members({ b: [tagOf(1)] }));
  expect(await before).toEqual([]);
  await node.answer(REFUSED);
  await expect(removing).rejects.toMatchObject({ code: "NO_BACKUP" });
  expect(set.peek()).toEqual(["b"]);
});
