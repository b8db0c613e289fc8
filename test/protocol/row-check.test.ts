/** What a row of each kind looks like, and that nothing else gets in. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Row } from "../../src/data/row.ts";
import { isRowOf } from "../../src/protocol/row-check.ts";
import { decodeEnvelope, encodeEnvelope } from "../../src/protocol/codec.ts";
import { actorSamples, event, snapshot } from "./actor-samples.ts";
import { row } from "./arbitraries.ts";
import { envelope } from "./samples.ts";

const carrier = actorSamples["data with an actor's journal"];

it("takes every row as it is made", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(row, (r) => {
      seen.add(r.kind);
      expect(isRowOf(r)).toBe(true);
    }),
    { numRuns: 500 },
  );
  expect([...seen].toSorted()).toEqual(["event", "lww", "or", "pn", "snapshot"]);
});

/** Beside it all is right. */
const OF_BOTH: Readonly<Record<string, Partial<Row>>> = {
  "a counter": { stamp: { ...event.stamp, counter: 1 } },
  "no value": { value: null },
  "an expiry": { expiresAt: 1_800_000_000_000 },
  "an expiry in 1970": { expiresAt: 0 },
};

const OF_ENTRIES: Readonly<Record<string, Partial<Row>>> = {
  "no number": { sub: "" },
  "number 0": { sub: "000000000000" },
  "a number of 11 digits": { sub: "00000000017" },
  "a number of 13 digits": { sub: "0000000000017" },
  "a number that is none": { sub: "00000000001x" },
};

const OF_SNAPSHOTS: Readonly<Record<string, Partial<Row>>> = {
  "a number": { sub: "000000000017" },
  "any other text": { sub: " " },
};

const faultsOf = (
  right: Row,
  faults: Readonly<Record<string, Partial<Row>>>,
): (readonly [string, Row, Partial<Row>])[] =>
  Object.entries({ ...OF_BOTH, ...faults }).map(([name, fault]) => [name, right, fault]);

const FAULTS = [...faultsOf(event, OF_ENTRIES), ...faultsOf(snapshot, OF_SNAPSHOTS)];

describe("of a journal", () => {
  it("an entry and a snapshot", () => {
    expect([event, snapshot].map(({ kind }) => kind)).toEqual(["event", "snapshot"]);
    expect(isRowOf(event)).toBe(true);
    expect(isRowOf(snapshot)).toBe(true);
    expect(isRowOf({ ...event, sub: "999999999999", value: new Uint8Array(0) })).toBe(true);
  });

  it.each(FAULTS)("not with %s: %#", (_, right, fault) => {
    const wrong = { ...right, ...fault };
    expect(isRowOf(wrong)).toBe(false);
    // Nor by any way in.
    const expected = {
      ok: false,
      error: { code: "MALFORMED", data: { expected: "a row of its kind" } },
    };
    const none = { ...carrier, chunk: [], deltas: [] };
    for (const message of [
      { ...none, chunk: [wrong] },
      { ...none, deltas: [wrong] },
    ])
      expect(decodeEnvelope(encodeEnvelope(envelope(message)))).toMatchObject(expected);
  });
});
