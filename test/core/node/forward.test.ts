import { describe, expect, it } from "vitest";
import { NO_FLOW } from "../../../src/core/node/flow.ts";
import type { Config } from "../../../src/core/config.ts";
import { partitionOf } from "../../../src/data/hash.ts";
import { NodeId, PartitionId, Version } from "../../../src/data/ids.ts";
import type { ClusterMessage } from "../../../src/protocol/cluster-messages.ts";
import type { ClientMessage, ServerMessage } from "../../../src/protocol/client-messages.ts";
import { VALUE_BYTES_MAX } from "../../../src/protocol/limits.ts";
import { Stage, type Letter } from "../../scripts/stage.ts";

const [N1, N2] = [NodeId("n1"), NodeId("n2")];
const newest = Version(Number.MAX_SAFE_INTEGER);
const session = { clientId: "c", forward: true, mapVersion: newest, viewVersion: newest };

/** Of two nodes with 8 partitions; frames come to n1 together. */
class Together {
  readonly stage: Stage;

  constructor(settings: Partial<Config> = {}) {
    this.stage = new Stage({ initialNodes: 2, partitionCount: 8, ...settings });
    this.stage.ask({ type: "FETCH_PARTITION_TABLE" });
    this.stage.settle();
  }

  tell(messages: readonly ClientMessage[]): void {
    const frames = messages.map((message, i) => ({
      socket: `s${i}`,
      session,
      flow: NO_FLOW,
      message,
    }));
    this.stage.node(N1).deliver({ type: "frames", frames, now: this.stage.now, random: 0.5 });
  }

  deliver(which: (letter: Letter) => boolean): void {
    const next = (): Letter | undefined => this.stage.letters.find(which);
    for (let letter = next(); letter; letter = next()) {
      this.stage.letters = this.stage.letters.filter((other) => other !== letter);
      this.stage.deliver(letter);
    }
  }

  ownedBy(nodeId: NodeId): readonly PartitionId[] {
    const { entries } = this.stage.coordinator.disk;
    return [...entries].flatMap(([id, { ruling }]) => (ruling.owner === nodeId ? [id] : []));
  }

  get forwards(): readonly Letter[] {
    return this.stage.letters.filter(({ message }) => message.type === "OP_FORWARD");
  }

  answers<Type extends ServerMessage["type"]>(
    type: Type,
  ): readonly Extract<ServerMessage, { type: Type }>[] {
    return this.stage.answers.filter(
      (answer): answer is Extract<ServerMessage, { type: Type }> => answer.type === type,
    );
  }
}

const KEYS = Array.from({ length: 40 }, (_, i) => `k${i}`);
const keysIn = (partitionId: PartitionId, count: number): readonly string[] =>
  Array.from({ length: 30 * count }, (_, i) => `held${i}`)
    .filter((key) => partitionOf(key, 8) === partitionId)
    .slice(0, count);

const get = (seq: number, keys: readonly string[]): ClientMessage => ({
  type: "GET",
  seq,
  keys: keys.map((key) => ({ map: "m", key })),
});
const put = (seq: number, keys: readonly string[], bytes = 1): ClientMessage => ({
  type: "OPS",
  seq,
  ops: keys.map((key, i) => ({
    map: "m",
    key,
    stamp: { millis: 1_000, counter: i, node: "c" },
    value: new Uint8Array(bytes).fill(i),
    expiresAt: null,
  })),
});

const isForward = ({ message }: Letter): boolean => message.type.startsWith("OP_FORWARD");
const opsIn = (message: ClusterMessage): number => ("ops" in message ? message.ops.length : 0);

describe("what frames that came together ask of another node", () => {
  it("goes to it in one message when it is read, and each frame gets its own values", () => {
    const world = new Together();
    world.tell([put(1, KEYS)]);
    world.stage.settle();
    world.tell(KEYS.map((key, i) => get(i, [key, "nothing"])));
    expect(world.forwards.map(({ to }) => to)).toEqual([N2]);
    world.stage.settle();
    const values = world.answers("VALUES").toSorted((a, b) => a.seq - b.seq);
    expect(values.map((answer) => answer.values.map((v) => v.type === "value" && v.value))).toEqual(
      KEYS.map((_, i) => [Uint8Array.of(i), null]),
    );
  });

  it("is written in one message, too, and what is held there for a copy keeps nobody else waiting", () => {
    const world = new Together({ unackedDeltaBytesMax: 1 });
    const { stage } = world;
    const moving = world.ownedBy(N2)[0] ?? PartitionId(0);
    stage.ask({ type: "MOVE_PARTITION", partitionId: moving, to: N1 });
    world.deliver(({ message }) => message.type !== "STREAM_ACK");
    world.tell(KEYS.map((key, i) => put(i, [key])));
    expect(world.forwards.map(({ to }) => to)).toEqual([N2]);
    world.deliver(isForward);
    const held = KEYS.flatMap((key, i) => (partitionOf(key, 8) === moving ? [i] : []));
    expect(held.length).toBeGreaterThan(0);
    const told = world.answers("ACK").map(({ seq }) => seq);
    expect(new Set([...told, ...held]).size).toBe(KEYS.length);
    expect(told).toHaveLength(KEYS.length - held.length);
    // Each asked for by itself by now.
    expect(stage.node(N2).load().memory.pending.size).toBe(held.length);
    stage.settle();
    const acks = world.answers("ACK");
    expect(acks.map(({ seq }) => seq).toSorted((x, y) => x - y)).toEqual(KEYS.map((_, i) => i));
    expect(acks.flatMap(({ exceptions }) => exceptions)).toEqual([]);
  });

  it("keeps values waiting only as far as there is room for them", () => {
    const [bytes, max] = [10_000, 55_000];
    const world = new Together({ pendingBytesMax: max });
    const [mine = "", theirs = ""] = [N1, N2].map((nodeId) =>
      KEYS.find((key) => world.ownedBy(nodeId).includes(PartitionId(partitionOf(key, 8)))),
    );
    world.tell([put(1, [mine], bytes), put(2, [theirs])]);
    world.stage.settle();
    world.tell(Array.from({ length: 20 }, (_, seq) => get(seq, [mine, theirs])));
    expect(world.stage.node(N1).load().memory.credits.bytes).toBeLessThan(max);
    world.stage.settle();
    const values = world.answers("VALUES").map((answer) => answer.values);
    expect(values).toHaveLength(20);
    const refused = { type: "refused", error: { code: "OVERLOADED", data: { max } } };
    expect(values.filter(([first]) => first?.type === "value")).toHaveLength(5);
    for (const [first] of values.slice(5)) expect(first).toMatchObject(refused);
    for (const [, second] of values) expect(second).toMatchObject({ type: "value" });
  });

  it("is at most one frame's worth in each message", () => {
    const world = new Together();
    world.tell(KEYS.map((key, i) => put(i, [key], VALUE_BYTES_MAX)));
    for (const { message } of world.forwards) expect(opsIn(message)).toBeLessThanOrEqual(4);
    world.stage.settle();
    world.tell(
      KEYS.map((_, i) =>
        get(
          i,
          Array.from({ length: 100 }, (__, k) => `k${k}`),
        ),
      ),
    );
    for (const { message } of world.forwards) expect(opsIn(message)).toBeLessThanOrEqual(1_000);
    expect(world.forwards.length).toBeGreaterThan(1);
  });

  it("waits where its owner has no room, is asked for once more together, and then refused", () => {
    const world = new Together({ unackedDeltaBytesMax: 1, pendingOpsMax: 80 });
    const { stage } = world;
    const moving = world.ownedBy(N2)[0] ?? PartitionId(0);
    stage.ask({ type: "MOVE_PARTITION", partitionId: moving, to: N1 });
    world.deliver(({ message }) => message.type !== "STREAM_ACK");
    const held = keysIn(moving, 75);
    stage.client(N2, put(99, held), "its own");
    expect(stage.node(N2).load().memory.credits.ops).toBe(held.length);
    const asked = (): number => stage.delivered.get("OP_FORWARD") ?? 0;
    world.tell(KEYS.map((key, i) => put(i, [key])));
    const [letter] = world.forwards;
    const theirs = letter ? opsIn(letter.message) : 0;
    expect(theirs).toBeGreaterThan(10);
    world.deliver(isForward);
    expect(asked(), "not one by one").toBe(1);
    expect(world.answers("ACK")).toHaveLength(KEYS.length - theirs);
    for (const began = stage.now; stage.now < began + 5_000; stage.advance(100))
      world.deliver(isForward);
    expect(asked()).toBe(2);
    const acks = world.answers("ACK");
    expect(acks).toHaveLength(KEYS.length);
    const error = { code: "OVERLOADED", data: { field: "pending ops", max: 80 } };
    const refused = acks.flatMap(({ exceptions }) => exceptions);
    expect(refused).toHaveLength(theirs);
    for (const { result } of refused) expect(result).toMatchObject({ type: "refused", error });
  });

  it("gets through after that pause where its owner has room by then", () => {
    const world = new Together({ unackedDeltaBytesMax: 1, pendingOpsMax: 80 });
    const { stage } = world;
    const moving = world.ownedBy(N2)[0] ?? PartitionId(0);
    stage.ask({ type: "MOVE_PARTITION", partitionId: moving, to: N1 });
    world.deliver(({ message }) => message.type !== "STREAM_ACK");
    stage.client(N2, put(99, keysIn(moving, 75)), "its own");
    world.tell(KEYS.map((key, i) => put(i, [key])));
    world.deliver(isForward);
    stage.settle();
    const acks = world.answers("ACK");
    expect(acks).toHaveLength(KEYS.length + 1);
    expect(acks.flatMap(({ exceptions }) => exceptions)).toEqual([]);
  });

  it("is asked for again alone where all of it was too much for one answer", () => {
    const world = new Together();
    for (const [i, key] of KEYS.entries()) world.tell([put(i, [key], VALUE_BYTES_MAX)]);
    world.stage.settle();
    world.tell(KEYS.map((key, i) => get(i, [key])));
    expect(world.forwards).toHaveLength(1);
    world.stage.settle();
    const values = world.answers("VALUES").flatMap((answer) => answer.values);
    expect(values).toHaveLength(KEYS.length);
    for (const value of values) expect(value).toMatchObject({ type: "value" });
  });
});
