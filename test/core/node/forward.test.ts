import { describe, expect, it } from "vitest";
import { NO_FLOW } from "../../../src/core/node/flow.ts";
import { NodeId, Version } from "../../../src/data/ids.ts";
import type { ClientMessage, ServerMessage } from "../../../src/protocol/client-messages.ts";
import { VALUE_BYTES_MAX } from "../../../src/protocol/limits.ts";
import { Stage, type Letter } from "../../scripts/stage.ts";

const [N1, N2] = [NodeId("n1"), NodeId("n2")];
const newest = Version(Number.MAX_SAFE_INTEGER);
const session = { clientId: "c", forward: true, mapVersion: newest, viewVersion: newest };

/** Of two nodes with 8 partitions; frames come to n1 together. */
class Together {
  readonly stage = new Stage({ initialNodes: 2, partitionCount: 8 });

  constructor() {
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

  it("goes to it frame by frame when it is written: one may be held longer than another", () => {
    const world = new Together();
    world.tell([put(1, KEYS), put(2, KEYS), get(3, KEYS)]);
    expect(world.forwards.map(({ to }) => to)).toEqual([N2, N2, N2]);
    world.stage.settle();
    expect(world.answers("ACK").map(({ seq }) => seq)).toEqual([1, 2]);
    expect(world.answers("VALUES")).toHaveLength(1);
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
