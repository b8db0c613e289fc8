/** What a subscription shows: what it was told and what this client has written, in whichever order both come. */
import { describe, expect, it } from "vitest";
import { TOLD_MS_MAX } from "../../src/client/subscription-limits.ts";
import { View, type Untold } from "../../src/client/view.ts";
import { digestOf } from "../../src/data/bucket-digest.ts";
import { bucketIn } from "../../src/data/digest.ts";
import { Epoch, PartitionId, Seq } from "../../src/data/ids.ts";
import type { Content } from "../../src/data/content.ts";
import type { Row } from "../../src/data/row.ts";
import type { ChangedPart, Query } from "../../src/protocol/subscription-messages.ts";
import { encodeJson } from "../../src/protocol/values.ts";

const P = PartitionId(0);
const AT = { since: Epoch(1), seq: Seq(9) };
const ALL = { count: 1, which: [0] };
const SALT = { a: 1, b: 2 };

function content(millis: number, json: unknown, expiresAt: number | null = null): Content {
  const value = json === undefined ? null : encodeJson(json, "value");
  if (value && !value.ok) throw new Error("no value");
  return { stamp: { millis, counter: 0, node: "c" }, value: value && value.value, expiresAt };
}

const rowOf = (key: string, of: Content): Row => ({ map: "m", key, kind: "lww", sub: "", ...of });

class Scene {
  readonly view: View;
  readonly changes: string[] = [];
  now = 10;

  constructor(query: Partial<Query> = {}) {
    this.view = new View(
      { map: "m", ...query },
      {
        partitionCount: () => 1,
        now: () => this.now,
        changed: ({ key, value }) => {
          this.changes.push(`${key}=${JSON.stringify(value)}`);
        },
      },
    );
  }

  told(rows: Record<string, Content>, part: Partial<ChangedPart> = {}): void {
    const list = Object.entries(rows).map(([key, of]) => rowOf(key, of));
    const whole = { partitionId: P, position: AT, replaces: null, rows: list };
    this.view.take([{ ...whole, ...part }]);
  }

  wrote(id: number, key: string, millis: number, json: unknown): Content {
    const row = content(millis, json);
    this.view.wrote(id, key, row);
    return row;
  }

  get shown(): Record<string, unknown> {
    return Object.fromEntries(this.view.entries());
  }
}

describe("what a subscription shows", () => {
  it("is the newer of what was told and what is written here, of which its application hears once", () => {
    const scene = new Scene();
    scene.told({ a: content(1, 1), b: content(5, 5) });
    const own = scene.wrote(1, "a", 2, 2);
    expect(scene.shown).toEqual({ a: 2, b: 5 });
    scene.told({ a: content(1, 1) });
    expect(scene.shown, "an older one").toEqual({ a: 2, b: 5 });
    scene.view.settled(1, "a", true);
    scene.told({ a: own });
    scene.told({ a: content(3, 3), b: content(6, undefined) });
    expect(scene.shown).toEqual({ a: 3 });
    expect(scene.changes).toEqual(["a=1", "b=5", "a=2", "a=3", "b=undefined"]);
  });

  it("is what it was before a write that is refused, other writes that are under way included", () => {
    const scene = new Scene();
    scene.told({ a: content(1, 1) });
    scene.wrote(1, "a", 2, 2);
    scene.wrote(2, "a", 3, undefined);
    expect(scene.shown).toEqual({});
    scene.view.settled(2, "a", false);
    expect(scene.shown).toEqual({ a: 2 });
    scene.view.settled(1, "a", false);
    expect(scene.shown).toEqual({ a: 1 });
  });

  it("is not a write that somebody else deleted before its acknowledgement came", () => {
    const scene = new Scene();
    scene.wrote(1, "a", 2, 2);
    scene.told({ a: content(3, undefined) });
    expect(scene.shown).toEqual({});
    scene.view.settled(1, "a", true);
    expect(scene.shown).toEqual({});
    expect(scene.changes).toEqual(["a=2", "a=undefined"]);
  });

  it("is a write that was beaten when it gets a later stamp", () => {
    const scene = new Scene();
    scene.wrote(1, "a", 2, 2);
    scene.told({ a: content(3, 3) });
    expect(scene.shown).toEqual({ a: 3 });
    scene.view.restamped(1, "a", content(4, 2));
    expect(scene.shown).toEqual({ a: 2 });
  });

  it("is a refused write all the same if the nodes tell of it", () => {
    const scene = new Scene();
    const own = scene.wrote(1, "a", 2, 2);
    scene.view.settled(1, "a", false);
    expect(scene.shown).toEqual({});
    scene.told({ a: own });
    expect(scene.shown).toEqual({ a: 2 });
  });

  it("stays while a whole comes in pieces, and is then what was in them", () => {
    const scene = new Scene();
    scene.told({ a: content(1, 1), b: content(1, 1), c: content(1, 1) });
    const before = scene.changes.length;
    scene.told({ a: content(1, 1) }, { replaces: ALL, position: null });
    expect(scene.shown).toEqual({ a: 1, b: 1, c: 1 });
    scene.told({ b: content(2, 2) }, { position: null });
    expect(scene.shown).toEqual({ a: 1, b: 2, c: 1 });
    scene.told({});
    expect(scene.shown).toEqual({ a: 1, b: 2 });
    expect(scene.changes.slice(before)).toEqual(["b=2", "c=undefined"]);
  });

  it("is of the second of two wholes, however many pieces of the first had come", () => {
    const scene = new Scene();
    scene.told({ a: content(1, 1), b: content(1, 1) });
    scene.told({ a: content(2, 2) }, { replaces: ALL, position: null });
    scene.told({ c: content(3, 3) }, { replaces: ALL, position: null });
    expect(scene.shown).toEqual({ a: 2, b: 1, c: 3 });
    scene.told({});
    expect(scene.shown).toEqual({ c: 3 });
  });

  it("is older than what was forgotten where the whole has that: a node may have lost something", () => {
    const scene = new Scene();
    scene.told({ a: content(5, 5) });
    scene.told({ a: content(4, 4) }, { replaces: ALL });
    expect(scene.shown).toEqual({ a: 4 });
  });

  it("is of its keys and values alone, what is written here included", () => {
    const scene = new Scene({ prefix: "a", filter: { op: "gt", field: "", value: 1 } });
    scene.told({ a1: content(1, 2) });
    scene.wrote(1, "a1", 2, 0);
    scene.wrote(2, "b", 2, 9);
    scene.wrote(3, "a2", 2, 9);
    expect(scene.shown).toEqual({ a2: 9 });
    scene.view.settled(1, "a1", true);
    expect(scene.shown, "until it is told that it does not fit").toEqual({ a2: 9 });
    scene.told({ a1: content(2, undefined) });
    expect(scene.shown).toEqual({ a2: 9 });
  });

  it("keeps no value that its owner cannot read, nor one of a set", () => {
    const scene = new Scene();
    scene.told({ a: { ...content(1, 1), value: Uint8Array.of(0xc1) } });
    const one = content(1, 1);
    scene.told({}, { rows: [{ key: "s", kind: "or", sub: "x", ...one }] });
    expect(scene.shown).toEqual({});
    expect(scene.changes).toEqual([]);
  });
});

describe("what expires", () => {
  it("is told as gone, by its time, and forgotten", () => {
    const scene = new Scene();
    scene.told({ a: content(1, 1, 100), b: content(1, 2, 200), c: content(1, 3) });
    expect(scene.view.expiresAt).toBe(100);
    scene.now = 150;
    expect(scene.shown, "seen by nobody since").toEqual({ b: 2, c: 3 });
    expect(scene.view.value("a")).toBeUndefined();
    scene.view.expire();
    expect(scene.view.expiresAt).toBe(200);
    scene.now = 250;
    scene.view.expire();
    expect(scene.view.expiresAt).toBe(Infinity);
    expect(scene.changes.slice(3)).toEqual(["a=undefined", "b=undefined"]);
    const [digest] = scene.view.digests([P], SALT);
    expect(digest?.buckets).toEqual(digestOf([rowOf("c", content(1, 3))], 1, SALT));
  });

  it("is not what lies under an own write that does, should that be refused", () => {
    const scene = new Scene();
    scene.told({ a: content(1, 1) });
    scene.view.wrote(1, "a", content(2, 2, 100));
    scene.now = 150;
    scene.view.expire();
    expect(scene.shown).toEqual({});
    scene.view.settled(1, "a", false);
    expect(scene.shown).toEqual({ a: 1 });
  });

  it("is forgotten also where it was never shown: nobody can read it, it came too late, or lies under something newer", () => {
    const scene = new Scene();
    const unreadable = { ...content(1, 1, 100), value: Uint8Array.of(0xc1) };
    scene.wrote(1, "newer", 5, 5);
    scene.told({ unreadable, late: content(1, 1, 5), newer: content(2, 2, 100) });
    scene.told({}, { rows: [{ key: "s", kind: "or", sub: "x", ...content(1, 1, 100) }] });
    scene.now = 150;
    scene.view.expire();
    expect(scene.shown).toEqual({ newer: 5 });
    expect(scene.view.digests([P], SALT)[0]?.buckets).toEqual(digestOf([], 1, SALT));
  });

  it("is told as gone by its last time, however often it was written", () => {
    const scene = new Scene();
    for (let n = 0; n < 5_000; n++) scene.told({ a: content(n, n, 100 + n) });
    scene.now = 5_098;
    scene.view.expire();
    expect(scene.shown).toEqual({ a: 4_999 });
    scene.now = 5_099;
    scene.view.expire();
    expect(scene.changes.slice(-1)).toEqual(["a=undefined"]);
    expect(scene.changes).toHaveLength(5_001);
  });
});

describe("an own write that is acknowledged and not told", () => {
  const later = (scene: Scene): readonly Untold[] => {
    scene.now += TOLD_MS_MAX;
    return scene.view.takeUntold(10);
  };
  const keysOf = (all: readonly Untold[]): readonly string[] => all.map(({ key }) => key);

  /** Its owner was asked, and has this. */
  function learned(scene: Scene, has: Content | null): void {
    const [untold] = later(scene);
    scene.view.learned(
      untold ?? expect.fail("nothing is asked for"),
      has?.stamp ?? null,
      has?.value ?? null,
    );
  }

  function stored(json: unknown, before?: Content, query: Partial<Query> = {}): Scene {
    const scene = new Scene(query);
    if (before) scene.told({ a: before });
    scene.wrote(1, "a", 5, json);
    scene.view.settled(1, "a", true);
    return scene;
  }

  it("stays for a while, and then its owner is asked, again and again", () => {
    const scene = new Scene();
    const own = scene.wrote(1, "a", 2, 2);
    expect(scene.view.untoldAt).toBe(Infinity);
    scene.view.settled(1, "a", true);
    expect(scene.view.untoldAt).toBe(scene.now + TOLD_MS_MAX);
    expect(scene.view.takeUntold(10)).toEqual([]);
    expect(later(scene)).toEqual([{ key: "a", row: own }]);
    expect(scene.view.takeUntold(10), "that is under way").toEqual([]);
    learned(scene, own);
    expect(scene.shown).toEqual({ a: 2 });
    learned(scene, null);
    expect(scene.shown).toEqual({});
    expect(later(scene)).toEqual([]);
    expect(scene.view.untoldAt).toBe(Infinity);
  });

  it("is asked for with so many others at most", () => {
    const scene = new Scene();
    for (let n = 0; n < 30; n++) {
      scene.wrote(n, `k${n}`, 2, 2);
      scene.view.settled(n, `k${n}`, true);
    }
    expect(later(scene)).toHaveLength(10);
    expect(scene.view.takeUntold(15)).toHaveLength(15);
    expect(keysOf(scene.view.takeUntold(15))).toEqual(["k25", "k26", "k27", "k28", "k29"]);
    expect(scene.view.takeUntold(0)).toEqual([]);
  });

  it("is not asked for when it is told in time, or something newer is", () => {
    const scene = new Scene();
    for (const [id, key] of ["a", "b"].entries()) {
      scene.wrote(id, key, 2, 2);
      scene.view.settled(id, key, true);
    }
    scene.told({ a: content(2, 2), b: content(3, undefined) });
    expect(scene.view.untoldAt).toBe(Infinity);
    expect(scene.shown).toEqual({ a: 2 });
  });

  it("stays until something newer is told that stands, and nothing is told as gone for it", () => {
    const scene = stored(5, content(1, 1));
    scene.told({ a: content(7, 7) });
    expect(scene.changes).toEqual(["a=1", "a=5", "a=7"]);
  });

  it("waits anew when all that there is has been told", () => {
    const scene = stored(5);
    scene.now += TOLD_MS_MAX;
    scene.view.synced();
    expect(scene.view.takeUntold(10)).toEqual([]);
  });

  it("stays where its owner has something newer that fits, which will be told", () => {
    const scene = stored(5, undefined, { filter: { op: "gt", field: "", value: 1 } });
    learned(scene, content(7, 7));
    expect(scene.shown).toEqual({ a: 5 });
    learned(scene, content(8, 1));
    expect(scene.shown).toEqual({});
  });

  it("hides what is older as long as that is not told as gone", () => {
    const scene = stored(5, content(1, 1));
    learned(scene, null);
    expect(scene.shown).toEqual({});
    learned(scene, content(6, undefined));
    expect(scene.changes).toEqual(["a=1", "a=5", "a=undefined"]);
    scene.told({ a: content(6, undefined) });
    expect(later(scene)).toEqual([]);
    expect(scene.changes).toHaveLength(3);
  });

  it("is shown if it is told after all", () => {
    const scene = stored(5, content(1, 1));
    learned(scene, null);
    scene.told({ a: content(5, 5) });
    expect(scene.shown).toEqual({ a: 5 });
  });

  it("gives way to what is older if its owner has lost it", () => {
    const above = { filter: { op: "gt", field: "", value: 0 } } as const;
    const cases = [
      ["a value", 5, {}],
      ["a deletion", undefined, {}],
      ["a value that does not fit", 0, above],
    ] as const;
    for (const [what, json, query] of cases) {
      const before = content(1, 1);
      const scene = stored(json, before, query);
      learned(scene, before);
      expect(scene.shown, what).toEqual({ a: 1 });
      expect(later(scene), what).toEqual([]);
    }
  });

  it("hides what is told late where it is a deletion", () => {
    const scene = stored(undefined, content(1, 1));
    scene.told({ a: content(4, 4) });
    learned(scene, content(5, undefined));
    expect(scene.shown).toEqual({});
    scene.told({ a: content(5, undefined) });
    expect(scene.view.untoldAt).toBe(Infinity);
  });

  it("is not meant by an answer about one before it, nor is one that is under way", () => {
    const scene = stored(5);
    const [untold] = later(scene);
    scene.wrote(2, "a", 6, 6);
    scene.view.settled(2, "a", true);
    scene.wrote(3, "a", 7, 7);
    scene.view.learned(untold ?? expect.fail("nothing is asked for"), null, null);
    expect(scene.shown).toEqual({ a: 7 });
    scene.view.settled(3, "a", false);
    expect(scene.shown).toEqual({ a: 6 });
  });

  it("is the last of the calls while that is under way, the newest when it is not", () => {
    const scene = new Scene();
    for (let n = 0; n < 5; n++) scene.wrote(n, "a", 10 + n, n);
    for (const n of [1, 4, 3]) scene.view.settled(n, "a", false);
    expect(scene.shown).toEqual({ a: 2 });
    scene.view.settled(2, "a", true);
    scene.view.settled(0, "a", true);
    expect(scene.shown).toEqual({ a: 2 });
  });
});

describe("its digests", () => {
  it("are of what was told alone, in about a bucket for three rows", () => {
    const scene = new Scene();
    const rows = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, content(1, n)]));
    scene.told(rows);
    scene.wrote(1, "pending", 2, 2);
    const [digest] = scene.view.digests([P], SALT);
    const all = Object.entries(rows).map(([key, of]) => rowOf(key, of));
    expect(digest).toEqual({ partitionId: P, buckets: digestOf(all, 8, SALT) });
    expect(scene.view.digests([PartitionId(5)], SALT)[0]?.buckets).toEqual(digestOf([], 1, SALT));
  });

  it.each([
    [3_000, 1_024],
    [20_000, 1_024],
  ])("are of so many buckets of %i rows: %i", (count, buckets) => {
    const scene = new Scene();
    const keys = Array.from({ length: count }, (_, n) => [`k${n}`, content(1, n)] as const);
    scene.told(Object.fromEntries(keys));
    expect(scene.view.digests([P], SALT)[0]?.buckets.length).toBe(buckets * 6);
  });

  it("leave out what a whole replaces that has not come to its end", () => {
    const scene = new Scene();
    const rows = { a: content(1, 1), b: content(1, 1), c: content(1, 1), d: content(1, 1) };
    scene.told(rows);
    const all = Object.entries(rows).map(([key, of]) => rowOf(key, of));
    const left = all.filter((row) => bucketIn(2, row) === 1);
    expect(left.length % 4, "some, not all, so few that one bucket is enough").toBeGreaterThan(0);
    scene.told({}, { replaces: { count: 2, which: [0] }, position: null });
    expect(scene.shown).toEqual({ a: 1, b: 1, c: 1, d: 1 });
    const [digest] = scene.view.digests([P], SALT);
    expect(digest?.buckets).toEqual(digestOf(left, 1, SALT));
  });

  it("count the newest total of each count, and an add until it is removed", () => {
    const scene = new Scene();
    const total = (millis: number, value: number): Content => ({
      ...content(millis, 0),
      value: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, value),
    });
    const count = { key: "n", kind: "pn", sub: "r+" } as const;
    const add = { key: "s", kind: "or", sub: "x" } as const;
    scene.told(
      {},
      {
        rows: [
          { ...count, ...total(0, 5) },
          { ...add, ...content(9, 1) },
        ],
      },
    );
    scene.told({}, { rows: [{ ...count, ...total(0, 4) }] });
    const five = { map: "m", ...count, ...total(0, 5) };
    const [both] = scene.view.digests([P], SALT);
    const one = { map: "m", ...add, ...content(9, 1) };
    expect(both?.buckets).toEqual(digestOf([five, one], 1, SALT));
    scene.told({}, { rows: [{ ...add, ...content(1, undefined) }] });
    expect(scene.view.digests([P], SALT)[0]?.buckets).toEqual(digestOf([five], 1, SALT));
  });
});
