/** What an inbox lets in, and whose room it takes. */
import { describe, expect, it } from "vitest";
import { CREDIT_FRAMES, INBOX_BYTES_MAX } from "../../src/protocol/limits.ts";
import { Waiting, type Claim } from "../../src/objects/waiting.ts";

const MIB = 2 ** 20;

const frame = (socket: string, bytes = 10): Claim => ({ side: "clients", bytes, socket });
const message = (side: Claim["side"], bytes: number): Claim => ({ side, bytes, socket: null });

/** How many of these are let in, up to one that is not. */
function fill(waiting: Waiting, claim: Claim): number {
  for (let entered = 0; entered < 100_000; entered++) if (waiting.enter(claim)) return entered;
  throw new Error("nothing bounds it");
}

describe("an inbox", () => {
  it("takes a socket's credit of frames, and refuses the next by the name of the bound", () => {
    const waiting = new Waiting();
    expect(fill(waiting, frame("a"))).toBe(CREDIT_FRAMES);
    expect(waiting.enter(frame("a"))).toMatchObject({
      code: "CREDIT_EXCEEDED",
      retry: "later",
      data: { field: "frames", value: CREDIT_FRAMES + 1, max: CREDIT_FRAMES },
    });
    expect(waiting.enter(frame("b")), "of another socket").toBeNull();
    waiting.leave(frame("a"));
    expect(waiting.enter(frame("a")), "when one of them was taken").toBeNull();
  });

  it("counts what it refuses of a socket for as long as frames of that socket wait", () => {
    const waiting = new Waiting();
    for (let i = 0; i < CREDIT_FRAMES + 7; i++) waiting.enter(frame("a"));
    expect(waiting.refusedOf("a")).toBe(7);
    for (let i = 0; i < CREDIT_FRAMES; i++) waiting.leave(frame("a"));
    expect(waiting.refusedOf("a")).toBe(0);
    expect(waiting.has("a")).toBe(false);
    expect(fill(waiting, frame("a"))).toBe(CREDIT_FRAMES);
  });

  it.each(["clients", "cluster"] as const)(
    "takes so many bytes of %s, in few or many messages, and leaves the others theirs",
    (side) => {
      const other = side === "clients" ? "cluster" : "clients";
      const waiting = new Waiting();
      const large = fill(waiting, message(side, MIB));
      expect(large).toBe(INBOX_BYTES_MAX / MIB - 1);
      const small = fill(waiting, message(side, 1));
      expect(small).toBeGreaterThan(0);
      expect(waiting.enter(message(side, 1))).toMatchObject({
        code: "OVERLOADED",
        retry: "later",
        data: { field: "bytes", max: INBOX_BYTES_MAX },
      });
      expect(fill(waiting, message(other, MIB))).toBe(large);
      waiting.leave(message(side, MIB));
      expect(fill(waiting, message(side, MIB)), "the room of one").toBe(1);
    },
  );
});
