/** What a client has not read is bounded, whatever it says; one that reads is never taken for one that does not. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../../src/core/config.ts";
import {
  afterReceipt,
  afterSend,
  fitting,
  isFull,
  NO_FLOW,
  tooSlow,
  type Flow,
} from "../../../src/core/node/flow.ts";
import { stepNode } from "../../../src/core/node/node.ts";
import { initialNode } from "../../../src/core/node/state.ts";
import type { NodeEffect } from "../../../src/core/node/events.ts";
import { Version } from "../../../src/data/ids.ts";
import type { ClientMessage } from "../../../src/protocol/client-messages.ts";
import {
  ENVELOPE_BYTES_MAX,
  NODE_UNREAD_BYTES_MAX,
  SOCKET_STALLED_MS_MAX,
  SOCKET_UNREAD_BYTES_CLOSE,
  SOCKET_UNREAD_BYTES_MAX,
  SOCKET_UNREPORTED_BYTES_MAX,
} from "../../../src/protocol/limits.ts";

const NOW = 1_000;
const says: Flow = { ...NO_FLOW, received: 0 };
const full = afterSend(says, SOCKET_UNREAD_BYTES_MAX + 1, NOW);
const values = { type: "VALUES", seq: 7, values: [] } as const;
const ack = { type: "ACK", seq: 7, exceptions: [] } as const;

describe("a socket", () => {
  it("is full with more than its bound unread, and has room again with the receipt", () => {
    expect(isFull(afterSend(says, SOCKET_UNREAD_BYTES_MAX, NOW))).toBe(false);
    expect(isFull(full)).toBe(true);
    expect(full.stalledSince).toBe(NOW);
    const read = afterReceipt(full, 1, NOW + 5);
    expect({ full: isFull(read), since: read.stalledSince }).toEqual({ full: false, since: null });
  });

  it("that is full is sent every acknowledgement, and in place of values when to ask again", () => {
    expect(fitting(full, ack)).toBe(ack);
    expect(fitting(says, values)).toBe(values);
    expect(fitting(full, values)).toMatchObject({
      type: "ERROR",
      seq: 7,
      error: { code: "OVERLOADED", retry: "later", data: { max: SOCKET_UNREAD_BYTES_MAX } },
    });
  });

  it("with room is not closed by one answer, however large", () => {
    const most = afterSend(says, SOCKET_UNREAD_BYTES_MAX, NOW);
    expect(tooSlow(afterSend(most, ENVELOPE_BYTES_MAX, NOW), NOW, 0)).toBeNull();
  });

  it("is given up beyond its second bound; one that never says what it has, at one of its own", () => {
    const at = (flow: Flow, bytes: number): unknown =>
      tooSlow(afterSend(flow, bytes, NOW), NOW, 0)?.data;
    expect(at(says, SOCKET_UNREAD_BYTES_CLOSE)).toBeUndefined();
    expect(at(says, SOCKET_UNREAD_BYTES_CLOSE + 1)).toMatchObject({ field: "unread bytes" });
    expect(at(NO_FLOW, SOCKET_UNREPORTED_BYTES_MAX)).toBeUndefined();
    expect(at(NO_FLOW, SOCKET_UNREPORTED_BYTES_MAX + 1)).toMatchObject({
      max: SOCKET_UNREPORTED_BYTES_MAX,
    });
  });

  it("that never says what it has is given up sooner where all have too much, and no other is", () => {
    const deep = afterSend(NO_FLOW, SOCKET_UNREAD_BYTES_MAX + 1, NOW);
    expect(tooSlow(deep, NOW, NODE_UNREAD_BYTES_MAX)).toBeNull();
    expect(tooSlow(deep, NOW, NODE_UNREAD_BYTES_MAX + 1)).toMatchObject({
      code: "OVERLOADED",
      data: { field: "bytes unread by all clients", max: NODE_UNREAD_BYTES_MAX },
    });
    const few = afterSend(NO_FLOW, SOCKET_UNREAD_BYTES_MAX, NOW);
    for (const flow of [few, full]) expect(tooSlow(flow, NOW, Infinity)).toBeNull();
  });

  it("is given up when it is full and no receipt of anything new comes for long", () => {
    const late = NOW + SOCKET_STALLED_MS_MAX + 1;
    const deep = afterSend(full, SOCKET_UNREAD_BYTES_MAX, NOW + 1);
    expect(tooSlow(deep, NOW + SOCKET_STALLED_MS_MAX, 0)).toBeNull();
    expect(tooSlow(deep, late, 0)).toMatchObject({ data: { field: "ms without a receipt" } });
    expect(tooSlow(afterReceipt(deep, 0, late - 1), late, 0), "nothing new").not.toBeNull();
    expect(tooSlow(afterReceipt(deep, 9, late - 1), late, 0), "a little").toBeNull();
    expect(tooSlow(says, late, 0), "nothing to read").toBeNull();
  });

  it("has read no more than it was sent, and what it once had it has", () => {
    expect(afterReceipt(full, full.sent + 1, NOW)).toBe(full);
    const half = afterReceipt(full, 500, NOW);
    expect(afterReceipt(half, 499, NOW).received).toBe(500);
  });

  it("of a client that says what it has, when it should, is never full", () => {
    const frames = fc.array(fc.integer({ min: 1, max: SOCKET_UNREAD_BYTES_MAX / 2 }));
    fc.assert(
      fc.property(frames, (sizes) => {
        let flow = says;
        for (const bytes of sizes) {
          flow = afterSend(flow, bytes, NOW);
          expect(isFull(flow)).toBe(false);
          if (flow.sent - (flow.received ?? 0) >= SOCKET_UNREAD_BYTES_MAX / 2)
            flow = afterReceipt(flow, flow.sent, NOW);
        }
      }),
    );
  });
});

describe("a frame from a client", () => {
  const known = { mapVersion: Version(0), viewVersion: Version(0) };
  const session = { clientId: "client", forward: true, ...known };

  function effectsOf(flow: Flow, message: ClientMessage): readonly NodeEffect[] {
    const frames = [{ socket: "one", session, flow, message }];
    return stepNode(initialNode(DEFAULTS), { type: "frames", frames, now: NOW, random: 0 })[1];
  }
  const get: ClientMessage = { type: "GET", seq: 3, keys: [{ map: "m", key: "k" }] };

  it.each([get, { type: "FETCH_MAP" } satisfies ClientMessage])(
    "that asks while its socket is full is refused: %o",
    (message) => {
      const seq = "seq" in message ? message.seq : null;
      expect(effectsOf(full, message)).toMatchObject([
        {
          type: "push",
          socket: "one",
          message: { type: "ERROR", seq, error: { code: "OVERLOADED", retry: "later" } },
        },
      ]);
    },
  );

  it("that makes room brings what is owed of the map, to that socket alone", () => {
    const receipt = { type: "RECEIVED", received: 1 } as const;
    expect(effectsOf({ ...full, owed: true }, receipt)).toEqual([]);
    expect(effectsOf(says, receipt)).toEqual([]);
    expect(effectsOf({ ...says, owed: true }, receipt)).toMatchObject([
      // Of subscriptions, too, whoever holds the socket knows whether it has any; first, or it would be owed still.
      { type: "resync", only: "one" },
      { type: "push-map", only: "one" },
    ]);
  });
});
