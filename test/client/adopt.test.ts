/** What a page that has ended has left, and what the next one makes of it. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { connect } from "godwit/client";
import { makeError } from "../../src/protocol/errors.ts";
import { Node, Page, T } from "./pages.ts";

const PAGES = 3;

type Action =
  | { readonly type: "flush" | "deliver" | "answer" | "cut" | "connect"; readonly at: number }
  | { readonly type: "write"; readonly at: number; readonly key: string }
  | { readonly type: "count"; readonly at: number; readonly by: number }
  /** Its place is taken by a new page, and what it has left is adopted there. */
  | { readonly type: "end"; readonly at: number; readonly heir: number };

const at = fc.nat(PAGES - 1);
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant("write"), at, key: fc.constantFrom("a", "b") }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("count"), at, by: fc.integer({ min: -3, max: 5 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("end"), at, heir: at }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom("flush", "deliver", "answer", "cut", "connect"),
      at,
    }),
  },
);

/** Pages of one origin at one node, and what their visitor has done in all. */
class Origin {
  readonly node = new Node();
  readonly texts = new Map<string, string>();
  writes = 0;
  sum = 0;
  adopted = 0;
  readonly #clock = { now: T };
  #ids = 0;
  readonly #pages = Array.from({ length: PAGES }, () => this.#newPage());

  #newPage(): Page {
    return new Page(`p${this.#ids++}`, this.node, this.#clock);
  }

  async do(step: Action): Promise<void> {
    this.#clock.now += 10;
    const page = this.#pages[step.at];
    switch (step.type) {
      case "write":
        this.texts.set(step.key, `${++this.writes}`);
        return page?.write(step.key, `${this.writes}`);
      case "count":
        this.sum += step.by;
        return page?.count(step.by);
      case "end": {
        const kept = (await page?.end()) ?? [];
        this.#pages[step.at] = this.#newPage();
        this.#pages[step.heir]?.adopt(kept);
        this.adopted += kept.length;
        return;
      }
      default:
        page?.[step.type]();
    }
  }

  /** Until all is settled. */
  async settle(): Promise<void> {
    for (const page of this.#pages) {
      page.connect();
      for (let i = 0; i < 10 && page.pending > 0; i++) {
        page.flush();
        page.deliver();
        page.answer();
      }
      expect(page.pending).toBe(0);
      expect(await page.end()).toEqual([]);
    }
  }
}

it("loses and doubles nothing over any number of pages, whatever was sent, stored and answered when each ended", async () => {
  const seen = { adopted: 0, twice: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 80 }), async (actions) => {
      const origin = new Origin();
      for (const step of actions) await origin.do(step);
      await origin.settle();
      const { node } = origin;
      expect(node.sum).toBe(origin.sum);
      for (const [key, text] of origin.texts)
        expect(node.textOf(key), "the last that was written anywhere").toBe(text);
      expect(node.times.size, "each write has one stamp").toBe(origin.writes);
      for (const times of node.times.values()) if (times > 1) seen.twice++;
      seen.adopted += origin.adopted;
    }),
    { numRuns: 1_500 },
  );
  expect(seen.adopted).toBeGreaterThan(500);
  expect(seen.twice).toBeGreaterThan(30);
});

it("keeps the stamp of what a node may have, and stamps by a better clock what none can have", async () => {
  const node = new Node();
  const page = new Page("wrong", node);
  page.write("a", "sent");
  page.connect();
  page.flush();
  page.deliver();
  page.cut();
  page.write("b", "not sent");
  const kept = await page.end();
  const next = new Page("right", node);
  next.adopt(kept);
  next.connect(-600_000);
  next.deliver();
  expect(node.entries.get("a")?.stamp).toMatchObject({ node: "wrong" });
  expect(new Set(node.times.values())).toEqual(new Set([1, 2]));
  const stamp = node.entries.get("b")?.stamp;
  expect(stamp).toMatchObject({ node: "right." });
  expect(stamp?.millis).toBeLessThan(T - 500_000);
});

it("sends at once what it adopts while it is connected", async () => {
  const node = new Node();
  const [page, next] = [new Page("p", node), new Page("q", node)];
  page.write("a", "left");
  next.connect();
  next.adopt(await page.end());
  next.deliver();
  expect(node.textOf("a")).toBe("left");
});

it("leaves what was written later as it is, wherever, whenever it adopts what is older", async () => {
  const node = new Node();
  const clock = { now: T };
  const [page, next] = [new Page("p", node, clock), new Page("q", node, clock)];
  page.write("a", "older");
  clock.now += 1_000;
  next.write("a", "newer");
  next.connect();
  next.flush();
  next.deliver();
  next.answer();
  next.adopt(await page.end());
  next.deliver();
  expect(node.textOf("a")).toBe("newer");
  expect(node.times.size).toBe(2);
});

it("writes newer than what it has adopted", async () => {
  const node = new Node();
  const [page, next] = [new Page("p", node, { now: T + 5_000 }), new Page("q", node)];
  page.write("a", "old");
  const kept = (await page.end()).map((one) => ({ ...one, exposed: true }));
  next.adopt(kept);
  next.write("a", "new");
  next.connect();
  next.flush();
  next.deliver();
  expect(node.textOf("a")).toBe("new");
  expect(node.times.size).toBe(2);
});

it("says all that a page has counted in one total, durable as far as any of it was to be", async () => {
  const page = new Page("p", new Node());
  page.count(3);
  page.do({ type: "count", map: "m", key: "c", by: -1, ack: "backup" });
  page.count(2);
  const op = { type: "count", map: "m", key: "c", inc: 5, dec: 1, replica: "p" };
  expect(await page.end()).toMatchObject([{ kind: "backup", op }]);
});

it("takes back in its total what was refused", async () => {
  const page = new Page("p", new Node());
  page.connect();
  page.count(3);
  page.flush();
  page.deliver();
  page.answer(makeError("BAD_CURSOR", { field: "x" }));
  page.count(2);
  const op = { type: "count", map: "m", key: "c", inc: 5, dec: 3, replica: "p" };
  expect(await page.end()).toMatchObject([{ kind: "owner", op }]);
});

it("keeps what is not settled when all is closed", async () => {
  const page = new Page("p", new Node());
  page.write("a", "kept");
  page.do({ type: "close" });
  expect(page.settled).toHaveLength(1);
  expect(await page.end()).toMatchObject([{ op: { key: "a" } }]);
  page.adopt(await page.end());
  expect(page.pending, "whoever is over adopts nothing").toBe(0);
});

it("writes again what could not be written, and all that happens meanwhile in one transaction", async () => {
  const page = new Page("p", new Node());
  page.disk.isFull = true;
  page.write("a", "1");
  expect(await page.end()).toEqual([]);
  expect(page.journal.hasFailed).toBe(true);
  page.disk.isFull = false;
  for (const key of ["b", "c", "d"]) page.write(key, "1");
  expect(await page.end()).toHaveLength(4);
  expect(page.journal.hasFailed).toBe(false);
  expect(page.disk.transactions).toBe(1);
});

it("keeps nobody waiting for what it adopts and cannot write, and holds on to it until it can", async () => {
  const page = new Page("p", new Node());
  page.disk.isFull = true;
  const seen: string[] = [];
  const adopted = page.journal.adopted("gone");
  void adopted.then(() => seen.push("written"));
  void page.journal.orFailed(adopted).then(() => seen.push("begun"));
  await new Promise((resolve) => setTimeout(resolve));
  expect(seen).toEqual(["begun"]);
  page.disk.isFull = false;
  page.write("a", "1");
  await page.end();
  expect(seen).toEqual(["begun", "written"]);
});

it("writes nothing of what is settled before it could be written, however long nothing can be", async () => {
  const page = new Page("p", new Node());
  page.connect();
  await page.end();
  page.disk.isFull = true;
  for (let i = 0; i < 50; i++) {
    page.write("a", `${i}`);
    page.flush();
    await page.end();
    page.deliver();
    page.answer();
  }
  page.disk.isFull = false;
  page.disk.operations = 0;
  page.write("b", "last");
  expect(await page.end()).toHaveLength(1);
  expect(page.disk.operations).toBe(1);
});

it("keeps of a value that is a part of something large no more than itself", async () => {
  const page = new Page("p", new Node());
  const value = new Uint8Array(100_000).subarray(10, 12);
  page.do({ type: "write", draft: { map: "m", key: "a", value }, ttlMs: null, ack: "owner" });
  const [kept] = await page.end();
  const kind = kept && "ttlMs" in kept ? kept.op.value : null;
  expect(kind?.buffer.byteLength).toBe(2);
});

it("refuses to persist where nothing can be kept", async () => {
  const kept = connect("http://127.0.0.1:1", { persist: true });
  await expect(kept).rejects.toMatchObject({ name: "GridError", code: "STORAGE", retry: "never" });
});
