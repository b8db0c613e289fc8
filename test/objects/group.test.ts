/** What is taken together, and how operations and copying share an object. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Group } from "../../src/objects/group.ts";

interface Item {
  readonly name: string;
  /** Of an operation its size, of copying what it costs. */
  readonly size: number;
  readonly bytes?: number;
}

const ROOM = 1_000;
const BYTES = 5_000;
const DEAR = 10_000;
const GROUPS_MAX = 500;
const CHUNK = 500;
/** Operations that earn copying one chunk, where they are many. */
const FOR_A_CHUNK = CHUNK / 0.15;

/** A clock that goes on only where a test says what time operations take. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** What was taken, in order; what was taken together in one string. */
class Rig {
  readonly taken: string[] = [];
  readonly group = new Group<Item>(
    {
      urgent: (items) => {
        this.taken.push(items.map(({ name }) => name).join(" "));
        this.onUrgent();
      },
      copying: ({ name, size }) => {
        this.taken.push(name);
        return size;
      },
    },
    { ops: ROOM, bytes: BYTES },
    ({ size, bytes = 0 }) => ({ ops: size, bytes }),
  );
  onUrgent = (): void => {};

  urgent(name: string, size = 1, bytes = 0): void {
    this.group.add({ name, size, bytes }, "urgent");
  }
  copying(name: string, size: number): void {
    this.group.add({ name, size }, "copying");
  }

  async until(is: () => boolean): Promise<void> {
    for (let i = 0; !is(); i++, await new Promise((resume) => setTimeout(resume, 1)))
      if (i > 1_000) throw new Error(`only ${this.taken.length} were taken`);
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `${i}`);

describe("a group", () => {
  it("takes a lone item at once, and what comes during its commit together, in order", async () => {
    const rig = new Rig();
    for (const name of ["a", "b", "c", "d"]) rig.urgent(name);
    expect(rig.taken).toEqual(["a"]);
    await rig.until(() => rig.taken.length > 1);
    expect(rig.taken).toEqual(["a", "b c d"]);
  });

  it("takes no more than it has room for, and what alone has no room by itself", async () => {
    const rig = new Rig();
    const items: [string, number][] = [
      ["first", 1],
      ["a", 600],
      ["b", 400],
      ["c", 1],
      ["large", 5_000],
      ["d", 1],
    ];
    for (const [name, size] of items) rig.urgent(name, size);
    await rig.until(() => rig.taken.at(-1) === "d");
    expect(rig.taken).toEqual(["first", "a b", "c", "large", "d"]);
  });

  it("nor more bytes than that: few long values take as long as many short ones", async () => {
    const rig = new Rig();
    for (const [i, bytes] of [1, 2_500, 2_500, 1, 99_999, 1].entries())
      rig.urgent(`${i}`, 1, bytes);
    await rig.until(() => rig.taken.length > 4);
    expect(rig.taken).toEqual(["0", "1 2", "3", "4", "5"]);
  });
});

describe("copying", () => {
  it("is not waited for: what comes after much of it goes before it", async () => {
    const rig = new Rig();
    for (const name of numbered(20)) rig.copying(name, DEAR);
    rig.urgent("put");
    await rig.until(() => rig.taken.includes("put"));
    expect(rig.taken).toEqual(["0", "put"]);
  });

  it("keeps its order, and uses the room that few operations leave", async () => {
    const rig = new Rig();
    const names = numbered(200);
    for (const name of names) rig.copying(name, 10);
    await rig.until(() => rig.taken.length === names.length);
    expect(rig.taken).toEqual(names);
  });

  it.each([
    ["many", { size: 100, ms: 5, costs: FOR_A_CHUNK / 100 }],
    ["as many as there is room for", { size: ROOM, ms: 20, costs: FOR_A_CHUNK / ROOM }],
    ["slow ones that fill every group", { size: ROOM, ms: 200, costs: FOR_A_CHUNK / ROOM }],
    ["few", { size: 100, ms: 20, costs: CHUNK / (512 - 100) }],
  ])("goes on beside %s that never end", async (_, { size, ms, costs }) => {
    const rig = new Rig();
    let groups = 0;
    rig.onUrgent = () => {
      groups++;
      vi.setSystemTime(Date.now() + ms);
      if (groups < GROUPS_MAX) rig.urgent("puts", size);
    };
    rig.urgent("puts", size);
    // For the first window nobody knows yet how many they are.
    await rig.until(() => groups > 20);
    const before = groups;
    const chunks = numbered(10).map((name) => `chunk ${name}`);
    for (const name of chunks) rig.copying(name, CHUNK);
    await rig.until(() => rig.taken.includes(chunks.at(-1) ?? ""));
    expect(rig.taken.filter((name) => name.startsWith("chunk"))).toEqual(chunks);
    const perChunk = (groups - before) / chunks.length;
    expect(perChunk, "groups that a chunk waits for").toBeGreaterThan(0.8 * costs);
    expect(perChunk).toBeLessThan(1.2 * costs);
  });
});
