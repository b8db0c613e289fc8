/** A node at its bounds: what waits is counted, what is beyond is refused by name, and nothing is lost or halved. */
import { describe, expect, it } from "vitest";
import { DEFAULTS, type Config } from "../../src/core/config.ts";
import type { NodeMemory } from "../../src/core/node/state.ts";
import { NodeId, PartitionId, Seq } from "../../src/data/ids.ts";
import { rowBytes } from "../../src/data/row.ts";
import { CREDIT_FRAMES, CREDIT_OPS, FRAME_OPS_MAX } from "../../src/protocol/limits.ts";
import type { ClientWrite, ServerMessage } from "../../src/protocol/client-messages.ts";
import { Stage, type Letter } from "../scripts/stage.ts";

const P = PartitionId(0);
const [N1, N2] = [NodeId("n1"), NodeId("n2")];

let counter = 0;

function opsNamed(prefix: string, count: number, bytes = 1): readonly ClientWrite[] {
  return Array.from({ length: count }, (_, i) => ({
    map: "m",
    key: `${prefix}${i}`,
    stamp: { millis: 1_000, counter: counter++ % 60_000, node: "client" },
    value: new Uint8Array(bytes).fill(i),
    expiresAt: null,
  }));
}

/** n1 owns the only partition and copies it to n2, which is silent: whatever is written there waits. */
class Stalled {
  readonly stage: Stage;
  constructor(settings: Partial<Config>) {
    this.stage = new Stage({ initialNodes: 2, partitionCount: 1, ...settings });
    this.stage.ask({ type: "FETCH_PARTITION_TABLE" });
    this.stage.settle();
    this.stage.ask({ type: "MOVE_PARTITION", partitionId: P, to: N2 });
    this.deliver(({ message }) => message.type !== "MIGRATE_DATA");
    this.stage.answers.splice(0);
  }

  get memory(): NodeMemory {
    return this.stage.node(N1).load().memory;
  }
  get acked(): readonly number[] {
    return this.stage.answers.flatMap((m) =>
      m.type === "ACK" && m.exceptions.length === 0 ? [m.seq] : [],
    );
  }
  errorOf(seq: number): ServerMessage | undefined {
    return this.stage.answers.find((m) => m.type === "ERROR" && m.seq === seq);
  }

  write(seq: number, ops: readonly ClientWrite[], { at = N1, socket = "client" } = {}): void {
    this.stage.client(at, { type: "OPS", seq, ops }, socket);
  }
  /** By way of the front. */
  forward(ops: readonly ClientWrite[]): void {
    const writes = ops.map((op) => ({ ...op, type: "write" }) as const);
    const facts = { sourceNodeId: "front", forwardId: Seq(1), rulings: [] } as const;
    this.stage.ask({ type: "OP_FORWARD", ...facts, ops: writes }, N1);
    this.deliver(({ message }) => message.type === "OP_FORWARD");
  }

  deliver(which: (letter: Letter) => boolean): void {
    for (let letter = this.#first(which); letter; letter = this.#first(which)) {
      this.stage.letters = this.stage.letters.filter((other) => other !== letter);
      this.stage.deliver(letter);
    }
  }
  #first(which: (letter: Letter) => boolean): Letter | undefined {
    return this.stage.letters.find(which);
  }

  /** Which of these the owner has, as it says. */
  stored(ops: readonly ClientWrite[]): readonly string[] {
    const identities = ops.map(({ map, key }) => ({ map, key, kind: "lww", sub: "" }) as const);
    const owner = this.stage.coordinator.disk.entries.get(P)?.ruling.owner;
    const rows = this.stage.node(owner ?? N1).rows.read(P, identities);
    return rows.flatMap((found) => (found ? [found.row.key] : []));
  }
}

const isForward = ({ message }: Letter): boolean =>
  message.type === "OP_FORWARD" || message.type === "OP_FORWARDED";
const keysOf = (ops: readonly ClientWrite[]): readonly string[] => ops.map(({ key }) => key);

/** Counted anew: what requests and streams keep. */
function keptIn({ pending, partitions }: NodeMemory): number {
  let bytes = 0;
  for (const [, request] of pending) bytes += request.opsBytes + request.valueBytes;
  for (const { streams } of partitions.values())
    for (const { unacked, pending: rows } of streams.values())
      for (const row of [...unacked.flatMap((item) => item.rows), ...rows]) bytes += rowBytes(row);
  return bytes;
}

describe("a node with as many bytes waiting as may wait", () => {
  const VALUE_BYTES = 1_000;
  const max = 50_000;
  const settings = { pendingBytesMax: max, unackedDeltaBytesMax: 1 };
  const error = {
    code: "OVERLOADED",
    retry: "later",
    data: { field: "pending bytes", max },
  };

  it("refuses what is beyond, from sockets, nodes and the front, and takes it when the rest is done", () => {
    const stalled = new Stalled(settings);
    const frames = Array.from({ length: 30 }, (_, seq) => opsNamed(`f${seq}-`, 3, VALUE_BYTES));
    const offer = (seq: number): void =>
      stalled.write(seq, frames[seq] ?? [], { socket: `${seq}` });
    for (const seq of frames.keys()) {
      offer(seq);
      const { credits } = stalled.memory;
      expect(credits.bytes).toBe(keptIn(stalled.memory));
      expect(credits.bytes).toBeLessThan(max + 2 * 3 * VALUE_BYTES);
    }
    const refused = [...frames.keys()].filter((seq) => stalled.errorOf(seq));
    expect(refused.length).toBeGreaterThan(10);
    expect(refused.length).toBeLessThan(frames.length - 4);
    for (const seq of refused) expect(stalled.errorOf(seq)).toMatchObject({ error });
    expect(stalled.stored(refused.flatMap((seq) => frames[seq] ?? []))).toEqual([]);

    stalled.write(50, opsNamed("theirs", 3, VALUE_BYTES), { at: N2 });
    stalled.deliver(isForward);
    expect(stalled.stage.answers.at(-1)).toMatchObject({
      type: "ACK",
      seq: 50,
      exceptions: [0, 1, 2].map((index) => ({ index, result: { type: "refused", error } })),
    });
    const front = opsNamed("front", 3, VALUE_BYTES);
    stalled.forward(front);
    expect(stalled.stored(front)).toEqual([]);
    const before = stalled.stage.answers.length;
    stalled.stage.client(N1, { type: "FETCH_MAP" });
    expect(stalled.stage.answers.at(before)?.type).toBe("MAP");

    stalled.stage.settle();
    expect(stalled.memory.credits).toEqual({ ops: 0, bytes: 0, sockets: new Map() });
    for (const seq of refused) {
      offer(seq);
      stalled.stage.settle();
    }
    expect(stalled.acked.toSorted((a, b) => a - b)).toEqual([...frames.keys()]);
  });

  it("lets writers wait for all copies before it refuses any", () => {
    const stalled = new Stalled({ ...settings, unackedDeltaBytesMax: max });
    const frames = Array.from({ length: 10 }, (_, seq) => opsNamed(`f${seq}-`, 3, VALUE_BYTES));
    for (const [seq, ops] of frames.entries()) stalled.write(seq, ops, { socket: `${seq}` });
    expect(stalled.acked.length).toBeGreaterThan(5);
    expect(stalled.acked.length).toBeLessThan(frames.length);
    expect([...frames.keys()].filter((seq) => stalled.errorOf(seq))).toEqual([]);
  });

  it("keeps of a frame no more than what a copy lacks", () => {
    const stalled = new Stalled({});
    const frame = new Uint8Array(100_000);
    const [op] = opsNamed("small", 1);
    if (op) stalled.write(1, [{ ...op, value: frame.subarray(50_000, 50_010) }]);
    expect(stalled.acked).toEqual([1]);
    const [stream] = stalled.memory.partitions.get(P)?.streams.values() ?? [];
    const rows = [...(stream?.pending ?? []), ...(stream?.unacked ?? []).flatMap((i) => i.rows)];
    expect(rows.map(({ value }) => value?.buffer.byteLength)).toEqual([10]);
  });
});

describe("a node with as much waiting as may wait", () => {
  const full = (): Stalled & { readonly kept: readonly ClientWrite[] } => {
    const stalled = new Stalled({ pendingOpsMax: 30, unackedDeltaBytesMax: 1 });
    const [first, second, third] = [opsNamed("a", 10), opsNamed("b", 10), opsNamed("c", 10)];
    stalled.write(1, first);
    stalled.write(2, second, { at: N2, socket: "at n2" });
    stalled.deliver(isForward);
    stalled.forward(third);
    return Object.assign(stalled, { kept: [...first, ...second, ...third] });
  };

  it("counts what came over sockets, from nodes and from the front", () => {
    const { memory, acked, stage } = full();
    expect(memory.credits).toEqual({
      ops: 30,
      bytes: keptIn(memory),
      sockets: new Map([["client", { frames: 1, ops: 10 }]]),
    });
    expect(memory.pending.size).toBe(3);
    expect(acked).toEqual([]);
    expect(stage.lines.filter((line) => line.includes("OP_FORWARDED"))).toEqual([]);
  });

  it("refuses one more of each kind by name and bound, and applies nothing of it", () => {
    const stalled = full();
    const [mine, theirs, front] = [opsNamed("d", 1), opsNamed("e", 2), opsNamed("f", 2)];
    const error = { code: "OVERLOADED", retry: "later", data: { field: "pending ops", max: 30 } };
    stalled.write(11, mine);
    expect(stalled.errorOf(11)).toMatchObject({ error });
    stalled.write(12, theirs, { at: N2, socket: "at n2" });
    stalled.deliver(isForward);
    expect(stalled.stage.answers.at(-1)).toMatchObject({
      type: "ACK",
      seq: 12,
      exceptions: [
        { index: 0, result: { type: "refused", error } },
        { index: 1, result: { type: "refused", error } },
      ],
    });
    stalled.stage.lines.splice(0);
    stalled.forward(front);
    expect(stalled.stage.lines.at(-1)).toContain("operator: OP_FORWARDED");
    expect(stalled.stored([...mine, ...theirs, ...front])).toEqual([]);
    expect(stalled.memory.credits.ops).toBe(30);
  });

  it("acknowledges all of it once the copy has it, and then takes what it had refused", () => {
    const stalled = full();
    const late = opsNamed("d", 1);
    stalled.write(11, late);
    stalled.stage.settle();
    expect(stalled.acked.toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(stalled.memory.credits).toEqual({ ops: 0, bytes: 0, sockets: new Map() });
    stalled.write(11, late);
    stalled.stage.settle();
    expect(stalled.acked).toContain(11);
    expect(stalled.stored([...stalled.kept, ...late])).toEqual(keysOf([...stalled.kept, ...late]));
  });
});

describe("a node that asks again for what an owner still holds", () => {
  it("is answered, each time that it asked, and what it asked for counts once", () => {
    const stalled = new Stalled({ unackedDeltaBytesMax: 1 });
    stalled.write(1, opsNamed("k", 5), { at: N2 });
    stalled.deliver(isForward);
    const asked = (): number => stalled.stage.delivered.get("OP_FORWARD") ?? 0;
    for (const began = stalled.stage.now; stalled.stage.now < began + 4_000;) {
      stalled.stage.advance(500);
      stalled.deliver(isForward);
    }
    expect(asked()).toBeGreaterThan(2);
    expect(stalled.memory.credits.ops).toBe(5);
    expect(stalled.memory.pending.size).toBe(1);
    expect(stalled.memory.partitions.get(P)?.held.length).toBe(1);
    stalled.stage.settle();
    expect(stalled.stage.delivered.get("OP_FORWARDED")).toBe(asked());
    expect(stalled.acked).toEqual([1]);
    expect(stalled.memory.asked.size).toBe(0);
  });
});

describe("an owner whose target is silent for good", () => {
  it("holds what it may and refuses the rest, until a ruling frees it: every write gets through", () => {
    const bounds = { pendingOpsMax: 40, unackedDeltaBytesMax: 300 };
    const stalled = new Stalled(bounds);
    const ops = opsNamed("w", 60);
    const send = (): void => {
      for (const [seq, op] of ops.entries())
        if (!stalled.acked.includes(seq)) stalled.write(seq, [op], { socket: `s${seq % 4}` });
    };
    send();
    const early = stalled.acked.length;
    expect(early, "what the copy may lack").toBeGreaterThan(0);
    const { held, streams } = stalled.memory.partitions.get(P) ?? { held: null, streams: null };
    const stream = streams?.get(N2);
    expect(held?.length).toBe(bounds.pendingOpsMax);
    expect(stream?.pending.length).toBeLessThanOrEqual(early + bounds.pendingOpsMax);
    expect(stream?.unacked.length).toBeLessThanOrEqual(stalled.stage.config.deltaWindow + 2);
    const refused = ops.filter((_, seq) => stalled.errorOf(seq) !== undefined);
    expect(refused).toHaveLength(60 - early - bounds.pendingOpsMax);

    stalled.stage.advance(DEFAULTS.maxNoHeartbeatMs + 1);
    stalled.deliver(({ to }) => to !== N2);
    expect(stalled.stage.coordinator.disk.entries.get(P)?.ruling.copies).toEqual([]);
    expect(stalled.acked).toHaveLength(early + bounds.pendingOpsMax);
    expect(stalled.memory.credits.ops).toBe(0);
    send();
    expect(stalled.acked.toSorted((a, b) => a - b)).toEqual([...ops.keys()]);
    expect(stalled.stored(ops)).toEqual(keysOf(ops));
  });
});

describe("a client beyond its credit", () => {
  it("in frames: only the frames beyond are refused, and others go on", () => {
    const stalled = new Stalled({ unackedDeltaBytesMax: 1 });
    const sent = Array.from({ length: CREDIT_FRAMES + 2 }, (_, seq) => opsNamed(`s${seq}-`, 2));
    for (const [seq, ops] of sent.entries()) stalled.write(seq, ops);
    for (const seq of [CREDIT_FRAMES, CREDIT_FRAMES + 1])
      expect(stalled.errorOf(seq)).toMatchObject({
        error: {
          code: "CREDIT_EXCEEDED",
          retry: "later",
          data: { field: "frames", value: CREDIT_FRAMES + 1, max: CREDIT_FRAMES },
        },
      });
    stalled.write(99, opsNamed("other", 1), { socket: "another" });
    expect(stalled.errorOf(99)).toBeUndefined();
    const refused = sent.slice(CREDIT_FRAMES).flat();
    expect(stalled.stored(refused)).toEqual([]);
    expect(stalled.memory.credits.sockets.get("client")?.frames).toBe(CREDIT_FRAMES);
    stalled.stage.settle();
    expect(stalled.acked).toHaveLength(CREDIT_FRAMES + 1);
    expect(stalled.stored(refused)).toEqual([]);
  });

  it("in questions for the map, which count like any other frame of those that come together", () => {
    const { stage } = new Stalled({ unackedDeltaBytesMax: 1 });
    const asked = CREDIT_FRAMES + 3;
    stage.frames(
      N1,
      Array.from({ length: asked }, () => ({ type: "FETCH_MAP" })),
    );
    const error = { code: "CREDIT_EXCEEDED", data: { field: "frames", max: CREDIT_FRAMES } };
    const answers = stage.answers.filter(({ type }) => type === "MAP" || type === "ERROR");
    expect(answers).toHaveLength(asked);
    expect(answers.filter(({ type }) => type === "MAP")).toHaveLength(CREDIT_FRAMES);
    expect(answers.at(-1)).toMatchObject({ type: "ERROR", seq: null, error });
  });

  it("in operations: a frame that takes too many is refused whole, a smaller one fits", () => {
    const stalled = new Stalled({ unackedDeltaBytesMax: 1 });
    const frames = CREDIT_OPS / FRAME_OPS_MAX - 1;
    for (let seq = 0; seq < frames; seq++) stalled.write(seq, opsNamed(`f${seq}-`, FRAME_OPS_MAX));
    stalled.write(frames, opsNamed("half", FRAME_OPS_MAX / 2));
    const over = opsNamed("over", FRAME_OPS_MAX / 2 + 1);
    stalled.write(50, over);
    expect(stalled.errorOf(50)).toMatchObject({
      error: { code: "CREDIT_EXCEEDED", data: { field: "ops", value: CREDIT_OPS + 1 } },
    });
    expect(stalled.stored(over)).toEqual([]);
    stalled.write(51, over.slice(1));
    expect(stalled.errorOf(51)).toBeUndefined();
    expect(stalled.memory.credits.ops).toBe(CREDIT_OPS);
    stalled.stage.settle();
    expect(stalled.acked).toContain(51);
    expect(stalled.memory.credits.ops).toBe(0);
  });
});

describe("a copy that forgets its stream again and again", () => {
  const bytesMax = 300;
  const RESETS = 6;
  const isData = ({ message }: Letter): boolean => message.type === "MIGRATE_DATA";

  /** One by one, until the first that waits. */
  function fill(stalled: Stalled, from: number): number {
    let seq = from;
    for (let waits = false; !waits && seq < from + 100; seq++) {
      const acked = stalled.acked.length;
      stalled.write(seq, opsNamed(`k${seq}-`, 1));
      waits = stalled.acked.length === acked;
    }
    return seq;
  }

  it("lacks no more of what is acknowledged for that, and gets all of it in the end", () => {
    const stalled = new Stalled({
      unackedDeltaBytesMax: bytesMax,
      deltaWindow: 2,
      chunkRowsMax: 1,
    });
    const { stage } = stalled;
    let seq = fill(stalled, 0);
    const acked = stalled.acked.length;
    expect(acked).toBeGreaterThan(2);
    for (let i = 0; i < RESETS; i++) {
      stage.node(N2).crash();
      // It does not know the stream of anything but a first item.
      const later = stage.letters.findLast((one) => isData(one) && !isFirst(one));
      expect(later).toBeDefined();
      stage.letters = later ? [later] : [];
      stalled.deliver((one) => isData(one) && one === later);
      stalled.deliver(({ message }) => message.type === "STREAM_ACK");
      expect(stage.letters.some(isFirst), "a stream opened anew").toBe(true);
      seq = fill(stalled, seq);
    }
    expect(stalled.acked.length, "acknowledged at the owner alone").toBe(acked);
    stage.settle();
    expect(stalled.acked.length).toBe(seq);
  });
});

const isFirst = ({ message }: Letter): boolean =>
  message.type === "MIGRATE_DATA" && message.n === 0;
