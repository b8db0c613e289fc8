/** Every bound from both sides, each refused by name. */
import { encode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { checkKey, checkNodeId, checkValue } from "../../src/protocol/checks.ts";
import {
  decodeClientMessage,
  decodeEnvelope,
  decodeServerMessage,
  encodeClientMessage,
} from "../../src/protocol/codec.ts";
import type { ErrorInfo } from "../../src/protocol/errors.ts";

const stampAndRest = [1_700_000_000_000, 0, "c-1", Uint8Array.of(1), null] as const;
const opOf = (map: unknown, key: unknown): unknown[] => [map, key, ...stampAndRest];
const opWith = (index: number, field: unknown): unknown[] =>
  opOf("users", "user:1").with(index, field);
const frame = (ops: readonly unknown[], seq: unknown = 7): Uint8Array =>
  encode({ type: "OPS", seq, ops });

/** The error of a frame that must be refused by its `seq`. */
function refusal(bytes: Uint8Array): ErrorInfo {
  const decoded = decodeClientMessage(bytes);
  if (decoded.ok) throw new Error("accepted");
  expect(decoded.error.seq).toBe(7);
  return decoded.error.error;
}

const isAccepted = (bytes: Uint8Array): boolean => decodeClientMessage(bytes).ok;

const outOfBounds = (field: string, value: number, min: number, max: number): object => ({
  code: "OUT_OF_BOUNDS",
  data: expect.objectContaining({ field, value, min, max }) as unknown,
});

describe("key", () => {
  it.each([
    ["of one byte each", "k".repeat(512), "k".repeat(513), 513],
    ["of two bytes each", "é".repeat(256), "é".repeat(256) + "k", 513],
    ["of three", "日".repeat(170) + "kk", "日".repeat(171), 513],
    ["of four", "😀".repeat(128), "😀".repeat(128) + "k", 513],
    ["far too long", "", "k".repeat(900_000), 900_000],
  ])("%s", (_, fits, tooLong, bytes) => {
    expect(isAccepted(frame([opOf("users", fits)]))).toBe(true);
    const error = refusal(frame([opOf("users", "a"), opOf("users", tooLong)]));
    expect(error).toMatchObject(outOfBounds("ops[1].key", bytes, 0, 512));
    expect(error.message).toBe(`ops[1].key is ${bytes} bytes, must be 0 to 512`);
    expect(checkKey("users", fits)).toBeNull();
    expect(checkKey("users", tooLong)).toMatchObject(outOfBounds("key", bytes, 0, 512));
  });

  it("may be empty, a map's name may not", () => {
    expect(isAccepted(frame([opOf("m", "")]))).toBe(true);
    expect(refusal(frame([opOf("", "k")]))).toMatchObject(outOfBounds("ops[0].map", 0, 1, 128));
    expect(checkKey("", "k")).toMatchObject(outOfBounds("map", 0, 1, 128));
  });
});

it("name of a map", () => {
  expect(isAccepted(frame([opOf("m".repeat(128), "k")]))).toBe(true);
  expect(isAccepted(frame([opOf("é".repeat(64), "k")]))).toBe(true);
  expect(refusal(frame([opOf("m".repeat(129), "k")]))).toMatchObject(
    outOfBounds("ops[0].map", 129, 1, 128),
  );
  expect(refusal(frame([opOf("é".repeat(64) + "m", "k")]))).toMatchObject(
    outOfBounds("ops[0].map", 129, 1, 128),
  );
});

it("value", () => {
  const max = 256 * 1_024;
  expect(isAccepted(frame([opWith(5, new Uint8Array(max))]))).toBe(true);
  expect(isAccepted(frame([opWith(5, new Uint8Array(0))]))).toBe(true);
  expect(isAccepted(frame([opWith(5, null)]))).toBe(true);
  const error = refusal(frame([opWith(5, new Uint8Array(max + 1))]));
  expect(error).toMatchObject(outOfBounds("ops[0].value", max + 1, 0, max));
  expect(refusal(frame([opWith(5, "text")]))).toMatchObject({
    code: "MALFORMED",
    data: { field: "ops[0].value" },
  });
  expect(checkValue(new Uint8Array(max))).toBeNull();
  expect(checkValue(null)).toBeNull();
  expect(checkValue(new Uint8Array(max + 1))).toMatchObject(outOfBounds("value", max + 1, 0, max));
});

it("operations in a frame, and keys", () => {
  const op = opOf("m", "k");
  expect(isAccepted(frame(Array.from({ length: 1_000 }, () => op)))).toBe(true);
  const tooMany = { code: "TOO_MANY_OPS", data: { ops: 1_001, opsMax: 1_000 } };
  expect(refusal(frame(Array.from({ length: 1_001 }, () => op)))).toMatchObject(tooMany);
  const keys = (length: number): Uint8Array =>
    encode({ type: "GET", seq: 7, keys: Array.from({ length }, () => ["m", "k"]) });
  expect(isAccepted(keys(1_000))).toBe(true);
  expect(refusal(keys(1_001))).toMatchObject(tooMany);
  expect(isAccepted(callsOf(Array.from({ length: 1_000 }, () => CALL)))).toBe(true);
  expect(refusal(callsOf(Array.from({ length: 1_001 }, () => CALL)))).toMatchObject(tooMany);
});

const CALL = ["counter", "k", "c-1.1", null, new Uint8Array(1)];
const callsOf = (calls: readonly unknown[]): Uint8Array => encode({ type: "CALL", seq: 7, calls });

it("calls", () => {
  const call = (at: number, part: unknown): Uint8Array =>
    callsOf([CALL.map((own, i) => (i === at ? part : own))]);
  expect(isAccepted(call(2, "i".repeat(128)))).toBe(true);
  expect(refusal(call(2, "i".repeat(129)))).toMatchObject(
    outOfBounds("calls[0].commandId", 129, 1, 128),
  );
  expect(refusal(call(2, ""))).toMatchObject(outOfBounds("calls[0].commandId", 0, 1, 128));
  expect(isAccepted(call(2, null))).toBe(true);
  expect(refusal(call(3, -1))).toMatchObject({ data: { field: "calls[0].expectedVersion" } });
  expect(refusal(call(4, null))).toMatchObject({
    code: "MALFORMED",
    data: { field: "calls[0].command" },
  });
  expect(refusal(callsOf([CALL.slice(0, 4)]))).toMatchObject({ data: { field: "calls[0]" } });
});

it("bytes of a frame: refused by name although it is not read", () => {
  const filled = (bytes: number): Uint8Array => {
    const values = Array.from({ length: 4 }, () => opWith(5, new Uint8Array(256 * 1_024 - 200)));
    const rest = bytes - frame([...values, opWith(5, new Uint8Array(300))]).length + 300;
    return frame([...values, opWith(5, new Uint8Array(rest))]);
  };
  expect(filled(2 ** 20)).toHaveLength(2 ** 20);
  expect(isAccepted(filled(2 ** 20))).toBe(true);
  const over = { code: "FRAME_TOO_LARGE", data: { bytes: 2 ** 20 + 1, bytesMax: 2 ** 20 } };
  expect(refusal(filled(2 ** 20 + 1))).toMatchObject(over);
  const ops = Array.from({ length: 8 }, () => opWith(5, new Uint8Array(256 * 1_024)));
  expect(refusal(frame(ops))).toMatchObject({ code: "FRAME_TOO_LARGE" });
});

it("the answer to a frame that is cut short still names it, if the frame did so early", () => {
  const whole = frame([opOf("m", "k")]);
  expect(refusal(whole.subarray(0, whole.length - 1)).code).toBe("MALFORMED");
  expect(decodeClientMessage(whole.subarray(0, 4))).toMatchObject({ error: { seq: null } });
  expect(decodeClientMessage(frame([], -1))).toMatchObject({ error: { seq: null } });
});

describe("stamp", () => {
  it.each([
    [2, "millis", 0, 2 ** 48 - 1],
    [3, "counter", 0, 65_535],
    [6, "expiresAt", 0, 2 ** 48 - 1],
  ])("field %i, %s", (index, name, min, max) => {
    expect(isAccepted(frame([opWith(index, min)]))).toBe(true);
    expect(isAccepted(frame([opWith(index, max)]))).toBe(true);
    expect(refusal(frame([opWith(index, min - 1)]))).toMatchObject(
      outOfBounds(`ops[0].${name}`, min - 1, min, max),
    );
    expect(refusal(frame([opWith(index, max + 1)]))).toMatchObject(
      outOfBounds(`ops[0].${name}`, max + 1, min, max),
    );
    for (const wrong of [1.5, NaN, Infinity, "1", true])
      expect(refusal(frame([opWith(index, wrong)]))).toMatchObject({
        code: "MALFORMED",
        data: { field: `ops[0].${name}`, expected: "an integer" },
      });
  });

  it("node", () => {
    expect(isAccepted(frame([opWith(4, "A-z_0.9".padEnd(64, "x"))]))).toBe(true);
    for (const wrong of ["", "x".repeat(65), "a b", "a:b", "é", null, 1])
      expect(refusal(frame([opWith(4, wrong)]))).toMatchObject({
        code: "MALFORMED",
        data: { field: "ops[0].node" },
      });
  });
});

describe("a lone surrogate is refused, never another key", () => {
  const lone = [
    "\ud800",
    "a\udc00",
    "\udfff\ud800",
    `${"k".repeat(100)}\ud800`,
    `\ud83d${"k".repeat(300)}`,
  ];

  it.each(lone)("%j sent by a careless client", (key) => {
    // Either form in which encoders write it: its three bytes, or those of U+FFFD's neighbour.
    const bytes = Buffer.concat(
      Array.from(key, (character) => {
        const unit = character.charCodeAt(0);
        return character.isWellFormed()
          ? Buffer.from(character)
          : Buffer.from([0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f)]);
      }),
    );
    const mark = "#".repeat(bytes.length);
    const sent = Buffer.from(frame([opOf("users", "a"), opOf("users", mark)]));
    bytes.copy(sent, sent.indexOf(mark));
    expect(refusal(sent)).toMatchObject({ code: "BAD_TEXT", data: { field: "ops[1].key" } });
  });

  it.each(lone)("%j is not encoded", (key) => {
    const stamp = { millis: 1, counter: 0, node: "c-1" };
    const ops = [{ map: "users", key, stamp, value: null, expiresAt: null }];
    expect(() => encodeClientMessage({ type: "OPS", seq: 1, ops })).toThrow("texts are checked");
    expect(() =>
      encodeClientMessage({ type: "GET", seq: 1, keys: [{ map: key, key: "" }] }),
    ).toThrow("texts");
    expect(checkKey("users", key)).toMatchObject({ code: "BAD_TEXT", data: { field: "key" } });
    expect(checkKey(key, "k")).toMatchObject({ code: "BAD_TEXT", data: { field: "map" } });
  });

  it("a byte order mark is part of a key, and two keys that differ in it stay two", () => {
    const key = "\ufeff" + "k".repeat(300);
    expect(decodeClientMessage(frame([opOf("users", key)]))).toMatchObject({
      value: { ops: [{ key }] },
    });
  });
});

describe("version, before anything else is looked at", () => {
  const envelope = (version: unknown): Uint8Array =>
    encode({ clusterId: "Not A Name", version, term: -1, from: 0, message: { type: "NEWS" } });
  const hello = (version: unknown): Uint8Array => encode({ type: "HELLO", version, cluster: 5 });

  it.each([0, 2, 1_000, -1])("%i is not spoken", (version) => {
    const mismatch = { code: "PROTOCOL_VERSION_MISMATCH", data: { expected: 1, got: version } };
    expect(decodeEnvelope(envelope(version))).toMatchObject({ ok: false, error: mismatch });
    expect(decodeClientMessage(hello(version))).toMatchObject({
      ok: false,
      error: { error: mismatch },
    });
    expect(decodeServerMessage(encode({ type: "WELCOME", version }))).toMatchObject({
      ok: false,
      error: mismatch,
    });
  });

  it.each([null, "1", 1.5, undefined])("%j is no version", (version) => {
    const malformed = { code: "MALFORMED", data: { field: "version" } };
    expect(decodeEnvelope(envelope(version))).toMatchObject({ ok: false, error: malformed });
    expect(decodeClientMessage(hello(version))).toMatchObject({
      ok: false,
      error: { error: malformed },
    });
  });
});

describe("between objects", () => {
  const sent = (message: unknown): Uint8Array =>
    encode({ clusterId: "main", version: 1, term: 1, from: "n1", message });
  const rowOf = (key: string): unknown[] => [key, "", 1, 0, "n1.1", null, null];
  const chunk = (rows: number): object => ({
    mapName: "m",
    mapType: "lww",
    data: encode(Array.from({ length: rows }, () => rowOf("k"))),
  });
  const data = (mapStates: readonly object[], deltaOps: readonly unknown[] = []): Uint8Array =>
    sent({
      type: "MIGRATE_DATA",
      partitionId: 0,
      streamId: 1,
      n: 0,
      epoch: 1,
      mapStates,
      deltaOps,
      sourceVersion: 1,
      marker: false,
    });
  const errorOf = (bytes: Uint8Array): unknown => {
    const decoded = decodeEnvelope(bytes);
    return decoded.ok ? "accepted" : decoded.error;
  };

  it("8 MiB in a message", () => {
    const over = {
      code: "FRAME_TOO_LARGE",
      data: { bytes: 8 * 2 ** 20 + 1, bytesMax: 8 * 2 ** 20 },
    };
    expect(errorOf(new Uint8Array(8 * 2 ** 20 + 1))).toMatchObject(over);
    expect(decodeServerMessage(new Uint8Array(8 * 2 ** 20 + 1))).toMatchObject({ error: over });
  });

  it("4,096 scanned rows in a message, over all its chunks, and 32,768 changed ones", () => {
    expect(errorOf(data([chunk(4_000), chunk(96)]))).toBe("accepted");
    expect(errorOf(data([chunk(4_000), chunk(97)]))).toMatchObject({
      code: "OUT_OF_BOUNDS",
      data: { field: "message.mapStates[1].data", value: 97, max: 96 },
    });
    const delta = { mapName: "m", key: "k", entry: ["lww", "", 1, 0, "n1.1", null, null] };
    const deltas = (length: number): unknown[] => Array.from({ length }, () => delta);
    expect(errorOf(data([], deltas(32_768)))).toBe("accepted");
    expect(errorOf(data([], deltas(32_769)))).toMatchObject({
      data: { field: "message.deltaOps", max: 32_768 },
    });
  });

  it("names the row and its field, however deep it is packed", () => {
    const long = encode([rowOf("k"), rowOf("k".repeat(513))]);
    expect(errorOf(data([chunk(1), { mapName: "m", mapType: "lww", data: long }]))).toMatchObject(
      outOfBounds("message.mapStates[1].data[1].key", 513, 0, 512),
    );
    const bad = { mapName: "m", key: "k", entry: ["lww", "", 1, 65_536, "n1.1", null, null] };
    expect(errorOf(data([], [bad]))).toMatchObject(
      outOfBounds("message.deltaOps[0].entry.counter", 65_536, 0, 65_535),
    );
    const payload = encode([[2, "m", "k", 1, 0, "n1.1", null, -5]]);
    const forward = {
      type: "OP_FORWARD",
      sourceNodeId: "front",
      forwardId: 1,
      rulings: [],
      payload,
    };
    expect(errorOf(sent(forward))).toMatchObject(
      outOfBounds("message.payload[0].expiresAt", -5, 0, 2 ** 48 - 1),
    );
  });

  it.each([
    ["ADD_NODES count", { type: "ADD_NODES", region: "", weight: 1 }, "count", 1, 100],
    ["ADD_NODES weight", { type: "ADD_NODES", region: "", count: 1 }, "weight", 1, 100],
    [
      "SCAN limit",
      { type: "SCAN", partitionIds: [], map: "m", prefix: "", after: null },
      "limit",
      1,
      1_000,
    ],
    ["partition id", { type: "ASK_RULING" }, "partitionId", 0, 16_383],
  ])("%s", (...[, message, field, min, max]) => {
    expect(errorOf(sent({ ...message, [field]: min }))).toBe("accepted");
    expect(errorOf(sent({ ...message, [field]: max }))).toBe("accepted");
    expect(errorOf(sent({ ...message, [field]: min - 1 }))).toMatchObject(
      outOfBounds(`message.${field}`, min - 1, min, max),
    );
    expect(errorOf(sent({ ...message, [field]: max + 1 }))).toMatchObject(
      outOfBounds(`message.${field}`, max + 1, min, max),
    );
  });

  it("a node has neither the coordinator's name nor the front's", () => {
    const drain = (nodeId: unknown): unknown => errorOf(sent({ type: "DRAIN_NODE", nodeId }));
    for (const good of ["n1", "a".repeat(32), "-"]) {
      expect(drain(good)).toBe("accepted");
      expect(checkNodeId(good)).toBeNull();
    }
    for (const bad of ["coordinator", "front", "", "N1", "a".repeat(33), "é", "n_1"]) {
      expect(drain(bad)).toMatchObject({ code: "MALFORMED", data: { field: "message.nodeId" } });
      expect(checkNodeId(bad)).toMatchObject({ code: "MALFORMED", data: { field: "nodeId" } });
    }
  });

  it("what is not known is named", () => {
    for (const type of ["NEWS", "toString", "__proto__", "constructor", ""])
      expect(errorOf(sent({ type }))).toMatchObject({ code: "UNKNOWN_MESSAGE", data: { type } });
    expect(errorOf(sent({ type: "x".repeat(5_000) }))).toMatchObject({ code: "UNKNOWN_MESSAGE" });
    expect(errorOf(sent({}))).toMatchObject({ code: "MALFORMED", data: { field: "message.type" } });
    expect(errorOf(sent([]))).toMatchObject({ code: "MALFORMED", data: { field: "message" } });
    expect(errorOf(sent({ type: "DROPPED", partitionId: 1, epoch: 1 }))).toMatchObject({
      message: "message.nodeId must be present",
    });
  });

  it("a heartbeat without importing and migrating means none", () => {
    const heartbeat = {
      type: "HEARTBEAT",
      senderId: "n1",
      timestampMs: 1,
      incarnation: 1,
      membersViewVersion: 1,
      tableVersion: 1,
      beat: 1,
      dormant: false,
      suspectedNodes: [],
    };
    expect(decodeEnvelope(sent(heartbeat))).toMatchObject({
      value: { message: { ...heartbeat, importing: [], migrating: [] } },
    });
  });

  it("fields that this version does not know are left out", () => {
    const decoded = decodeEnvelope(sent({ type: "DONE", later: [1, "\ud800"] }));
    expect(decoded).toMatchObject({ ok: true, value: { message: { type: "DONE" } } });
    expect(decoded.ok && Object.keys(decoded.value.message)).toEqual(["type"]);
  });
});

describe("results where they make no sense", () => {
  const stored = [0, 1, 0, "n1.1"];

  it("an exception says what an op became instead of stored", () => {
    const ack = (result: unknown): Uint8Array =>
      encode({ type: "ACK", seq: 1, exceptions: [[0, result]] });
    expect(decodeServerMessage(ack(stored.with(0, 1)))).toMatchObject({ ok: true });
    for (const wrong of [stored, [3, null], [5], [], [1, 1, 0]])
      expect(decodeServerMessage(ack(wrong))).toMatchObject({
        ok: false,
        error: { code: "MALFORMED" },
      });
  });

  it("a read is not stored", () => {
    const values = (result: unknown): Uint8Array =>
      encode({ type: "VALUES", seq: 1, values: [result] });
    expect(decodeServerMessage(values([3, null]))).toMatchObject({ ok: true });
    expect(decodeServerMessage(values(stored))).toMatchObject({
      error: { message: "values[0] must be the result of a read" },
    });
  });
});
