/** What a client keeps to be looked at, and how much of it. */
import { describe, expect, it } from "vitest";
import { Replica } from "../../src/client/replica.ts";

const MAX = 640;
const NOW = (): number => 0;

class Scene {
  readonly replica = new Replica(MAX);
  #count = 0;

  /** The next ones. */
  put(count: number, pending: number | null = null): void {
    for (const end = this.#count + count; this.#count < end; this.#count++) {
      const stamp = { millis: this.#count, counter: 0, node: "c" };
      const row = { stamp, value: new Uint8Array(), expiresAt: null };
      this.replica.put("m", String(this.#count), { row, value: this.#count, pending });
    }
  }

  newest(count: number): readonly number[] {
    return Array.from({ length: count }, (_, i) => this.#count - count + i);
  }

  get kept(): readonly number[] {
    const all = Array.from({ length: this.#count }, (_, n) => n);
    return all.filter((n) => this.replica.peek("m", String(n), NOW) === n);
  }
}

describe("what a client keeps of a map", () => {
  it("is all up to the bound, and from then on the newest of it, at most a small share less", () => {
    const scene = new Scene();
    scene.put(MAX);
    expect(scene.kept).toHaveLength(MAX);
    for (let n = 0; n < MAX; n++) {
      scene.put(1);
      const { kept } = scene;
      expect(kept.length).toBeLessThanOrEqual(MAX);
      expect(kept.length).toBeGreaterThan(MAX * 0.98);
      expect(kept, "the newest").toEqual(scene.newest(kept.length));
    }
  });

  it("is never less than what is not settled, and what is newer than that", () => {
    const scene = new Scene();
    scene.put(5);
    scene.put(1, 5);
    scene.put(2 * MAX);
    expect(scene.kept[0]).toBe(5);
    expect(scene.kept).toHaveLength(2 * MAX + 1);
    scene.replica.stored("m", "5", 5);
    scene.put(MAX);
    expect(scene.kept[0]).toBeGreaterThan(5);
  });
});
