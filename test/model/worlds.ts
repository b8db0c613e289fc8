/** The worlds that are explored to the end. */
import { DEFAULTS, validate, type Config } from "../../src/core/config.ts";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { WRITTEN } from "./numbers.ts";
import { NO_FAULTS, type Asked, type Budget, type World } from "./world.ts";

const config = (change: Partial<Config>): Config =>
  validate({
    ...DEFAULTS,
    partitionCount: 1,
    initialNodes: 2,
    backupCount: 0,
    finishedMovesMax: 1,
    resumeEveryChunks: 1,
    deltaWindow: 2,
    ...change,
  });

const P = PartitionId(0);
const form: Asked = { type: "operator", message: { type: "FETCH_PARTITION_TABLE" } };

type Write = Extract<Asked, { type: "write" }>;

/** The later one of a key has the greater stamp. */
function put(at: number, key: string, counter: number, value: string | null): Write {
  const stamp = { millis: WRITTEN, counter, node: "client" };
  const bytes = value === null ? null : new TextEncoder().encode(value);
  return {
    type: "write",
    at,
    ack: "owner",
    op: { map: "m", key, stamp, value: bytes, expiresAt: null },
  };
}

const operator = (message: ClusterMessage): Asked => ({ type: "operator", message });
const move = (to: NodeId): Asked => operator({ type: "MOVE_PARTITION", partitionId: P, to });

const JOIN = operator({ type: "ADD_NODES", count: 1, region: "", weight: 1 });
const STANDS = put(1, "a", 1, "0");
const BEFORE = [form, STANDS];
const MOVE = move(NodeId("n2"));
const BACK = move(NodeId("n1"));
const CANCEL = operator({ type: "CANCEL_MOVE", partitionId: P });
/** A write of what stands already, a delete of it, and a write of another key. */
const WRITES = [put(1, "a", 2, "1"), put(1, "a", 3, null), put(1, "b", 4, "2")];
const DELETE = put(1, "a", 2, null);
const AT_TARGET = put(2, "a", 2, null);

type Rest = Pick<World, "asked" | "statesMin" | "seen"> & Partial<World>;

const world = (name: string, budget: Partial<Budget>, rest: Rest): World => ({
  name,
  nodes: 2,
  config: config({}),
  before: BEFORE,
  awake: false,
  turns: "any",
  ahead: -1,
  order: "links",
  cut: 1,
  budget: { ...NO_FAULTS, ...budget },
  ...rest,
});

/** As if they had worked before, both of them. */
const BOTH_WORK = [form, STANDS, put(2, "a", 1, "0")];

const awake = (name: string, budget: Partial<Budget>, rest: Rest): World =>
  world(name, budget, { awake: true, before: BOTH_WORK, ...rest });

const MOVED = ["copying", "closing", "ready", "finalizing", "striking"];
const LEFT = ["a member is leaving", "a node has left"];
const during = (fault: string): string[] => MOVED.map((phase) => `${fault} while ${phase}`);

/** By an HTTP client: whoever owns the entry stamps it. */
const front = (key: string, value: string): Asked => ({
  type: "front",
  op: {
    type: "write",
    map: "m",
    key,
    stamp: null,
    value: new TextEncoder().encode(value),
    expiresAt: null,
  },
});
const ONE_BY_ONE = [front("a", "1"), front("a", "2")];

/** Who has restored a coordinator gives it something to decide: so it finds out what it has forgotten. */
const CHECKED = { ...MOVE, restored: true };

const LEAVE = operator({ type: "LEAVE_REQUEST", nodeId: NodeId("n1") });

/** Two nodes, of which each that does not own a partition has a backup of it. */
const BACKED = { config: config({ backupCount: 1 }) };
const DELETE_BACKED: Asked = { ...DELETE, ack: "backup" };
const PUT_BACKED: Asked = { ...put(1, "b", 3, "1"), ack: "backup" };
const BACKED_UP = "acked by backups while quiet";
const TAKEN_OVER = ["a member is dead", "a copy has taken over", "a member is joining"];

/** Some seconds each: part of every test run. */
export const QUICK: readonly World[] = [
  world("a move", {}, { asked: [MOVE, DELETE], statesMin: 19_000, seen: MOVED }),
  world("a write at the target", {}, { asked: [MOVE, AT_TARGET], statesMin: 30_000, seen: MOVED }),
  world(
    "a join",
    {},
    {
      config: config({ partitionCount: 2, initialNodes: 1 }),
      // Of the partition that the new node is given.
      before: [form, put(1, "b", 1, "0")],
      asked: [JOIN, put(1, "b", 2, null)],
      statesMin: 69_000,
      seen: MOVED,
    },
  ),
  world(
    "a join with a crash",
    { crashes: 1 },
    {
      config: config({ initialNodes: 1 }),
      asked: [JOIN],
      statesMin: 1_750,
      seen: ["a member is joining", "an order waits for a quorum", "crashes while quiet"],
    },
  ),
  world(
    "an owner cut off",
    { cuts: 1 },
    { asked: [DELETE], statesMin: 800, seen: ["a member is dead", "a partition is lost"] },
  ),
  world(
    "a coordinator cut off",
    { cuts: 1 },
    {
      cut: 0,
      config: config({ initialNodes: 1 }),
      asked: [JOIN],
      statesMin: 1_450,
      seen: ["an order waits for a quorum", "cuts while quiet", "a member is joining"],
    },
  ),
  awake(
    "a clock ahead at the source",
    {},
    {
      ahead: 1,
      turns: "acknowledged",
      asked: [MOVE, ...ONE_BY_ONE],
      statesMin: 61_000,
      seen: MOVED,
    },
  ),
  awake(
    "a clock ahead at the target",
    {},
    {
      ahead: 2,
      turns: "acknowledged",
      asked: [MOVE, ...ONE_BY_ONE],
      statesMin: 62_000,
      seen: MOVED,
    },
  ),
  world(
    "stamps with a crash",
    { crashes: 1 },
    {
      config: config({ initialNodes: 1 }),
      turns: "acknowledged",
      asked: ONE_BY_ONE,
      statesMin: 330,
      seen: ["crashes while quiet"],
    },
  ),
  world(
    "a restored coordinator",
    { restores: 1 },
    {
      asked: [MOVE, CHECKED],
      statesMin: 105_000,
      seen: [...MOVED, "a coordinator asks everybody what he knows"],
    },
  ),
  world(
    "the same target again",
    {},
    { asked: [MOVE, CANCEL, MOVE], statesMin: 16_000, seen: MOVED },
  ),
  world(
    "two chunks",
    {},
    {
      config: config({ chunkRowsMax: 1, chunkWindow: 1 }),
      before: [form, STANDS, put(1, "b", 1, "0")],
      asked: [MOVE, put(1, "b", 2, null)],
      statesMin: 19_000,
      seen: MOVED,
    },
  ),
];

/** A few minutes all together. */
const SMALL: readonly World[] = [
  world(
    "a backup takes over",
    { cuts: 1 },
    { ...BACKED, asked: [DELETE], statesMin: 92_000, seen: [...TAKEN_OVER, "replicating"] },
  ),
  world(
    "a backup is struck",
    { cuts: 1 },
    {
      ...BACKED,
      cut: 2,
      asked: [DELETE_BACKED],
      statesMin: 70_000,
      seen: ["a member is dead", "a member is joining", "replicating"],
    },
  ),
  world(
    "a backup is made",
    {},
    {
      config: config({ backupCount: 1, initialNodes: 1 }),
      // The second is refused until there is a backup.
      asked: [JOIN, DELETE, PUT_BACKED],
      statesMin: 38_000,
      seen: ["a member is joining", "replicating", "a backup is complete", BACKED_UP],
    },
  ),
  world(
    "a move to a backup",
    {},
    {
      ...BACKED,
      asked: [MOVE, DELETE_BACKED],
      statesMin: 5_600,
      seen: ["closing", "ready", "finalizing", BACKED_UP, "acked by backups while closing"],
    },
  ),
  awake("a cancel", {}, { asked: [MOVE, CANCEL, DELETE], statesMin: 39_000, seen: MOVED }),
  awake("a leave", {}, { asked: [LEAVE, DELETE], statesMin: 41_000, seen: [...MOVED, ...LEFT] }),
  awake(
    "a loss",
    { losses: 1 },
    { asked: [MOVE, DELETE], statesMin: 137_000, seen: during("losses") },
  ),
  awake("there and back", {}, { asked: [MOVE, BACK, DELETE], statesMin: 236_000, seen: MOVED }),
  awake(
    "a second backup is made",
    {},
    {
      nodes: 3,
      config: config({ backupCount: 2 }),
      asked: [JOIN, DELETE_BACKED],
      statesMin: 655_000,
      seen: ["a member is joining", "acked by backups while replicating"],
    },
  ),
  awake(
    "a delay",
    { delays: 1 },
    { asked: [MOVE, DELETE], statesMin: 465_000, seen: during("delays") },
  ),
  awake(
    "an early timer",
    { early: 1 },
    { asked: [MOVE, DELETE], statesMin: 705_000, seen: during("early") },
  ),
];

const LARGE: readonly World[] = [
  awake(
    "a crash",
    { crashes: 1 },
    { asked: [MOVE, DELETE], statesMin: 1_700_000, seen: during("crashes") },
  ),
  awake(
    "a repeat",
    { repeats: 1 },
    { asked: [MOVE, DELETE], statesMin: 650_000, seen: during("repeats") },
  ),
  awake(
    "three writes",
    {},
    { turns: "asked", asked: [MOVE, ...WRITES], statesMin: 1_000_000, seen: MOVED },
  ),
  awake(
    "two coordinators",
    { stale: 2 },
    { asked: [MOVE, DELETE], statesMin: 2_600_000, seen: during("stale") },
  ),
];

export const BRIEF: readonly World[] = [...QUICK, ...SMALL];
export const WORLDS: readonly World[] = [...BRIEF, ...LARGE];

export function worldNamed(name: string): World {
  const found = WORLDS.find((other) => other.name === name);
  if (!found) throw new Error(`there is no world ${name}`);
  return found;
}
