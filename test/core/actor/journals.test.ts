/** What an actor is made of when it comes to be in memory: snapshots, entries, and what of them counts. */
import { describe, expect, it } from "vitest";
import { Epoch, Seq } from "../../../src/data/ids.ts";
import type { Row } from "../../../src/data/row.ts";
import { sequenceSub } from "../../../src/data/sequence.ts";
import { entryRow, snapshotOf } from "../../../src/protocol/journal.ts";
import { encodeJson } from "../../../src/protocol/values.ts";
import type { Stage } from "../../scripts/stage.ts";
import { A, B, entryOf, P } from "../trio.ts";
import {
  ACTORS,
  activationAt,
  call,
  events,
  journalAt,
  overwrite,
  rowsOf,
  saidTo,
  stageWith,
  told,
} from "./kit.ts";

/** So many commands, each told. */
function filled(stage: Stage, count: number): void {
  for (let n = 0; n < count; n++) {
    call(stage, A, n);
    stage.live(20);
  }
}

const LIST = { map: "list", key: "a" };
const bytes = (value: unknown): Uint8Array => {
  const encoded = encodeJson(value, "value");
  if (!encoded.ok) throw new Error(encoded.error.message);
  return encoded.value;
};

const entryAt = (
  sequence: number,
  epoch: number,
  more: { mark?: number; told?: number } = {},
): Row =>
  entryRow(LIST, "elsewhere", {
    sequence,
    epoch: Epoch(epoch),
    atMs: 5,
    mark: more.mark ?? 0,
    version: sequence,
    commandId: `e${sequence}`,
    outcome: { type: "executed", events: bytes([more.told ?? sequence]), reply: bytes(null) },
  });

const snapshotAt = (stage: Stage) => {
  const [row] = rowsOf(stage, A, "snapshot");
  const snapshot = row && snapshotOf(row);
  return snapshot?.ok ? snapshot.value : null;
};

/** The epoch at which A became owner. */
const reign = (stage: Stage): number => entryOf(stage)?.ruling.since ?? 0;

describe("a journal", () => {
  it("has a snapshot each so many entries, of acknowledged ones only, at every copy", () => {
    const stage = stageWith();
    filled(stage, 25);
    stage.live(500);
    expect(snapshotAt(stage)).toMatchObject({ sequence: 20, version: 20 });
    expect(rowsOf(stage, B, "snapshot")).toEqual(rowsOf(stage, A, "snapshot"));
  });

  it("takes no snapshot of what the copies may not have", () => {
    const stage = stageWith();
    filled(stage, 8);
    // Of two that are under way together the copy gets the first one only.
    stage.cut = (_from, _to, message) =>
      message.type === "MIGRATE_DATA" && message.deltas.some(({ sub }) => sub === sequenceSub(10));
    const [first, second] = [call(stage, A, 8), call(stage, A, 9)];
    stage.live(100);
    expect([told(first), told(second)]).toEqual([8, null]);
    expect(journalAt(stage, A)).toHaveLength(10);
    expect(snapshotAt(stage)).toBeNull();
    stage.cut = () => false;
    stage.live(3_000);
    expect(snapshotAt(stage)).toMatchObject({ sequence: 10 });
  });

  it("is read from its snapshot on, and remembers commands from before it [I13]", () => {
    const stage = stageWith();
    const first = call(stage, A, 100, { commandId: "x" });
    filled(stage, 15);
    stage.node(A).crash();
    // Whatever is before the snapshot is not looked at.
    overwrite(stage, A, { ...entryAt(3, reign(stage)), value: Uint8Array.of(1) });
    const [again, next] = [call(stage, A, 100, { commandId: "x" }), call(stage, A, 200)];
    stage.live(100);
    expect(saidTo(again)).toEqual(saidTo(first));
    expect(told(next)).toBe(200);
    expect(journalAt(stage, B)).toHaveLength(17);
  });

  it("is read from its beginning where the snapshot cannot be, and that is said", () => {
    const stage = stageWith();
    filled(stage, 15);
    const [row] = rowsOf(stage, A, "snapshot");
    if (!row) throw new Error("there is no snapshot");
    overwrite(stage, A, { ...row, value: Uint8Array.of(7) });
    const next = call(stage, A, 99);
    stage.live(100);
    expect(saidTo(next)).toEqual([...Array.from({ length: 15 }, (_, n) => n), 99]);
    expect(stage.notices).toEqual([
      { type: "snapshot-left-out", actorType: "list", actorId: "a", sequence: 10 },
    ]);
  });

  it("upgrades a snapshot of an earlier schema, and leaves it out where nobody can", () => {
    const stage = stageWith();
    filled(stage, 15);
    const list = ACTORS["list"];
    if (!list) throw new Error("there is no list");
    stage.actors = { list: { ...list, schemaVersion: 2 } };
    stage.node(A).crash();
    const replayed = call(stage, A, "get", { commandId: null });
    stage.live(100);
    expect(saidTo(replayed)).toHaveLength(15);
    expect(stage.notices).toHaveLength(1);
    const upgrade = (): readonly number[] => [-1];
    stage.actors = { list: { ...list, schemaVersion: 2, upgrade } };
    stage.node(A).crash();
    const upgraded = call(stage, A, "get", { commandId: null });
    stage.live(100);
    expect(saidTo(upgraded)).toEqual([-1, 10, 11, 12, 13, 14]);
  });

  it("with an entry that cannot be read is refused by its number, and others go on", () => {
    const stage = stageWith();
    filled(stage, 5);
    overwrite(stage, A, { ...entryAt(3, reign(stage)), value: Uint8Array.of(1) });
    const [corrupt, other] = [call(stage, A, 9), call(stage, A, 9, { id: "other" })];
    stage.live(100);
    expect(corrupt.result).toMatchObject({
      error: { code: "ACTOR_CORRUPT", data: { actorType: "list", actorId: "a", sequence: 3 } },
    });
    expect(saidTo(other)).toEqual([9]);
    expect(rowsOf(stage, A, "event")).toHaveLength(5);
  });

  it("with an entry that is missing is refused until it is there again", () => {
    const stage = stageWith();
    filled(stage, 5);
    const [missing] = rowsOf(stage, A, "event").filter(({ sub }) => sub === sequenceSub(3));
    if (!missing) throw new Error("there is no entry 3");
    stage.node(A).rows.remove(P, [missing]);
    stage.node(A).crash();
    const before = call(stage, A, 9);
    stage.live(100);
    expect(before.result).toMatchObject({ error: { code: "ACTOR_INCOMPLETE", retry: "later" } });
    overwrite(stage, A, missing);
    const after = call(stage, A, 9);
    stage.live(100);
    expect(saidTo(after)).toEqual([0, 1, 2, 3, 4, 9]);
  });

  it("leaves out what an earlier owner left behind a later one's, and gives its number again", () => {
    const stage = stageWith();
    filled(stage, 2);
    overwrite(stage, A, entryAt(3, reign(stage) - 1, { told: 666 }));
    const next = call(stage, A, 9);
    stage.live(100);
    expect(saidTo(next)).toEqual([0, 1, 9]);
    expect(journalAt(stage, A)[2]).toMatchObject({ sequence: 3, epoch: reign(stage) });
    stage.live(1_000);
    expect(journalAt(stage, B)).toEqual(journalAt(stage, A));
  });

  it("counts what an earlier owner left at its end, and puts this owner's epoch to it [I13]", () => {
    const stage = stageWith();
    overwrite(stage, A, entryAt(1, reign(stage) - 1, { told: 7 }));
    const next = call(stage, A, 9);
    stage.live(1_000);
    expect(saidTo(next)).toEqual([7, 9]);
    expect(journalAt(stage, A).map(({ epoch }) => epoch)).toEqual([reign(stage), reign(stage)]);
    expect(journalAt(stage, B)).toEqual(journalAt(stage, A));
  });

  it("answers no repeat of what an earlier owner left before every copy has it under this epoch", () => {
    const stage = stageWith();
    overwrite(stage, A, entryAt(1, reign(stage) - 1, { told: 7 }));
    stage.cut = (_from, _to, { type }) => type === "STREAM_ACK";
    const again = call(stage, A, 7, { commandId: "e1" });
    stage.live(100);
    expect(journalAt(stage, A)).toMatchObject([{ epoch: reign(stage) }]);
    expect(again.result).toBeNull();
    stage.cut = () => false;
    stage.live(3_000);
    expect(again.result).toMatchObject({ type: "reply", version: 1 });
  });

  it("is shown from any number on, and who asks is told where to go on", () => {
    const stage = stageWith();
    filled(stage, 3);
    call(stage, A, "no", { commandId: "n" });
    call(stage, A, 7, { commandId: "v", expectedVersion: 0 });
    stage.live(100);
    const [some, rest, none] = [
      [1, 2],
      [3, 500],
      [9, 1],
    ].map(([from = 1, limit = 1]) => events(stage, A, from, limit));
    stage.live(100);
    expect(some && saidTo(some)).toMatchObject({
      entries: [
        { sequence: 1, version: 1, events: [0], reply: [0] },
        { sequence: 2, version: 2, events: [1], reply: [0, 1] },
      ],
      next: 3,
    });
    expect(rest && saidTo(rest)).toMatchObject({
      entries: [
        { sequence: 3, version: 3, events: [2] },
        { sequence: 4, version: 3, commandId: "n", events: [], refusal: "no", reason: "after 3" },
        { sequence: 5, version: 3, commandId: "v", events: [], refusal: "VERSION_CONFLICT" },
      ],
      next: null,
    });
    expect(none && saidTo(none)).toEqual({ entries: [], next: null });
    expect(journalAt(stage, A)).toHaveLength(5);
  });

  it("is shown as far as the copies have it, and without what counts for nothing", () => {
    const stage = stageWith();
    filled(stage, 2);
    stage.cut = (_from, _to, { type }) => type === "STREAM_ACK";
    call(stage, A, 2);
    const shown = events(stage, A, 1, 500);
    stage.live(50);
    expect(saidTo(shown)).toBeNull();
    stage.cut = () => false;
    stage.live(3_000);
    overwrite(stage, A, entryAt(4, reign(stage) - 1, { told: 666 }));
    const again = events(stage, A, 1, 500);
    stage.live(100);
    expect(saidTo(again)).toEqual(saidTo(shown));
    expect(saidTo(again)).toMatchObject({ entries: [{}, {}, { sequence: 3 }], next: null });
  });

  it("of more entries than are read at a time is read whole", () => {
    const stage = stageWith();
    filled(stage, 1);
    const rows = Array.from({ length: 1_500 }, (_, i) => entryAt(i + 2, reign(stage)));
    stage.node(A).rows.write(
      P,
      rows.map((row) => ({ row, seq: Seq(1) })),
    );
    stage.node(A).crash();
    const next = call(stage, A, 9);
    stage.live(500);
    expect(saidTo(next)).toHaveLength(1_502);
    expect(activationAt(stage, A)?.mark).toBe(1_502);
  });
});
