/** Nothing that arrives makes the decoders throw, and nothing gets through them that breaks a bound. */
import { decode, encode, ExtData } from "@msgpack/msgpack";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeClientMessage,
  decodeEnvelope,
  decodeServerMessage,
  encodeClientMessage,
  encodeEnvelope,
  encodeServerMessage,
} from "../../src/protocol/codec.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { ERRORS, type ErrorInfo } from "../../src/protocol/errors.ts";
import {
  clientMessage,
  clusterMessage,
  clusterMessages,
  envelopeOf,
  serverMessage,
} from "./messages.ts";
import { envelope, SAMPLES } from "./samples.ts";
import { violations } from "./violations.ts";

/** Decodes with all three decoders. How often a message came out. */
function probe(bytes: Uint8Array): number {
  const server = decodeServerMessage(bytes);
  const peer = decodeEnvelope(bytes);
  const client = decodeClientMessage(bytes);
  let accepted = 0;
  for (const decoded of [peer, client, server]) {
    if (decoded.ok) {
      expect(violations(decoded.value)).toEqual([]);
      accepted++;
    } else expectError("seq" in decoded.error ? decoded.error.error : decoded.error);
  }
  return accepted;
}

function expectError(error: ErrorInfo): void {
  const rule = ERRORS[error.code];
  expect(rule.retry).toBe(error.retry);
  expect(error.message).not.toMatch(/undefined|\[object|^\.|: ?$/);
  if (error.code === "MALFORMED" || error.code === "OUT_OF_BOUNDS" || error.code === "BAD_TEXT")
    expect(error.data["field"]).toMatch(/^[A-Za-z]/);
}

const spoken = new Set<string>(Object.values(SAMPLES.cluster).map((message) => message.type));

/** The samples, and of each cluster message that has none some drawn ones. */
const frames: readonly (readonly [string, Uint8Array])[] = [
  ...Object.entries(clusterMessages)
    .filter(([type]) => !spoken.has(type))
    .flatMap(([type, message]: [string, fc.Arbitrary<ClusterMessage>]) =>
      fc
        .sample(message, { numRuns: 2, seed: 7 })
        .map((m) => [type, encodeEnvelope(envelope(m))] as const),
    ),
  ...Object.entries(SAMPLES.cluster).map(
    ([name, m]) => [name, encodeEnvelope(envelope(m))] as const,
  ),
  ...Object.entries(SAMPLES.client).map(([name, m]) => [name, encodeClientMessage(m)] as const),
  ...Object.entries(SAMPLES.server).map(([name, m]) => [name, encodeServerMessage(m)] as const),
];

describe("bytes", () => {
  it("random ones", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        probe(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each(frames)("%s: whole it is a message, cut short anywhere it is none", (_, frame) => {
    expect(probe(frame)).toBe(1);
    for (let length = 0; length < frame.length; length++)
      expect(probe(frame.subarray(0, length))).toBe(0);
    expect(probe(Uint8Array.of(...frame, 0))).toBe(0);
  });

  it.each(frames.filter(([, frame]) => frame.length < 600))(
    "%s: with any one byte changed",
    (_, frame) => {
      let accepted = 0;
      for (let at = 0; at < frame.length; at++) {
        for (const flip of [0x01, 0x80, 0xff, 0x20, 0x5f]) {
          const corrupt = frame.slice();
          corrupt[at] = (corrupt[at] ?? 0) ^ flip;
          accepted += probe(corrupt);
        }
      }
      expect(accepted).toBeLessThan(frame.length * 5);
    },
  );

  it("several bytes of any message changed", () => {
    const frame = fc.oneof(
      envelopeOf(clusterMessage).map(encodeEnvelope),
      clientMessage.map(encodeClientMessage),
      serverMessage.map(encodeServerMessage),
    );
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(frame, changes, (bytes, bytesChanged) => {
        const corrupt = bytes.slice();
        for (const [at, byte] of bytesChanged) corrupt[at % corrupt.length] = byte;
        probe(corrupt);
      }),
      { numRuns: 3_000 },
    );
  });
});

/** One of each type and of each end of each type. */
const WRONG: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  NaN,
  Infinity,
  -0,
  2 ** 53,
  2 ** 64,
  1_000_000,
  "",
  "N1",
  "\ud800",
  "x".repeat(20_000),
  [],
  [null],
  [[]],
  Array.from({ length: 20_000 }, () => 0),
  {},
  { type: "DONE" },
  new Uint8Array(0),
  Uint8Array.of(0x91, 0xc0),
  new Uint8Array(262_145),
  new ExtData(7, Uint8Array.of(1)),
];

/** Every way to replace one part of `value`, also inside packed bytes, where `unpack` can open them. */
function* replacements(value: unknown): Generator {
  for (const wrong of WRONG) yield wrong;
  if (value instanceof Uint8Array) {
    const inner = unpack(value);
    if (inner !== undefined) for (const changed of replacements(inner)) yield encode(changed);
  } else if (Array.isArray(value)) {
    for (const [i, item] of value.entries())
      for (const changed of replacements(item)) yield value.with(i, changed);
    yield [...(value as unknown[]), null];
    yield value.slice(1);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      for (const changed of replacements(item)) yield { ...value, [name]: changed };
      const { [name]: _, ...without } = value as Record<string, unknown>;
      yield without;
    }
  }
}

function unpack(bytes: Uint8Array): unknown {
  try {
    const value = decode(bytes);
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

describe("types: each part replaced by each wrong value", () => {
  it.each(frames)("%s", (_, frame) => {
    let changed = 0;
    let accepted = 0;
    for (const wire of replacements(decode(frame))) {
      changed++;
      accepted += probe(encode(wire));
    }
    expect(changed).toBeGreaterThan(WRONG.length);
    expect(accepted).toBeLessThan(changed / 2);
  });
});

it("a mutant of the second opinion would notice: a message out of bounds is a violation", () => {
  expect(
    violations({ type: "OPS", seq: -1, ops: [{ key: "k".repeat(513), value: "text" }] }),
  ).toEqual([".seq", ".ops[0].key", ".ops[0].value"]);
});
