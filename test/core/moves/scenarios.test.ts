/** What may happen to a move, and to what is written meanwhile. */
import { describe, expect, it } from "vitest";
import { ClusterId, NodeId, Term } from "../../../src/data/ids.ts";
import { decodeEnvelope, encodeEnvelope } from "../../../src/protocol/codec.ts";
import type { ClientWrite } from "../../../src/protocol/client-messages.ts";
import { PROTOCOL_VERSION } from "../../../src/protocol/version.ts";
import type { Play } from "../../scripts/commands.ts";
import { endsWell } from "../../scripts/ends-well.ts";
import type { Letter } from "../../scripts/stage.ts";
import { ownerIn, P, playOf, rowsAt, SOURCE, steps, TARGET } from "./stepped.ts";

const FOUR = ["put n1 a=1", "put n1 b=1", "put n1 c=1", "put n1 d=1"];
const begun = (): Play => playOf("form nodes=2 chunk=1", ...FOUR, "move 0 to n2");

/** Until the copy has `count` rows. */
function copied(play: Play, count: number): void {
  for (let step = 0; rowsAt(play.stage, TARGET).length < count; step++) {
    expect(step).toBeLessThan(100);
    const next = play.stage.letters.shift();
    if (next) play.stage.deliver(next);
  }
}

function endsAtTarget(play: Play): void {
  endsWell(play);
  expect(ownerIn(play.stage)).toBe(TARGET);
}

describe("a move with", () => {
  it("a write to a not-yet-scanned key", () => {
    const play = begun();
    copied(play, 1);
    for (const write of ["advance 5", "put n1 d=2", "delete n1 c"]) play.run(write);
    endsAtTarget(play);
  });

  it("a write to a scanned key", () => {
    const play = begun();
    copied(play, 3);
    for (const write of ["advance 5", "put n1 a=2", "delete n1 b"]) play.run(write);
    endsAtTarget(play);
  });

  it("a scan batch that arrives after a newer write or a delete", () => {
    const play = begun();
    play.run("stabilize until MIGRATE_DATA");
    play.run("duplicate MIGRATE_DATA #0 as late");
    play.run("duplicate late as later");
    copied(play, 1);
    for (const write of [
      "advance 5",
      "put n1 a=2",
      "stabilize until MIGRATE_READY",
      "deliver late",
    ])
      play.run(write);
    for (const write of ["delete n1 a", "stabilize", "advance 5", "deliver later"]) play.run(write);
    endsAtTarget(play);
  });

  it("duplicated batches and a doubled completion, which finalize exactly once", () => {
    const play = begun();
    const twice = new Map<string, number>();
    const owners: (string | null | undefined)[] = [];
    let written = 0;
    steps(play.stage, (letter) => {
      const { type } = letter.message;
      // What is an answer came once; what asks may come twice and is answered twice.
      const again = letter.call === null ? null : play.stage.again(letter);
      play.stage.deliver(letter);
      if (again) play.stage.deliver(again);
      if (again) twice.set(type, (twice.get(type) ?? 0) + 1);
      if (owners.at(-1) !== ownerIn(play.stage)) owners.push(ownerIn(play.stage));
      if (written < 5) play.run(`put n1 x${written}=${written++}`);
    });
    for (const type of ["MIGRATE_DATA", "COMPLETE", "MIGRATE_READY", "MIGRATE_FINALIZE"])
      expect(twice.get(type), type).toBeGreaterThan(0);
    endsAtTarget(play);
    expect(play.stage.coordinator.disk.cluster?.completed).toBe(1);
    expect(owners).toEqual([SOURCE, TARGET]);
  });

  it("a source that cleans up only after confirmed ownership, whatever is lost of it", () => {
    for (const lost of ["HEARD", "MIGRATE_FINALIZE", "STRIKE", "DROPPED", "nothing"]) {
      const play = begun();
      let dropped = 0;
      const look = (): void => {
        const { disk } = play.stage.node(TARGET);
        const { disk: ruled } = play.stage.coordinator;
        if (rowsAt(play.stage, SOURCE).length > 0) return;
        dropped++;
        expect(disk.partitions.get(P)?.role.type, "the target serves").toBe("owner");
        expect(ruled.entries.get(P)?.move, "and has said so").toBeNull();
        expect(rowsAt(play.stage, TARGET)).toHaveLength(FOUR.length);
      };
      const isLost = (letter: Letter): boolean =>
        letter.message.type === lost && letter.call !== null;
      for (let round = 0; round < 4; round++) {
        steps(play.stage, (letter) => {
          // Twice, then it gets through.
          if (round >= 2 || !isLost(letter)) play.stage.deliver(letter);
          look();
        });
        play.run("advance 1000");
        look();
      }
      endsAtTarget(play);
      expect(dropped, lost).toBeGreaterThan(0);
    }
  });

  it.each([
    ["while they are copied", 3],
    ["when it is complete", 4],
  ])("a checksum before activation: of rows lost %s none is missing after", (_, count) => {
    const play = begun();
    copied(play, count);
    if (count === 4)
      for (const next of ["until COMPLETE", "until RULING"]) play.run(`stabilize ${next}`);
    // Its disk has lost all of them, and it does not know.
    play.stage.node(TARGET).rows.drop(P);
    play.stage.node(TARGET).crash();
    let compared = 0;
    for (let round = 0; round < 10; round++) {
      steps(play.stage, (letter) => {
        const { type } = letter.message;
        if (["COMPLETE", "MIGRATE_READY", "MIGRATE_FINALIZE"].includes(type)) {
          compared++;
          expect(rowsAt(play.stage, TARGET), type).toEqual(rowsAt(play.stage, SOURCE));
        }
        if (type === "STRIKE" || type === "DROPPED") return;
        play.stage.deliver(letter);
      });
      play.run("advance 1000");
    }
    expect(compared).toBeGreaterThan(2);
    expect(play.stage.delivered.get("PULL_ROWS") ?? 0, "mended").toBeGreaterThan(0);
    endsAtTarget(play);
  });

  it("its source deactivated by the ruling: it acknowledges nothing alone, and what comes to it is passed on", () => {
    const play = begun();
    play.run("stabilize until MIGRATE_FINALIZE");
    // The target has heard it, and the source nothing.
    play.run("deliver MIGRATE_FINALIZE coordinator>n2");
    play.run("hold coordinator>n1");
    play.run("advance 5");
    play.run("put n1 a=2");
    const isAcked = (): boolean =>
      play.stage.answers.some((answer) => answer.type === "ACK" && answer.seq === 5);
    expect(isAcked()).toBe(false);
    play.run("stabilize until OP_FORWARD");
    expect(isAcked()).toBe(false);
    expect(play.stage.node(SOURCE).disk.partitions.get(P)?.role.type).not.toBe("owner");
    play.run("stabilize");
    expect(isAcked()).toBe(true);
    endsAtTarget(play);
  });

  it("reordered batches: the last one on its way comes first", () => {
    const play = begun();
    let reordered = 0;
    for (let step = 0; play.stage.letters.length > 0; step++) {
      expect(step).toBeLessThan(2_000);
      if (play.stage.letters.length > 1) reordered++;
      const last = play.stage.letters.pop();
      if (last) play.stage.deliver(last);
      if (step < 20) play.run(`put n1 a=${step}`);
    }
    expect(reordered).toBeGreaterThan(10);
    endsAtTarget(play);
  });

  it("truncated batches: no part of one is ever taken for a batch", () => {
    const play = begun();
    let cut = 0;
    steps(play.stage, (letter) => {
      if (letter.message.type === "MIGRATE_DATA" && letter.message.chunk.length > 0) {
        const whole = bytesOf(letter);
        expect(decodeEnvelope(whole).ok).toBe(true);
        for (let length = 0; length < whole.length; length++, cut++)
          expect(decodeEnvelope(whole.subarray(0, length)).ok, `${length} bytes`).toBe(false);
      }
      play.stage.deliver(letter);
    });
    expect(cut).toBeGreaterThan(400);
    endsAtTarget(play);
  });

  it.each(["target", "source"])("its %s killed at each phase, and at each message", (part) => {
    const victim = part === "target" ? TARGET : SOURCE;
    const phases = new Set<string>();
    for (let at = 0; ; at++) {
      const play = begun();
      let hit = false;
      steps(play.stage, (letter, step) => {
        if (step !== at) return play.stage.deliver(letter);
        const role = play.stage.node(SOURCE).disk.partitions.values().next().value?.role;
        phases.add(role?.type === "owner" ? (role.move?.phase ?? "none") : "switched");
        play.stage.deliver(letter, letter.to === victim ? "after-commit" : null);
        play.stage.node(victim).crash();
        // What it had said and not yet sent is lost with it.
        play.stage.letters = play.stage.letters.filter(({ from }) => from !== victim);
        play.run(`put n1 z=${step}`);
        hit = true;
      });
      if (!hit) break;
      endsWell(play);
    }
    expect([...phases].toSorted()).toEqual(["closing", "copying", "none", "ready", "switched"]);
  });

  it("a lost finalize ack", () => {
    const play = begun();
    play.run("stabilize until MIGRATE_FINALIZE");
    play.run("deliver all MIGRATE_FINALIZE");
    play.run("drop HEARD");
    for (const write of ["put n1 a=2", "put n2 b=2"]) play.run(write);
    expect(play.run("require coordinator finalizing")).toBe("yes");
    endsAtTarget(play);
    expect(play.stage.delivered.get("MIGRATE_FINALIZE")).toBeGreaterThan(2);
  });

  it("writes much faster than the scan, which ends and sends each row once", () => {
    const puts = Array.from({ length: 12 }, (_, i) => `put n1 k${String(i).padStart(2, "0")}=0`);
    const play = playOf("form nodes=2 chunk=1", ...puts, "move 0 to n2");
    const scanned: string[] = [];
    let writes = 0;
    steps(play.stage, (letter) => {
      const said = letter.message;
      if (said.type === "MIGRATE_DATA") scanned.push(...said.chunk.map(({ key }) => key));
      play.stage.deliver(letter);
      if (writes >= 1_000) return;
      for (let i = 0; i < 20; i++, writes++)
        play.run(`put n1 ${i % 2 ? "k" : "new"}${String(writes % 12).padStart(2, "0")}=${writes}`);
    });
    expect(writes).toBe(1_000);
    expect(scanned.length).toBeLessThanOrEqual(12);
    expect(new Set(scanned).size).toBe(scanned.length);
    endsAtTarget(play);
  });

  it("keys with _, /, :, braces, emoji and empty strings", () => {
    const play = playOf("form nodes=2 chunk=2", "put n1 plain=1");
    const odd = [
      "_",
      "a_b",
      "/",
      "a/b/",
      ":",
      "m:k",
      "{",
      "}",
      "{a}",
      "[]",
      "😀",
      "e\u0301",
      "",
      " ",
    ];
    const names = [...odd, "\u0000", "\u{10ffff}", "..", "%2F", '"', "\\", "\n"];
    const stamp = { millis: 900, counter: 0, node: "odd" };
    const ops = names.flatMap((key): ClientWrite[] =>
      ["m", "_", "/:{}", "😀"].map((map) => {
        const value = new TextEncoder().encode(`${map} ${key}`);
        return { map, key, stamp, value, expiresAt: null };
      }),
    );
    play.stage.client(SOURCE, { type: "OPS", seq: 1_000, ops: ops.slice(0, 40) });
    play.run("move 0 to n2");
    copied(play, 3);
    play.stage.client(SOURCE, { type: "OPS", seq: 1_001, ops: ops.slice(40) });
    play.settle();
    endsAtTarget(play);
    const name = (row: { map: string; key: string }): string => JSON.stringify([row.map, row.key]);
    const stored = rowsAt(play.stage, TARGET).filter(({ key }) => key !== "plain");
    const byName = new Map(stored.map((row) => [name(row), row.value]));
    expect(byName.size).toBe(ops.length);
    for (const op of ops) expect(byName.get(name(op)), name(op)).toEqual(op.value);
  });
});

const bytesOf = ({ from, message }: Letter): Uint8Array =>
  encodeEnvelope({
    clusterId: ClusterId("play"),
    version: PROTOCOL_VERSION,
    term: Term(1),
    from: from === "front" ? NodeId("n1") : from,
    message,
  });
