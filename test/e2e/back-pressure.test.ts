/** Clients that do not read and copies that do not answer: memory stays bounded, and nothing is dropped in silence. */
import { encode } from "@msgpack/msgpack";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ClusterId } from "../../src/data/ids.ts";
import type { PartitionMapPayload } from "../../src/data/members.ts";
import type {
  ClientMessage,
  ClientWrite,
  ServerMessage,
} from "../../src/protocol/client-messages.ts";
import {
  CREDIT_FRAMES,
  NODE_UNREAD_BYTES_MAX,
  SOCKET_UNREAD_BYTES_CLOSE,
  SOCKET_UNREAD_BYTES_MAX,
  SOCKET_UNREPORTED_BYTES_MAX,
} from "../../src/protocol/limits.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/version.ts";
import { Client, opOf } from "./client.ts";
import { follow, timeless } from "./followed.ts";
import { fill, Grid } from "./grid.ts";
import { keysIn } from "./partition-writer.ts";
import { SlowReader } from "./slow-reader.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 32;
const PARTITION = 5;
const MIB = 2 ** 20;
/** Beside what the bound allows: what the engine has not collected yet, and the copies that the platform makes. */
const SLACK_BYTES = 80 * MIB;

/** 3 MB in one answer. */
const big = keysIn(PARTITION, PARTITIONS, { prefix: "big", count: 150 });
const bigKeys = big.map((key) => ({ map: "big", key }));
const HELLO = {
  type: "HELLO",
  version: PROTOCOL_VERSION,
  cluster: ClusterId("main"),
  forward: true,
} as const;

let grid: Grid;
let owner: string;
const slows: SlowReader[] = [];

beforeAll(async () => {
  grid = await Grid.start({ nodes: 3, partitions: PARTITIONS });
  owner = await grid.ownerOf(PARTITION);
  await fill(grid.api, "big", { keys: big, value: "v".repeat(20_000) });
}, 60_000);
afterAll(() => grid.stop());
afterEach(() => {
  for (const slow of slows.splice(0)) slow.end();
});

async function until(is: () => boolean, what: string): Promise<void> {
  for (const began = Date.now(); !is(); await pause(5))
    if (Date.now() - began > 10_000) throw new Error(`${what} does not come`);
}

/** `says`: it gives receipts, when it is told to. */
async function greeted(clientId: string, says = true): Promise<SlowReader> {
  const slow = new SlowReader(grid.api.base, `?node=${owner}`);
  slows.push(slow);
  slow.send({ ...HELLO, clientId, ...(says && { received: 0 }) });
  await until(() => slow.received[0]?.type === "WELCOME", "a welcome");
  return slow;
}

const receipt = (slow: SlowReader): void =>
  slow.send({ type: "RECEIVED", received: slow.receivedBytes });

const get = (slow: SlowReader, seq: number): void => slow.send({ type: "GET", seq, keys: bigKeys });

const seqOf = (message: ServerMessage): number | null => ("seq" in message ? message.seq : null);

const overloaded = (field: string, max: number): object => ({
  error: { code: "OVERLOADED", retry: "later", data: { field, max } },
});

/** Writes while something else happens, and a while after. Returns by how much workerd grew. */
async function besides(happens: () => Promise<void>): Promise<number> {
  const client = await Client.open(grid.api.base, `?node=${owner}`);
  await client.hello(true, "besides");
  const before = grid.memoryBytes();
  let [grewBytes, acks] = [0, 0];
  const state = { over: false };
  const other = happens()
    .then(() => pause(300))
    .finally(() => (state.over = true));
  for (let seq = 0; !state.over; seq++) {
    client.send({ type: "OPS", seq, ops: [opOf(`besides${seq}`, encode(seq), "besides", seq)] });
    expect((await client.next("ACK")).exceptions).toEqual([]);
    acks++;
    grewBytes = Math.max(grewBytes, grid.memoryBytes() - before);
    await pause(20);
  }
  await other;
  client.socket.close();
  expect(acks, "others go on").toBeGreaterThan(1);
  return grewBytes;
}

describe("a client that asks on and on and does not read", () => {
  it("gets values as far as there is room, an answer to everything, and values again once it has read", async () => {
    const slow = await greeted("asks");
    slow.stopReading();
    const asked = 200;
    const grewBytes = await besides(async () => {
      for (let seq = 1; seq <= asked; seq++) {
        get(slow, seq);
        await pause(2);
      }
    });
    expect(grewBytes).toBeLessThan(SLACK_BYTES);
    slow.readOn();
    await until(() => slow.received.length > asked, "an answer to each");
    const answers = slow.received.slice(1);
    expect(answers.map(seqOf).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: asked }, (_, i) => i + 1),
    );
    const [values = [], errors = []] = ["VALUES", "ERROR"].map((type) =>
      answers.filter((message) => message.type === type),
    );
    expect({ values: values.length, errors: errors.length }).toEqual({ values: 1, errors: 199 });
    for (const error of errors)
      expect(error).toMatchObject(overloaded("unread bytes", SOCKET_UNREAD_BYTES_MAX));
    receipt(slow);
    get(slow, 999);
    await until(() => slow.received.length > asked + 1, "an answer");
    expect(slow.received.at(-1)).toMatchObject({ type: "VALUES", seq: 999 });
    expect(slow.closed).toBeNull();
  });

  it("and never says what it has is closed after its bound, with the reason and 1013", async () => {
    const slow = await greeted("says-nothing", false);
    slow.stopReading();
    const asked = 100; // 300 MB
    const grewBytes = await besides(async () => {
      for (let seq = 1; seq <= asked; seq++) {
        get(slow, seq);
        await pause(10);
      }
    });
    expect(grewBytes).toBeLessThan(SOCKET_UNREPORTED_BYTES_MAX + SLACK_BYTES);
    slow.readOn();
    await until(() => slow.closed !== null, "the end");
    expect(slow.closed).toEqual({ code: 1013, reason: "too slow: connect again in 1000 ms" });
    expect(slow.receivedBytes).toBeLessThan(SOCKET_UNREPORTED_BYTES_MAX + 1_000);
    expect(slow.received.at(-1)).toMatchObject(
      overloaded("unread bytes", SOCKET_UNREPORTED_BYTES_MAX),
    );
  });
});

describe("several clients that ask on and on, do not read, and say nothing", () => {
  it("are closed while each is within its own bound; who says what it has is served on", async () => {
    const reader = await greeted("reads-beside");
    const many: SlowReader[] = [];
    for (let n = 0; n < 5; n++) many.push(await greeted(`silent${n}`, false));
    for (const slow of many) slow.stopReading();
    const each = 9; // 27 MB each, 135 MB in all
    const grewBytes = await besides(async () => {
      for (const slow of many)
        for (let seq = 1; seq <= each; seq++) {
          get(slow, seq);
          await pause(20);
        }
    });
    expect(grewBytes).toBeLessThan(NODE_UNREAD_BYTES_MAX + SLACK_BYTES);
    reader.send({ type: "GET", seq: 1, keys: bigKeys, received: reader.receivedBytes });
    await until(() => reader.received.length > 1, "an answer");
    expect(reader.received.at(-1)?.type).toBe("VALUES");
    for (const slow of many) slow.readOn();
    await until(() => many.filter(({ closed }) => closed).length >= 3, "the end of those beyond");
    const gone = many.filter(({ closed }) => closed);
    expect(gone.map(({ closed }) => closed?.code)).toEqual(gone.map(() => 1013));
    for (const { received } of gone)
      expect(received.at(-1)).toMatchObject(
        overloaded("bytes unread by all clients", NODE_UNREAD_BYTES_MAX),
      );
    const bytes = many.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    expect(bytes).toBeLessThan(NODE_UNREAD_BYTES_MAX + many.length * 4 * MIB);
    expect(reader.closed).toBeNull();
  });
});

describe("a client that reads, and says so with each question", () => {
  it("is refused nothing, and gets more than any socket may have unread, over hibernation too", async () => {
    const reader = await greeted("reads");
    for (let seq = 1; seq <= 12; seq++) {
      if (seq === 6) expect(await grid.evict(owner)).toBe(true);
      reader.send({ type: "GET", seq, keys: bigKeys, received: reader.receivedBytes });
      await until(() => reader.received.length > seq, "an answer");
      expect(reader.received.at(-1)).toMatchObject({ type: "VALUES", seq });
    }
    expect(reader.receivedBytes).toBeGreaterThan(SOCKET_UNREPORTED_BYTES_MAX);
    expect(reader.closed).toBeNull();
  });
});

describe("a client that writes on and on and does not read", () => {
  const node = "writes";
  const keys = keysIn(PARTITION, PARTITIONS, { prefix: "written", count: 120 });
  const day = 86_400_000;
  /** One write, and so many from tomorrow, each of which is refused in words: a long answer. */
  const frames = keys.map((key, seq): readonly ClientWrite[] => {
    const good = opOf(key, encode(seq), node, seq);
    const late = { ...good, key: "late", stamp: { ...good.stamp, millis: Date.now() + day } };
    return [good, ...Array.from({ length: 999 }, () => late)];
  });

  it("is closed with 1013; what it had been told is stored is, and the rest is when it comes again", async () => {
    const slow = await greeted(node);
    slow.stopReading();
    const grewBytes = await besides(async () => {
      const other = await Client.open(grid.api.base, `?node=${owner}`);
      await other.hello(true, "other");
      for (const [seq, ops] of frames.entries()) {
        slow.send({ type: "OPS", seq, ops });
        // Within its credit: by then that frame has had its turn.
        other.send({ type: "GET", seq, keys: [{ map: "ws", key: "late" }] });
        await other.next("VALUES");
      }
      other.socket.close();
    });
    expect(grewBytes).toBeLessThan(SOCKET_UNREAD_BYTES_CLOSE + SLACK_BYTES);
    slow.readOn();
    await until(() => slow.closed !== null, "the end");
    expect(slow.closed?.code).toBe(1013);
    expect(slow.received.at(-1)).toMatchObject(
      overloaded("unread bytes", SOCKET_UNREAD_BYTES_CLOSE),
    );
    const acked = ackedIn(slow.received);
    expect(acked.size).toBeGreaterThan(10);
    expect(acked.size).toBeLessThan(frames.length);
    const stored = await grid.api.entries("ws");
    for (const seq of acked) expect(stored.get(keys[seq] ?? "")).toBe(seq);

    const again = await greeted(node);
    for (const [seq, [good]] of frames.entries())
      if (good && !acked.has(seq)) again.send({ type: "OPS", seq, ops: [good] });
    await until(() => acked.size + ackedIn(again.received).size === frames.length, "all acks");
    const all = await grid.api.entries("ws");
    for (const [seq, key] of keys.entries()) expect(all.get(key)).toBe(seq);
  });

  /** Of the frames whose first op is acknowledged. */
  function ackedIn(messages: readonly ServerMessage[]): Set<number> {
    const acks = messages.filter((message) => message.type === "ACK");
    const first = acks.filter(({ exceptions }) => !exceptions.some(({ index }) => index === 0));
    return new Set(first.map(({ seq }) => seq));
  }
});

describe("a client that sends far more than its credit at once", () => {
  const node = "floods";
  const keys = keysIn(PARTITION, PARTITIONS, { prefix: "flood", count: 1_000 });
  const frame = (seq: number): ClientMessage => {
    const ops = keys.map((key) => opOf(key, encode(seq), node, seq));
    return { type: "OPS", seq, ops };
  };

  it("is refused what is beyond by the name of the bound, and gets it through when it sends that again", async () => {
    const client = await Client.open(grid.api.base, `?node=${owner}`);
    await client.hello(true, node);
    const frames = Array.from({ length: 2 * CREDIT_FRAMES }, (_, seq) => frame(seq));
    for (const message of frames) client.send(message);
    await until(() => client.received.length === frames.length, "an answer to each");
    const refused = client.received.filter((message) => message.type === "ERROR");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length, "its credit at least").toBeLessThanOrEqual(CREDIT_FRAMES);
    for (const answer of refused)
      expect(answer).toMatchObject({
        error: {
          code: "CREDIT_EXCEEDED",
          retry: "later",
          data: { field: "frames", max: CREDIT_FRAMES },
        },
      });
    const again = new Set(refused.map(seqOf));
    client.received.splice(0);
    for (const [seq, message] of frames.entries())
      if (again.has(seq)) {
        client.send(message);
        expect(await client.next("ACK")).toMatchObject({ seq });
      }
    const stored = await grid.api.entries("ws");
    expect(new Set(keys.map((key) => stored.get(key)))).toEqual(new Set([frames.length - 1]));
    client.socket.close();
  });

  it("and goes on and on is closed with 1013, and others are served", async () => {
    const client = await Client.open(grid.api.base, `?node=${owner}`);
    await client.hello(true, node);
    for (let seq = 0; seq < CREDIT_FRAMES; seq++) client.send(frame(seq));
    for (let i = 0; i < 60 * CREDIT_FRAMES; i++) client.send({ type: "FETCH_MAP" });
    await until(() => client.closed !== null, "the end");
    expect(client.closed).toBe(1013);
    expect(client.received.at(-1)).toMatchObject({
      type: "ERROR",
      error: { code: "CREDIT_EXCEEDED", retry: "later" },
    });
    await besides(() => pause(100));
  });
});

describe("the map of a client that does not read", () => {
  it("is not pushed, over hibernation either; the first receipt brings all of it", async () => {
    const slow = await greeted("map");
    slow.stopReading();
    get(slow, 1);
    await pause(100);
    const move = async (): Promise<void> => {
      const other = grid.nodes.find((node) => node !== owner) ?? "";
      const [id = 0] = (await grid.ownedBy(owner)).filter((owned) => owned !== PARTITION);
      const order = { partition: id, to: other };
      expect((await grid.api.json("POST", "/v1/cluster/migrations", order)).status).toBe(202);
      await grid.api.settled(grid.nodes);
    };
    await move();
    expect(await grid.evict(owner)).toBe(true);
    await move();
    get(slow, 2);
    await pause(100);
    slow.readOn();
    await until(() => slow.received.some((message) => seqOf(message) === 2), "the second answer");
    await pause(100);
    expect(slow.received.map(({ type }) => type)).toEqual(["WELCOME", "VALUES", "ERROR"]);
    receipt(slow);
    await until(() => slow.received.length > 3, "the map");
    const { body } = await grid.api.json<PartitionMapPayload>("GET", "/v1/map");
    const { map, misfits } = follow(slow.received);
    expect(misfits).toBe(0);
    expect(timeless(map)).toEqual(timeless(body));
    expect(slow.received).toHaveLength(4);
  });
});

describe("an owner whose copy has not acknowledged as much as may be", () => {
  it("holds what is written on, refuses nothing, and acknowledges it when the copy has answered", async () => {
    owner = await grid.ownerOf(PARTITION);
    const target = grid.nodes.find((node) => node !== owner) ?? "";
    const client = await Client.open(grid.api.base, `?node=${owner}`);
    await client.hello(true, "held");
    const keys = keysIn(PARTITION, PARTITIONS, { prefix: "held", count: 48 });
    const release = grid.disk.hold(target);
    try {
      const order = { partition: PARTITION, to: target };
      expect((await grid.api.json("POST", "/v1/cluster/migrations", order)).status).toBe(202);
      await until(() => grid.disk.move(PARTITION).phase === "copying", "the copy");
      // 6 MB, of which the first may be acknowledged at once, and as much again each time that the copy is reset.
      for (const [seq, key] of keys.entries()) {
        const value = encode(String(seq).repeat(64_000));
        client.send({ type: "OPS", seq, ops: [opOf(key, value, "held", seq)] });
      }
      await pause(1_000);
      const sofar = client.received.filter(({ type }) => type === "ACK").length;
      expect(sofar).toBeGreaterThan(0);
      expect(sofar).toBeLessThan(keys.length);
      expect(grid.disk.move(PARTITION).phase).toBe("copying");
    } finally {
      release();
    }
    for (const _ of keys) expect((await client.next("ACK")).exceptions).toEqual([]);
    expect(client.received.filter(({ type }) => type === "ERROR")).toEqual([]);
    await grid.api.settled(grid.nodes);
    expect(await grid.ownerOf(PARTITION)).toBe(target);
    const stored = await grid.api.entries("ws");
    for (const [seq, key] of keys.entries())
      expect(stored.get(key)).toBe(String(seq).repeat(64_000));
    client.socket.close();
  });
});
