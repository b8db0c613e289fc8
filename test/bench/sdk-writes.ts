/** The client beside a raw socket that says the same: what it costs to be spared frames, stamps and resending. */
import { connect, type Grid as Client } from "godwit/client";
import { decodeClientMessage } from "../../src/protocol/codec.ts";
import { cuttable } from "../client/cuttable.ts";
import { until } from "../e2e/follower.ts";
import { bundleOf } from "../tidy/bundle.ts";
import { puts } from "./frames.ts";
import { median } from "./stats.ts";
import { gridPipe, keysWhere, type Grid } from "./worlds.ts";

const KEYS = 20_000;
const VALUE = "x".repeat(98); // 100 bytes of msgpack
const UNDER_WAY = 64;
/** Many short spans by turns: a machine is not equally quick for long. */
const SPAN_MS = 300;
const SPANS_A_ROUND = 4;
const WARM_UP_SPANS = 10;
const OFFLINE_WRITES = 10_000;
const ENTRIES = 100_000;
const LOOKS = 200_000;

export interface WriteFigures {
  /** Puts per second: by the client, and by a raw socket with as many under way, one in a frame or all in one. */
  readonly clientPerSecond: number;
  readonly singlePerSecond: number;
  readonly framePerSecond: number;
  /** The medians of the spans' own ratios. */
  readonly ofSingle: number;
  readonly ofFrame: number;
  readonly replay: ReplayFigures;
  /** Microseconds, in the quickest round; `set` without its acknowledgement, beside few entries and many. */
  readonly peekUs: number;
  readonly setFewUs: number;
  readonly setManyUs: number;
  readonly gzipBytes: number;
}

interface ReplayFigures {
  readonly writes: number;
  /** From the connection to the last acknowledgement: of all, and of half as many. */
  readonly ms: number;
  readonly halfMs: number;
  /** The most that one write was sent, and the most operations in all, for each write. */
  readonly timesMax: number;
  readonly sentPerWrite: number;
}

export async function measureWrites(grid: Grid, rounds: number): Promise<WriteFigures> {
  return {
    ...(await beside(grid, rounds)),
    replay: await replays(grid, rounds),
    ...(await looks(grid, rounds)),
    gzipBytes: (await bundleOf("src/client/index.ts")).gzipBytes,
  };
}

type Beside = Pick<
  WriteFigures,
  "clientPerSecond" | "singlePerSecond" | "framePerSecond" | "ofSingle" | "ofFrame"
>;

/** Both put the same bytes to the same node, which says the same to both; both are run until they are as quick as they get. */
async function beside(grid: Grid, rounds: number): Promise<Beside> {
  const keys = keysWhere(KEYS, grid.owners.size, (id) => grid.owners.get(id) === "n1");
  const client = await connect(grid.url);
  const pipe = await gridPipe(grid, "n1");
  const raw = async (size: number, window: number): Promise<number> => {
    const end = performance.now() + SPAN_MS;
    const more = (): boolean => performance.now() < end;
    const run = await pipe.run(puts(keys, { size, bytes: 100, node: "raw" }), { more, window });
    return (run.latencies.length * size * 1_000) / run.ms;
  };
  const found: { single: number; frame: number; client: number }[] = [];
  for (let span = -WARM_UP_SPANS; span < rounds * SPANS_A_ROUND; span++) {
    const single = await raw(1, UNDER_WAY);
    const frame = await raw(UNDER_WAY, 1);
    const each = { single, frame, client: await putting(client, keys) };
    if (span >= 0) found.push(each);
  }
  pipe.close();
  client.close();
  return {
    clientPerSecond: median(found.map((each) => each.client)),
    singlePerSecond: median(found.map(({ single }) => single)),
    framePerSecond: median(found.map(({ frame }) => frame)),
    ofSingle: median(found.map((each) => each.client / each.single)),
    ofFrame: median(found.map((each) => each.client / each.frame)),
  };
}

/** Puts per second of so many writers, each with one under way. */
async function putting(client: Client, keys: readonly string[]): Promise<number> {
  const map = client.map<string>("bench");
  const began = performance.now();
  let done = 0;
  const writer = async (first: number): Promise<void> => {
    for (let n = first; performance.now() - began < SPAN_MS; n += 7) {
      await map.set(keys[n % keys.length] ?? "", VALUE);
      done++;
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, (_, i) => writer(i * 311)));
  return (done * 1_000) / (performance.now() - began);
}

async function replays(grid: Grid, rounds: number): Promise<ReplayFigures> {
  await replaying(grid, OFFLINE_WRITES);
  const found: { all: Replay; half: Replay }[] = [];
  for (let round = 0; round < rounds; round++)
    found.push({
      half: await replaying(grid, OFFLINE_WRITES / 2),
      all: await replaying(grid, OFFLINE_WRITES),
    });
  const runs = found.flatMap(({ all, half }) => [all, half]);
  return {
    writes: OFFLINE_WRITES,
    ms: median(found.map(({ all }) => all.ms)),
    halfMs: median(found.map(({ half }) => half.ms)),
    timesMax: Math.max(...runs.map(({ timesMax }) => timesMax)),
    sentPerWrite: Math.max(...runs.map(({ sentPerWrite }) => sentPerWrite)),
  };
}

type Replay = Pick<ReplayFigures, "ms" | "timesMax" | "sentPerWrite">;

async function replaying(grid: Grid, count: number): Promise<Replay> {
  const frames: Uint8Array[] = [];
  const net = cuttable({ sent: (frame) => void frames.push(frame) });
  const client = await connect(grid.url, { WebSocket: net.make });
  const map = client.map<number>("replay");
  net.cut();
  await until(() => client.status().state === "offline", "the cut");
  const writes = Array.from({ length: count }, (_, n) => map.set(`k${n}`, n));
  frames.length = 0;
  const began = performance.now();
  net.heal();
  await Promise.all(writes);
  const ms = performance.now() - began;
  client.close();
  const times = timesSent(frames);
  if (times.size !== count) throw new Error(`${times.size} of ${count} writes were sent`);
  const all = [...times.values()];
  const sent = all.reduce((sum, each) => sum + each, 0);
  return { ms, timesMax: Math.max(...all), sentPerWrite: sent / count };
}

/** Of each key, how often it is in the frames. */
function timesSent(frames: readonly Uint8Array[]): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const frame of frames) {
    const message = decodeClientMessage(frame);
    if (!message.ok) throw new Error(JSON.stringify(message.error));
    if (message.value.type !== "OPS") continue;
    for (const { key } of message.value.ops) times.set(key, (times.get(key) ?? 0) + 1);
  }
  return times;
}

type Looks = Pick<WriteFigures, "peekUs" | "setFewUs" | "setManyUs">;

async function looks(grid: Grid, rounds: number): Promise<Looks> {
  const found: Looks[] = [];
  for (let round = 0; round < rounds; round++) found.push(await looking(grid));
  // Nothing is waited for, so whatever else runs can only make it slower.
  return {
    peekUs: Math.min(...found.map(({ peekUs }) => peekUs)),
    setFewUs: Math.min(...found.map(({ setFewUs }) => setFewUs)),
    setManyUs: Math.min(...found.map(({ setManyUs }) => setManyUs)),
  };
}

/** What takes no network: without any, so that nothing else runs. */
async function looking(grid: Grid): Promise<Looks> {
  const net = cuttable();
  const client = await connect(grid.url, { WebSocket: net.make, outboxMax: 10 * ENTRIES });
  net.cut();
  const map = client.map<number>("local");
  const keys = Array.from({ length: ENTRIES }, (_, n) => `k${n}`);
  const sets: Promise<unknown>[] = [];
  const set = (from: number, to: number): number => {
    const began = performance.now();
    for (const key of keys.slice(from, to)) sets.push(map.set(key, 1));
    return ((performance.now() - began) * 1_000) / (to - from);
  };
  set(0, ENTRIES / 10);
  const setFewUs = set(ENTRIES / 10, ENTRIES / 5);
  set(ENTRIES / 5, ENTRIES * 0.9);
  const setManyUs = set(ENTRIES * 0.9, ENTRIES);
  let seen = 0;
  const look = (times: number): void => {
    for (let n = 0; n < times; n++) seen += map.peek(keys[(n * 7_919) % ENTRIES] ?? "") ?? 0;
  };
  look(LOOKS);
  const began = performance.now();
  look(LOOKS);
  const peekUs = ((performance.now() - began) * 1_000) / LOOKS;
  if (seen !== LOOKS * 2) throw new Error("an entry was not seen");
  client.close();
  await Promise.allSettled(sets);
  return { peekUs, setFewUs, setManyUs };
}
