/** A client that has subscribed, at a node that says what a test says. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect, type EntryChange, type Grid, type Options } from "godwit/client";
import { TOLD_MS_MAX } from "../../src/client/subscription-limits.ts";
import { Epoch, PartitionId, Seq } from "../../src/data/ids.ts";
import type { Stamp } from "../../src/data/hlc.ts";
import type {
  ClientMessage,
  ClientWrite,
  ServerMessage,
} from "../../src/protocol/client-messages.ts";
import { encodeJson } from "../../src/protocol/values.ts";
import { ScriptedNode } from "./scripted-node.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = async (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

interface Scene {
  readonly node: ScriptedNode;
  readonly grid: Grid;
  readonly changes: EntryChange<number>[];
  /** Told: an entry, or that it is gone. */
  readonly tell: (key: string, stamp: Stamp, value: number | null) => void;
}

const by = (millis: number, node = "other"): Stamp => ({ millis, counter: 0, node });

async function following(options: Options = {}): Promise<Scene> {
  const node = new ScriptedNode();
  node.answer = ackOf;
  const connecting = connect("http://localhost", { WebSocket: node.make, ...options });
  await pass();
  const grid = await connecting;
  const changes: EntryChange<number>[] = [];
  const subscription = grid.map<number>("m").subscribe((some) => void changes.push(...some));
  await vi.waitFor(() => expect(node.last("SUBSCRIBE")).toBeDefined());
  node.say({ type: "SYNCED", id: 1 });
  await subscription.synced;
  const tell = (key: string, stamp: Stamp, value: number | null): void => {
    const position = { since: Epoch(1), seq: Seq(1) };
    const row = {
      key,
      kind: "lww",
      sub: "",
      stamp,
      value: bytesOf(value),
      expiresAt: null,
    } as const;
    const part = { partitionId: PartitionId(0), position, replaces: null, rows: [row] };
    node.say({ type: "CHANGES", id: 1, parts: [part] });
  };
  return { node, grid, changes, tell };
}

function bytesOf(value: number | null): Uint8Array | null {
  const bytes = value === null ? null : encodeJson(value, "value");
  return bytes && (bytes.ok ? bytes.value : expect.fail("no value"));
}

const ackOf = (message: ClientMessage): ServerMessage | null =>
  message.type === "OPS" ? { type: "ACK", seq: message.seq, exceptions: [] } : null;

function lastWrite(node: ScriptedNode): ClientWrite {
  const op = node.last("OPS")?.ops.at(-1);
  return op && !op.type ? op : expect.fail("nothing was written");
}

describe("a client that follows a map", () => {
  it("shows a write that is superseded until it is told what stands", async () => {
    const { node, grid, changes, tell } = await following();
    const newer = by(Date.now() + 50);
    node.answer = (message) =>
      message.type === "OPS"
        ? {
            type: "ACK",
            seq: message.seq,
            exceptions: [{ index: 0, result: { type: "superseded", stamp: newer } }],
          }
        : null;
    expect(await grid.map<number>("m").set("k", 1)).toEqual({ superseded: true });
    await pass(100);
    tell("k", newer, 2);
    await pass();
    expect(changes.map(({ value }) => value)).toEqual([1, 2]);
  });

  it("writes over what it was told, whoever's clock is ahead", async () => {
    const { node, grid, tell } = await following();
    const ahead = by(Date.now() + 900);
    tell("k", ahead, 1);
    await grid.map<number>("m").set("k", 2);
    const { millis, counter } = lastWrite(node).stamp;
    expect([millis, counter]).toEqual([ahead.millis, ahead.counter + 1]);
    tell("gone", by(Date.now() + 950), null);
    await grid.map<number>("m").set("gone", 2);
    expect(lastWrite(node).stamp.millis).toBe(Date.now() + 950);
  });

  it("asks the owner of an own write that nobody tells, and believes it", async () => {
    const { node, grid, changes } = await following();
    await grid.map<number>("m").set("k", 1);
    await pass(TOLD_MS_MAX - 100);
    expect(node.last("GET")).toBeUndefined();
    node.answer = (message) =>
      message.type === "GET"
        ? {
            type: "VALUES",
            seq: message.seq,
            values: [{ type: "value", value: null, stamp: null }],
          }
        : null;
    await pass(200);
    expect(node.last("GET")?.keys).toEqual([{ map: "m", key: "k" }]);
    expect(changes.map(({ value }) => value)).toEqual([1, undefined]);
    await pass(5 * TOLD_MS_MAX);
    expect(node.heard.filter(({ type }) => type === "GET")).toHaveLength(1);
  });

  it("asks about nothing while it is not connected", async () => {
    const { node, grid } = await following();
    await grid.map<number>("m").set("k", 1);
    node.cut();
    await pass(5 * TOLD_MS_MAX);
    expect(grid.status()).toMatchObject({ state: "offline", pending: 0 });
  });

  it("leaves half of the outbox to its application", async () => {
    const { node, grid } = await following({ outboxMax: 20, answerMs: 1_000_000 });
    const map = grid.map<number>("m");
    await Promise.all(Array.from({ length: 20 }, async (_, n) => map.set(`k${n}`, n)));
    node.answer = () => null;
    await pass(3 * TOLD_MS_MAX);
    expect(grid.status().pending).toBe(10);
    const writes = Array.from({ length: 10 }, async (_, n) => map.set(`l${n}`, n));
    expect(grid.status().pending).toBe(20);
    grid.close();
    await expect(Promise.all(writes)).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("shows a write under the stamp that it got when the nodes' clock was heard", async () => {
    const { node, grid, changes, tell } = await following();
    node.cut();
    await pass();
    const write = grid.map<number>("m").set("k", 1);
    node.aheadMs = 3_600_000;
    node.isUp = true;
    await pass(10_000);
    await write;
    expect(lastWrite(node).stamp.millis).toBeGreaterThan(Date.now() + 1_800_000);
    tell("k", by(Date.now() + 1_800_000), 5);
    await pass();
    expect(changes.map(({ value }) => value)).toEqual([1]);
  });
});
