/** What every host of a machine promises, whatever it keeps its disk on. */
import { describe, expect, it } from "vitest";
import type { Event, Saved } from "./host-machine.ts";

export type Crash = "before-commit" | "after-commit";

/** One host, seen from outside. It starts with an empty disk. */
export interface HostRig {
  tell(event: Event, crash?: Crash): Promise<void>;
  /** Memory is lost; the disk stays. */
  restart(): Promise<void>;
  look(): Promise<Look>;
}

export interface Look {
  readonly saved: Saved;
  /** Keys of all rows, in order. */
  readonly rows: readonly string[];
  /** What was saved and said since the rig was made, in order. */
  readonly log: readonly string[];
  readonly alarmAt: number | null;
}

const FAR = 4_000_000_000_000;

export function registerHostContract(name: string, make: () => Promise<HostRig>): void {
  const after = async (...events: readonly Event[]): Promise<{ rig: HostRig; seen: Look }> => {
    const rig = await make();
    for (const event of events) await rig.tell(event);
    return { rig, seen: await rig.look() };
  };
  const write = (key: string): Event => ({ type: "write", key });

  describe(`host: ${name}`, () => {
    it("saves before it says anything, and says things in their order", async () => {
      const { seen } = await after(write("a"));
      expect(seen.log).toEqual(["saved a", "writing a", "stored a after 1"]);
    });

    it("answers what rows do in the same turn, from what is stored by then", async () => {
      const { seen } = await after(write("a"), write("a"));
      expect(seen.log.slice(3)).toEqual(["saved a a", "writing a", "kept a after 2"]);
      expect(seen.rows).toEqual(["a"]);
    });

    it("wakes with what was saved, and with nothing that was not", async () => {
      const { rig } = await after(write("a"), write("b"));
      await rig.restart();
      const woken = await rig.look();
      expect(woken.saved).toEqual({ keys: ["a", "b"], unsaid: ["a", "b"] });
      expect(woken.rows).toEqual(["a", "b"]);
      await rig.tell(write("c"));
      // The count of what it was told began anew.
      expect((await rig.look()).log.at(-1)).toBe("stored c after 1");
    });

    it("crashed before the commit: rows and documents are as before, and nothing was said", async () => {
      const { rig, seen } = await after(write("a"));
      await rig.tell(write("b"), "before-commit");
      expect(await rig.look()).toEqual(seen);
      await rig.tell(write("b"));
      expect((await rig.look()).log.at(-1)).toBe("stored b after 1");
    });

    it("crashed after the commit: rows and documents are there, nothing was said, and it can be", async () => {
      const { rig } = await after(write("a"));
      await rig.tell(write("b"), "after-commit");
      const seen = await rig.look();
      expect(seen.saved.keys).toEqual(["a", "b"]);
      expect(seen.rows).toEqual(["a", "b"]);
      expect(seen.log.slice(3)).toEqual(["saved a b"]);
      await rig.tell({ type: "woke" });
      expect((await rig.look()).log.slice(4)).toEqual(["again a", "again b"]);
    });

    it("saves nothing when nothing that is saved has changed", async () => {
      const { seen } = await after(write("a"), { type: "confirmed" }, { type: "confirmed" });
      expect(seen.log.filter((line) => line.startsWith("saved"))).toHaveLength(2);
    });

    it("rings no later than asked, also after a crash, and a ring that is not needed says nothing", async () => {
      const rig = await make();
      await rig.tell({ type: "arm", at: FAR + 100 });
      expect((await rig.look()).alarmAt).toBe(FAR + 100);
      await rig.tell({ type: "arm", at: FAR });
      expect((await rig.look()).alarmAt).toBe(FAR);
      // Later, or not at all: it may still ring, too early.
      await rig.tell({ type: "arm", at: FAR + 50 });
      expect((await rig.look()).alarmAt ?? Infinity).toBeLessThanOrEqual(FAR + 50);
      await rig.tell({ type: "arm", at: FAR - 50 }, "after-commit");
      expect((await rig.look()).alarmAt ?? Infinity).toBeLessThanOrEqual(FAR - 50);
      await rig.tell({ type: "arm", at: FAR - 90 }, "before-commit");
      expect((await rig.look()).alarmAt ?? Infinity).toBeGreaterThan(FAR - 90);
      await rig.restart();
      expect((await rig.look()).alarmAt ?? Infinity).toBeLessThanOrEqual(FAR - 50);
      await rig.tell({ type: "woke" });
      expect((await rig.look()).log).toEqual([]);
    });
  });
}
