/**
 * Objects that leave memory in the middle of a move that is written to, at a phase that is on disk.
 *
 * An object leaves only when nothing is under way in it, so another one's storage is made to fail
 * beside it: that keeps the move in its phase, and is a fault of its own.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Phase } from "./disk.ts";
import { Shuttle, TO_CLOSING, TO_COUNTS, TO_READY, type Part, type Stop } from "./shuttle.ts";
import { pause } from "./writer.ts";

let shuttle: Shuttle;

beforeAll(async () => {
  shuttle = await Shuttle.start();
}, 60_000);
afterAll(() => shuttle.grid.stop());

const faults: readonly [victim: Part, phase: Phase, stops: readonly Stop[]][] = [
  ["coordinator", "copying", []],
  ["source", "copying", [["copying", "target"]]],
  ["target", "copying", [["copying", "source"]]],
  ["source", "counts", TO_COUNTS],
  ["target", "counts", TO_COUNTS],
  ["source", "closing", TO_CLOSING],
  ["coordinator", "closing", TO_CLOSING],
  ["source", "ready", TO_READY],
  ["target", "ready", TO_READY],
  ["source", "finalizing", [["finalizing", "target"]]],
  ["coordinator", "finalizing", [["finalizing", "target"]]],
  ["target", "finalizing", [["finalizing", "coordinator"]]],
];

describe("an object leaves memory in the middle of a move", () => {
  it.each(faults)("the %s, at %s", async (victim, phase, stops) => {
    // Whose storage fails is reset and loses its sockets, which is another test.
    const keepsSockets = stops.every(([, held]) => held !== victim);
    const writerAt = victim === "target" && keepsSockets ? victim : "source";
    const writer = await shuttle.move(writerAt, async (names) => {
      const release = await shuttle.bring(phase, stops, names);
      try {
        await pause(50); // what is under way ends, or fails
        const before = shuttle.saved();
        expect(await shuttle.grid.evict(names[victim])).toBe(true);
        const after = shuttle.saved();
        return before.phase === phase && after.phase === phase;
      } finally {
        release();
      }
    });
    expect(writer, "the same socket and session").toMatchObject({ greetings: 1, lost: 0 });
  });

  it("and all that was there before is still there", () => shuttle.checkBallast());
});
