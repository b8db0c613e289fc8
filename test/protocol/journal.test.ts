/** What an actor leaves behind, as rows and back; and that whatever was damaged is found. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { elementHash } from "../../src/data/element-hash.ts";
import { Epoch } from "../../src/data/ids.ts";
import { STAMP_MILLIS_MAX } from "../../src/data/limits.ts";
import { compareIdentity, identityOf, mergeRows, type Row } from "../../src/data/row.ts";
import { encodeEnvelope, decodeEnvelope } from "../../src/protocol/codec.ts";
import {
  entryIdentity,
  entryOf,
  entryRow,
  reEntered,
  snapshotOf,
  snapshotRow,
  type Entry,
  type Snapshot,
} from "../../src/protocol/journal.ts";
import {
  COMMAND_ID_BYTES_MAX,
  COMMAND_IDS_MAX,
  VALUE_BYTES_MAX,
} from "../../src/protocol/limits.ts";
import { isRowOf } from "../../src/protocol/row-check.ts";
import { writeValue } from "../../src/protocol/writer.ts";
import { actorSamples } from "./actor-samples.ts";
import { commandId, count, key, map, moment, sequence } from "./arbitraries.ts";
import { envelope } from "./samples.ts";
import { wellFormedText } from "../data/arbitraries.ts";

const ACTOR = { map: "account", key: "ann" };
const NODE = "n1.1";

const of = fc.record({ map, key });
const node = fc.constantFrom("n1", "n1.1", "n2.17");
const epoch = fc.oneof(fc.nat(9), moment).map(Epoch);
const bytes = fc.uint8Array({ maxLength: 40 });

const outcome: fc.Arbitrary<Entry["outcome"]> = fc.oneof(
  fc.record({ type: fc.constant("executed" as const), events: bytes, reply: bytes }),
  fc.record({
    type: fc.constant("declined" as const),
    refusal: fc.oneof(wellFormedText, fc.constant("r".repeat(128))),
    reason: fc.oneof(wellFormedText, fc.constant("r".repeat(1_024))),
  }),
);
const entry: fc.Arbitrary<Entry> = fc.record({
  sequence,
  epoch,
  atMs: moment,
  mark: count,
  version: count,
  commandId: fc.option(commandId),
  outcome,
});
const snapshot: fc.Arbitrary<Snapshot> = fc.record({
  sequence,
  epoch,
  version: count,
  schemaVersion: count,
  state: bytes,
  ids: fc.array(fc.tuple(commandId, count), { maxLength: 9 }),
});

const EXECUTED: Entry = {
  sequence: 17,
  epoch: Epoch(7),
  atMs: 1_800_000_000_000,
  mark: 16,
  version: 30,
  commandId: "c-1",
  outcome: { type: "executed", events: Uint8Array.of(0x91, 1), reply: Uint8Array.of(0xc0) },
};
const DECLINED: Entry = {
  ...EXECUTED,
  commandId: null,
  outcome: { type: "declined", refusal: "poor", reason: "has 3" },
};
const SNAPSHOT: Snapshot = {
  sequence: 100,
  epoch: Epoch(7),
  version: 170,
  schemaVersion: 2,
  state: Uint8Array.of(0x81, 0xa1, 0x61, 1),
  ids: [
    ["c-1", 17],
    ["c-2", 100],
  ],
};

describe("an entry", () => {
  it("comes back as it was, from a row that may be stored and sent", () => {
    fc.assert(
      fc.property(of, node, entry, (actor, writer, written) => {
        const row = entryRow(actor, writer, written);
        expect(isRowOf(row)).toBe(true);
        expect(entryOf(row)).toEqual({ ok: true, value: written });
        expect(identityOf(row)).toEqual(entryIdentity(actor, written.sequence));
        expect(row.stamp).toEqual({ millis: written.epoch, counter: 0, node: writer });
      }),
      { numRuns: 500 },
    );
  });

  it("stands behind those before it", () => {
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        const order = compareIdentity(entryIdentity(ACTOR, a), entryIdentity(ACTOR, b));
        expect(Math.sign(order)).toBe(Math.sign(a - b));
      }),
    );
  });

  it("that a later owner enters again keeps all but the epoch, and who wrote it", () => {
    fc.assert(
      fc.property(of, entry, epoch, (actor, written, later) => {
        const row = entryRow(actor, NODE, written);
        const again = reEntered(row, later, "n2.1");
        expect(again).toEqual({ ...row, stamp: { millis: later, counter: 0, node: "n2.1" } });
        expect(again.value).toBe(row.value);
        expect(entryOf(again)).toEqual({ ok: true, value: { ...written, epoch: later } });
      }),
    );
  });

  it("of two of one number that of the later owner stands, whichever came first", () => {
    fc.assert(
      fc.property(entry, entry, node, node, (one, other, here, there) => {
        const low = entryRow(ACTOR, here, one);
        const above = Epoch(Math.min(one.epoch + 1 + other.epoch, STAMP_MILLIS_MAX));
        fc.pre(above > one.epoch);
        const high = entryRow(ACTOR, there, { ...other, sequence: one.sequence, epoch: above });
        expect(mergeRows(low, high)).toBe(high);
        expect(mergeRows(high, low)).toBe(high);
        const again = reEntered(low, above, there);
        expect(mergeRows(low, again)).toBe(again);
        expect(mergeRows(again, low)).toBe(again);
      }),
    );
  });
});

describe("a snapshot", () => {
  it("comes back as it was, from a row that may be stored and sent", () => {
    fc.assert(
      fc.property(of, node, snapshot, (actor, writer, taken) => {
        const row = snapshotRow(actor, writer, taken);
        expect(isRowOf(row)).toBe(true);
        expect(snapshotOf(row)).toEqual({ ok: true, value: taken });
        expect(identityOf(row)).toEqual({ ...actor, kind: "snapshot", sub: "" });
      }),
      { numRuns: 500 },
    );
  });

  it("of two the later one stands, whichever came first and whoever took it", () => {
    fc.assert(
      fc.property(snapshot, snapshot, node, node, (one, other, here, there) => {
        fc.pre(one.sequence !== other.sequence);
        const [low, high] = [
          { ...one, sequence: Math.min(one.sequence, other.sequence) },
          { ...other, sequence: Math.max(one.sequence, other.sequence) },
        ];
        const [first, later] = [snapshotRow(ACTOR, here, low), snapshotRow(ACTOR, there, high)];
        expect(mergeRows(first, later)).toBe(later);
        expect(mergeRows(later, first)).toBe(later);
      }),
    );
  });

  it("is of the number that it says: under another one it is none", () => {
    const row = snapshotRow(ACTOR, NODE, SNAPSHOT);
    for (const millis of [0, 99, 101])
      expect(snapshotOf({ ...row, stamp: { ...row.stamp, millis } })).toEqual(CORRUPT);
  });

  it("with all ids as long as they may be and 100 KiB of state may be stored", () => {
    const id = (i: number): string => `${i}`.padStart(COMMAND_ID_BYTES_MAX, "c");
    const ids = Array.from({ length: COMMAND_IDS_MAX }, (_, i) => [id(i), 10 ** 12 - 1] as const);
    const state = new Uint8Array(100 * 1_024);
    const large = { ...SNAPSHOT, version: Number.MAX_SAFE_INTEGER, state, ids };
    const row = snapshotRow(ACTOR, NODE, large);
    expect(row.value?.length).toBeLessThanOrEqual(VALUE_BYTES_MAX);
    expect(snapshotOf(row)).toStrictEqual({ ok: true, value: large });
    const more = [...ids, ["c", 1] as const];
    expect(snapshotOf(snapshotRow(ACTOR, NODE, { ...large, ids: more }))).toEqual(CORRUPT);
  });
});

const CORRUPT = { ok: false, error: "corrupt" };

const WRITTEN = [
  ["an executed command", entryRow(ACTOR, NODE, EXECUTED), entryOf],
  ["a declined command", entryRow(ACTOR, NODE, DECLINED), entryOf],
  ["a snapshot", snapshotRow(ACTOR, NODE, SNAPSHOT), snapshotOf],
] as const;

describe.each(WRITTEN)("%s", (_, row, read) => {
  const value = row.value ?? expect.fail("it has one");

  it("is read, and with any one byte changed to any other is found to be damaged", () => {
    expect(read(row)).toMatchObject({ ok: true });
    let changed = 0;
    for (let at = 0; at < value.length; at++)
      for (let byte = 0; byte < 256; byte++) {
        if (byte === value[at]) continue;
        changed++;
        const found = read({ ...row, value: value.with(at, byte) });
        if (found.ok) expect.fail(`byte ${at} as ${byte} was not found`);
      }
    expect(changed).toBe(value.length * 255);
  });

  it("cut short, drawn out, or gone, too", () => {
    for (let length = 0; length < value.length; length++)
      expect(read({ ...row, value: value.subarray(0, length) })).toEqual(CORRUPT);
    expect(read({ ...row, value: Uint8Array.of(...value, 0) })).toEqual(CORRUPT);
    expect(read({ ...row, value: null })).toEqual(CORRUPT);
  });

  it("with several bytes changed", () => {
    const changes = fc.array(fc.tuple(fc.nat(value.length - 1), fc.nat(255)), { maxLength: 9 });
    fc.assert(
      fc.property(changes, (bytesChanged) => {
        const corrupt = value.slice();
        for (const [at, byte] of bytesChanged) corrupt[at] = byte;
        const isSame = corrupt.every((byte, at) => byte === value[at]);
        expect(read({ ...row, value: corrupt }).ok).toBe(isSame);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("of a later version, or not of ours", () => {
  /** As a journal does with what it writes. */
  const sealed = (payload: unknown): Uint8Array => {
    const inner = writeValue(payload);
    return writeValue([elementHash(inner), inner]);
  };

  const ENTRY = [1, 0, 1, "c-1", Uint8Array.of(0x90), Uint8Array.of(0xc0)];
  const TAKEN = [100, 7, 170, 2, Uint8Array.of(0xc0), [["c-1", 17]]];
  const [executed, , taken] = WRITTEN;

  it("what is sealed in this way is read", () => {
    expect(entryOf({ ...executed[1], value: sealed(ENTRY) })).toMatchObject({ ok: true });
    expect(snapshotOf({ ...taken[1], value: sealed(TAKEN) })).toMatchObject({ ok: true });
  });

  it.each([
    ...[-1, 1.5, "1", null].flatMap((n) => [0, 1, 2].map((at) => ENTRY.with(at, n as never))),
    ...["", "c".repeat(129), 1].map((id) => ENTRY.with(3, id)),
    ENTRY.with(4, null as never),
    ENTRY.with(5, "a reason without a refusal"),
    ENTRY.slice(0, 5),
    [],
    { atMs: 1 },
  ])("entry %#", (payload) => {
    expect(entryOf({ ...executed[1], value: sealed(payload) })).toEqual(CORRUPT);
  });

  it.each([
    ...[-1, 1.5, "1", null].flatMap((n) => [0, 1, 2, 3].map((at) => TAKEN.with(at, n as never))),
    ...[null, "text"].map((state) => TAKEN.with(4, state as never)),
    ...[null, ["c-1"], [[1, 1]], [["c-1", -1]], [["c-1"]], [["c-1", 1, 1]]].map((ids) =>
      TAKEN.with(5, ids as never),
    ),
    TAKEN.slice(0, 5),
    [],
  ])("snapshot %#", (payload) => {
    expect(snapshotOf({ ...taken[1], value: sealed(payload) })).toEqual(CORRUPT);
  });

  it.each<[string, Uint8Array]>([
    ["no bytes", new Uint8Array(0)],
    ["a number", writeValue(7)],
    ["an empty list", writeValue([])],
    ["a hash without bytes", writeValue(["0123456789abcdef"])],
    ["bytes without a hash", writeValue([null, Uint8Array.of(0x90)])],
    ["random ones", Uint8Array.from({ length: 99 }, (_, i) => i * 91)],
  ])("%s", (_, value) => {
    for (const [, row, read] of WRITTEN) expect(read({ ...row, value })).toEqual(CORRUPT);
  });

  it("an entry is no snapshot, nor the other way round", () => {
    expect(snapshotOf({ ...taken[1], value: executed[1].value })).toEqual(CORRUPT);
    expect(entryOf({ ...executed[1], value: taken[1].value })).toEqual(CORRUPT);
  });
});

it("random values are never read, and never throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 99 }), (value) => {
      for (const [, row, read] of WRITTEN) expect(read({ ...row, value })).toEqual(CORRUPT);
    }),
    { numRuns: 1_000 },
  );
});

it("travels as any row does", () => {
  const rows: Row[] = WRITTEN.map(([, row]) => row);
  const carrier = actorSamples["data with an actor's journal"];
  const sent = envelope({ ...carrier, chunk: rows, deltas: rows });
  expect(decodeEnvelope(encodeEnvelope(sent))).toStrictEqual({ ok: true, value: sent });
});
