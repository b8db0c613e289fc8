/** One subscription at work: when its application is told, and when owners are asked about what nobody tells. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  EXPIRY_PAUSE_MS_MIN,
  TOLD_MS_MAX,
  UNTOLD_PAUSE_MS,
} from "../../src/client/subscription-limits.ts";
import { LiveView } from "../../src/client/live-view.ts";
import { View, type Untold, type ViewChange } from "../../src/client/view.ts";
import { Epoch, PartitionId, Seq } from "../../src/data/ids.ts";
import type { Content } from "../../src/data/content.ts";
import type { ChangedPart } from "../../src/protocol/subscription-messages.ts";
import { encodeJson } from "../../src/protocol/values.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

function content(json: unknown, expiresAt: number | null = null): Content {
  const value = encodeJson(json, "value");
  if (!value.ok) throw new Error("no value");
  return { stamp: { millis: 1, counter: 0, node: "c" }, value: value.value, expiresAt };
}

class Scene {
  readonly calls: string[][] = [];
  readonly asked: Untold[] = [];
  room = 10;
  closed = 0;
  readonly live: LiveView<View>;

  constructor(listener: (changes: readonly ViewChange[]) => void = () => undefined) {
    const port = { partitionCount: () => 1, now: () => Date.now() };
    this.live = new LiveView(
      (changed) => new View({ map: "m" }, { ...port, changed }),
      (changes: readonly ViewChange[]) => {
        this.calls.push(changes.map(({ key, value }) => `${key}=${JSON.stringify(value)}`));
        listener(changes);
      },
      {
        now: () => Date.now(),
        room: () => this.room,
        ask: (untold) => this.asked.push(untold),
        close: () => this.closed++,
      },
    );
  }

  tell(rows: Record<string, Content>): void {
    const list = Object.entries(rows).map(
      ([key, of]) => ({ key, kind: "lww", sub: "", ...of }) as const,
    );
    const position = { since: Epoch(1), seq: Seq(1) };
    const part: ChangedPart = {
      partitionId: PartitionId(0),
      position,
      replaces: null,
      rows: list,
    };
    this.live.hear({ type: "changed", id: 1, parts: [part] });
  }

  store(n: number): void {
    this.live.view.wrote(n, `k${n}`, content(n));
    this.live.view.settled(n, `k${n}`, true);
    this.live.awaitTold();
  }

  synced(): void {
    this.live.hear({ type: "synced", id: 1 });
  }
}

const pass = async (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe("its application", () => {
  it("is told of all that came in one go together, each key once, the newest", async () => {
    const scene = new Scene();
    scene.tell({ a: content(1), b: content(1) });
    scene.live.view.wrote(1, "a", { ...content(2), stamp: { millis: 2, counter: 0, node: "c" } });
    await pass(0);
    scene.tell({ c: content(3) });
    await pass(0);
    expect(scene.calls).toEqual([["b=1", "a=2"], ["c=3"]]);
  });

  it("is told when something expires, not more often than that is looked at, and never of what is over", async () => {
    const scene = new Scene();
    scene.tell({ a: content(1, 1_020), b: content(1, 1_050), c: content(1, 5_000) });
    await pass(EXPIRY_PAUSE_MS_MIN);
    expect(scene.calls.slice(1)).toEqual([["a=undefined", "b=undefined"]]);
    scene.tell({ d: content(1, 10) });
    await pass(4_000);
    expect(scene.calls.slice(2)).toEqual([["c=undefined"]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is told nothing after it has closed it, be it while it is told", async () => {
    const scene = new Scene(() => scene.live.close());
    scene.tell({ a: content(1, 2_000) });
    await pass(0);
    scene.tell({ b: content(1) });
    scene.store(1);
    await pass(10_000);
    expect(scene.calls).toEqual([["a=1"]]);
    expect(scene.closed).toBe(1);
    expect(await scene.live.closed).toBeNull();
    await expect(scene.live.synced).rejects.toMatchObject({ code: "CLOSED" });
    expect(vi.getTimerCount()).toBe(0);
  });

  it("hears why it is over", async () => {
    const scene = new Scene();
    scene.synced();
    const error = { code: "OVERLOADED", message: "full", retry: "later", data: {} } as const;
    scene.live.hear({ type: "ended", id: 1, error });
    await scene.live.synced;
    expect(await scene.live.closed).toMatchObject({ code: "OVERLOADED" });
    scene.live.close();
    expect(scene.closed, "there is nothing to close").toBe(0);
  });
});

describe("the owner of an own write that nobody tells", () => {
  it("is asked after a while, if all that there is has been told", async () => {
    const scene = new Scene();
    scene.store(1);
    await pass(2 * TOLD_MS_MAX);
    expect(scene.asked).toEqual([]);
    scene.synced();
    await pass(TOLD_MS_MAX - 1);
    expect(scene.asked).toEqual([]);
    await pass(1);
    expect(scene.asked.map(({ key }) => key)).toEqual(["k1"]);
    await pass(TOLD_MS_MAX);
    expect(scene.asked, "and again").toHaveLength(2);
    scene.live.hear({ type: "behind", id: 1 });
    await pass(3 * TOLD_MS_MAX);
    expect(scene.asked, "not while it cannot have been told").toHaveLength(2);
  });

  it("is asked about as much as there is room for, and about more after a pause", async () => {
    const scene = new Scene();
    scene.synced();
    for (let n = 0; n < 25; n++) scene.store(n);
    await pass(TOLD_MS_MAX);
    expect(scene.asked).toHaveLength(10);
    scene.room = 0;
    await pass(UNTOLD_PAUSE_MS);
    expect(scene.asked).toHaveLength(10);
    scene.room = 100;
    await pass(UNTOLD_PAUSE_MS);
    expect(scene.asked.map(({ key }) => key)).toEqual(
      Array.from({ length: 25 }, (_, n) => `k${n}`),
    );
  });
});
