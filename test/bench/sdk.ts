/** The client beside a raw socket that says the same: what it costs to be spared frames, stamps and resending. */
import { connect, type Grid as Client } from "godwit/client";
import { cuttable } from "../client/cuttable.ts";
import { bundleOf } from "../tidy/bundle.ts";
import { puts } from "./frames.ts";
import { median } from "./stats.ts";
import { gridPipe, keysWhere, type Grid } from "./worlds.ts";

const KEYS = 20_000;
const VALUE = "x".repeat(98); // 100 bytes of msgpack
const UNDER_WAY = 64;
const SPAN_MS = 1_000;
const OFFLINE_WRITES = 10_000;
const ENTRIES = 100_000;
const LOOKS = 1_000_000;

export interface SdkFigures {
  /** Puts per second: by the client, and by a raw socket with as many under way, one in a frame or all in one. */
  readonly clientPerSecond: number;
  readonly singlePerSecond: number;
  readonly framePerSecond: number;
  /** From the connection to the last acknowledgement. */
  readonly replayMs: number;
  /** Microseconds; `set` without its acknowledgement, beside few entries and many. */
  readonly peekUs: number;
  readonly setFewUs: number;
  readonly setManyUs: number;
  readonly gzipBytes: number;
}

export async function measureSdk(grid: Grid, rounds: number): Promise<SdkFigures> {
  const keys = keysWhere(KEYS, grid.owners.size, (id) => grid.owners.get(id) === "n1");
  const client = await connect(grid.url);
  const pipe = await gridPipe(grid, "n1");
  const raw = async (size: number, window: number): Promise<number> => {
    const end = performance.now() + SPAN_MS;
    const more = (): boolean => performance.now() < end;
    const run = await pipe.run(puts(keys, { size, bytes: 100, node: "raw" }), { more, window });
    return (run.latencies.length * size * 1_000) / run.ms;
  };
  const found = { client: [] as number[], single: [] as number[], frame: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    found.single.push(await raw(1, UNDER_WAY));
    found.frame.push(await raw(UNDER_WAY, 1));
    found.client.push(await putting(client, keys));
  }
  pipe.close();
  client.close();
  return {
    clientPerSecond: median(found.client),
    singlePerSecond: median(found.single),
    framePerSecond: median(found.frame),
    replayMs: await replaying(grid),
    ...(await looking(grid)),
    gzipBytes: (await bundleOf("src/client/index.ts")).gzipBytes,
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

async function replaying(grid: Grid): Promise<number> {
  const net = cuttable();
  const client = await connect(grid.url, { WebSocket: net.make });
  const map = client.map<number>("replay");
  net.cut();
  while (client.status().state !== "offline") await new Promise((resume) => setTimeout(resume, 5));
  const writes = Array.from({ length: OFFLINE_WRITES }, (_, n) => map.set(`k${n}`, n));
  const began = performance.now();
  net.heal();
  await Promise.all(writes);
  client.close();
  return performance.now() - began;
}

/** What takes no network: without any, so that nothing else runs. */
async function looking(grid: Grid): Promise<Pick<SdkFigures, "peekUs" | "setFewUs" | "setManyUs">> {
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
  look(LOOKS / 10);
  const began = performance.now();
  look(LOOKS);
  const peekUs = ((performance.now() - began) * 1_000) / LOOKS;
  if (seen !== LOOKS * 1.1) throw new Error("an entry was not seen");
  client.close();
  await Promise.allSettled(sets);
  return { peekUs, setFewUs, setManyUs };
}
