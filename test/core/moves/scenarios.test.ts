/** What may happen to a move, and to what is written meanwhile. */
import { describe, expect, it } from "vitest";
import { ClusterId, NodeId, Term } from "../../../src/data/ids.ts";
import { decodeEnvelope, encodeEnvelope } from "../../../src/protocol/codec.ts";
import type { ClientOp } from "../../../src/protocol/client-messages.ts";
import { PROTOCOL_VERSION } from "../../../src/protocol/version.ts";
import type { Play } from "../../scripts/commands.ts";
import { endsWell } from "../../scripts/ends-well.ts";
import type { Letter } from "../../scripts/stage.ts";
import { ownerIn, playOf, rowsAt, SOURCE, steps, TARGET } from "./stepped.ts";

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

  it("duplicated batches, and a doubled completion", () => {
    const play = begun();
    const twice = new Map<string, number>();
    let written = 0;
    steps(play.stage, (letter) => {
      const { type } = letter.message;
      // What is an answer came once; what asks may come twice and is answered twice.
      const again = letter.call === null ? null : play.stage.again(letter);
      play.stage.deliver(letter);
      if (again) play.stage.deliver(again);
      if (again) twice.set(type, (twice.get(type) ?? 0) + 1);
      if (written < 5) play.run(`put n1 x${written}=${written++}`);
    });
    for (const type of ["MIGRATE_DATA", "COMPLETE", "MIGRATE_READY", "MIGRATE_FINALIZE"])
      expect(twice.get(type), type).toBeGreaterThan(0);
    endsAtTarget(play);
    expect(play.stage.coordinator.disk.cluster?.completed).toBe(1);
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
    const ops = names.flatMap((key): ClientOp[] =>
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
