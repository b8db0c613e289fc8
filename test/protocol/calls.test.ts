/** Commands for actors and their replies: every bound from both sides, each refused by name. */
import { encode } from "@msgpack/msgpack";
import { describe, expect, it } from "vitest";
import { decodeClientMessage, decodeEnvelope } from "../../src/protocol/codec.ts";
import {
  isChange,
  isQuestion,
  valueBytesIn,
  valueBytesOf,
  type Op,
} from "../../src/protocol/ops.ts";

const RIGHT = [12, "account", "ann", "c-1", 17, Uint8Array.of(1), [["bank", "main"]]] as const;
const PLACES = { map: 1, key: 2, commandId: 3, expectedVersion: 4, command: 5, via: 6 } as const;

const sent = (message: object): Uint8Array =>
  encode({ clusterId: "main", version: 1, term: 1, from: "n1", message });

function forwarded(op: readonly unknown[]): unknown {
  const payload = encode([op]);
  const message = { type: "OP_FORWARD", sourceNodeId: "n1", forwardId: 1, rulings: [], payload };
  const decoded = decodeEnvelope(sent(message));
  return decoded.ok ? "accepted" : decoded.error;
}

const called = (field: keyof typeof PLACES, value: unknown): unknown =>
  forwarded([...RIGHT].with(PLACES[field], value as never));

const outOfBounds = (field: string, value: number, min: number, max: number): object => ({
  code: "OUT_OF_BOUNDS",
  data: expect.objectContaining({
    field: `message.payload[0].${field}`,
    value,
    min,
    max,
  }) as unknown,
});

const bad = (code: string, field: string): object => ({
  code,
  data: { field: `message.payload[0].${field}` },
});

describe("a command", () => {
  it("is taken as it is", () => {
    expect(forwarded(RIGHT)).toBe("accepted");
  });

  it("its id: none, or 1 to 128 bytes of UTF-8", () => {
    for (const id of [null, "c", "c".repeat(128), "é".repeat(64), "😀".repeat(32), "\0"])
      expect(called("commandId", id)).toBe("accepted");
    expect(called("commandId", "")).toMatchObject(outOfBounds("commandId", 0, 1, 128));
    expect(called("commandId", "c".repeat(129))).toMatchObject(
      outOfBounds("commandId", 129, 1, 128),
    );
    expect(called("commandId", "é".repeat(65))).toMatchObject(
      outOfBounds("commandId", 130, 1, 128),
    );
    for (const wrong of [1, true, ["c"], {}, Uint8Array.of(99)])
      expect(called("commandId", wrong)).toMatchObject(bad("MALFORMED", "commandId"));
  });

  it("its id is no text with a lone surrogate", () => {
    const payload = Buffer.from(encode([[...RIGHT].with(PLACES.commandId, "###" as never)]));
    Buffer.from([0xed, 0xa0, 0x80]).copy(payload, payload.indexOf("###"));
    const message = { type: "OP_FORWARD", sourceNodeId: "n1", forwardId: 1, rulings: [], payload };
    expect(decodeEnvelope(sent(message))).toMatchObject({ ok: false, error: { code: "BAD_TEXT" } });
  });

  it("its version: none, or 0 and more", () => {
    for (const version of [null, 0, 1, Number.MAX_SAFE_INTEGER])
      expect(called("expectedVersion", version)).toBe("accepted");
    const max = Number.MAX_SAFE_INTEGER;
    expect(called("expectedVersion", -1)).toMatchObject(outOfBounds("expectedVersion", -1, 0, max));
    expect(called("expectedVersion", 2 ** 53)).toMatchObject({ data: { max } });
    for (const wrong of [1.5, NaN, Infinity, "1", true, []])
      expect(called("expectedVersion", wrong)).toMatchObject(bad("MALFORMED", "expectedVersion"));
  });

  it("what it says: up to 256 KiB, and never nothing", () => {
    const max = 256 * 1_024;
    expect(called("command", new Uint8Array(0))).toBe("accepted");
    expect(called("command", new Uint8Array(max))).toBe("accepted");
    expect(called("command", new Uint8Array(max + 1))).toMatchObject(
      outOfBounds("command", max + 1, 0, max),
    );
    for (const wrong of [null, "text", [1], 1])
      expect(called("command", wrong)).toMatchObject(bad("MALFORMED", "command"));
  });

  it("its actor: as a map and a key", () => {
    expect(called("map", "")).toMatchObject(outOfBounds("map", 0, 1, 128));
    expect(called("map", "m".repeat(129))).toMatchObject(outOfBounds("map", 129, 1, 128));
    expect(called("key", "")).toBe("accepted");
    expect(called("key", "k".repeat(513))).toMatchObject(outOfBounds("key", 513, 0, 512));
  });

  it("is waited for by none, or up to five actors", () => {
    const ann = ["account", "ann"];
    for (const via of [[], [ann], Array.from({ length: 5 }, () => ann)])
      expect(called("via", via)).toBe("accepted");
    const six = Array.from({ length: 6 }, () => ann);
    expect(called("via", six)).toMatchObject(outOfBounds("via", 6, 0, 5));
    for (const wrong of [null, "text", [null], [["account"]], [["", "ann"]], [[...ann, 1]]])
      expect(called("via", wrong)).toMatchObject(bad("MALFORMED", "via"));
  });

  it("has seven parts", () => {
    for (const wrong of [RIGHT.slice(0, 6), [...RIGHT, null], [12]])
      expect(forwarded(wrong)).toMatchObject({
        code: "MALFORMED",
        data: { expected: "[tag, map, key, commandId, expectedVersion, command, via]" },
      });
  });

  it("comes from no client", () => {
    const ops = encode({ type: "OPS", seq: 1, ops: [RIGHT] });
    expect(decodeClientMessage(ops)).toMatchObject({ ok: false });
    const keys = encode({ type: "GET", seq: 1, keys: [RIGHT] });
    expect(decodeClientMessage(keys)).toMatchObject({ ok: false });
  });
});

describe("the reply", () => {
  const answered = (...result: unknown[]): unknown => {
    const decoded = decodeEnvelope(
      sent({ type: "OP_FORWARDED", forwardId: 1, results: [result], notOwned: [] }),
    );
    return decoded.ok ? "accepted" : decoded.error;
  };

  it("has a version and a value", () => {
    const max = 256 * 1_024;
    expect(answered(7, 0, new Uint8Array(max))).toBe("accepted");
    expect(answered(7, Number.MAX_SAFE_INTEGER, new Uint8Array(0))).toBe("accepted");
    for (const wrong of [
      [7],
      [7, 1],
      [7, -1, new Uint8Array(1)],
      [7, 1.5, new Uint8Array(1)],
      [7, null, new Uint8Array(1)],
      [7, 1, null],
      [7, 1, "text"],
      [7, 1, new Uint8Array(max + 1)],
      [7, 1, new Uint8Array(1), null],
      [8, 1, new Uint8Array(1)],
    ])
      expect(answered(...wrong)).toMatchObject({ data: { field: expect.anything() as unknown } });
  });
});

describe("what counts where commands wait", () => {
  const command = new Uint8Array(7);
  const call: Op = {
    type: "call",
    map: "account",
    key: "ann",
    commandId: null,
    expectedVersion: null,
    command,
  };

  it("is the command, and the value of the reply", () => {
    expect(valueBytesOf(call)).toBe(7);
    expect(valueBytesIn({ type: "reply", version: 1, value: command })).toBe(7);
  });

  it("is neither a change of rows nor a question about them", () => {
    expect([isChange(call), isQuestion(call)]).toEqual([false, false]);
  });
});
