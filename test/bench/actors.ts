/** Calls of actors beside a bare object that writes one row and answers; calls beside moves; and what a long history costs. */
import type { ClientMessage } from "../../src/protocol/client-messages.ts";
import { encodeJson } from "../../src/protocol/values.ts";
import { partitionOf } from "../../src/data/hash.ts";
import type { Local } from "../../src/cli/local.ts";
import { puts } from "./frames.ts";
import { move } from "./migrations.ts";
import type { Pipe, Run } from "./pipe.ts";
import { Pipe as Socket } from "./pipe.ts";
import { median, quantile } from "./stats.ts";
import { gridPipe, keysWhere, ownersOf, type Grid } from "./worlds.ts";

const WINDOW = 32;
const SPAN_MS = 600;
const MANY = 1_000;
const VALUE_BYTES = 100;
/** Entries of an actor that moves, and calls while it does. */
const HISTORY = 10_000;
const CALLS = 1_000;
const MOVES_MIN = 5;
const LONG = 100_000;
const SHORT = 100;

export interface ActorFigures {
  /** Per second, medians of the rounds. */
  readonly bare: number;
  readonly one: number;
  readonly many: number;
  readonly backed: number;
  readonly moving: MovingFigures;
  readonly activation: { readonly shortMs: number; readonly longMs: number };
}

interface MovingFigures {
  readonly calls: number;
  readonly moves: number;
  readonly p50: number;
  readonly p99: number;
}

const command = encodeJson({ type: "add", amount: 1 }, "command");
const question = encodeJson({ type: "get" }, "command");
let commands = 0;

/** Frames of one command, to each of these in turn. */
function calls(ids: readonly string[]): (seq: number) => ClientMessage {
  let next = 0;
  return (seq) => frameOf(seq, ids[next++ % ids.length] ?? "", `bench-${++commands}`);
}

function frameOf(seq: number, id: string, commandId: string | null): ClientMessage {
  const said = commandId === null ? question : command;
  if (!said.ok) throw new Error(said.error.message);
  const call = { map: "counter", key: id, commandId, expectedVersion: null, command: said.value };
  return { type: "CALL", seq, calls: [call] };
}

interface Worlds {
  readonly grid: Grid;
  readonly backed: Grid;
  readonly bare: Local;
}

export async function benchActors(worlds: Worlds, rounds: number): Promise<ActorFigures> {
  const { grid, backed, bare } = worlds;
  const pipes = [await gridPipe(grid, "n1"), await gridPipe(backed, "n1")] as const;
  const bareSocket = await Socket.open(bare.url);
  const ids = keysWhere(MANY, grid.owners.size, (id) => grid.owners.get(id) === "n1");
  const backedIds = keysWhere(MANY, backed.owners.size, (id) => backed.owners.get(id) === "n1");
  const rates = { bare: [], one: [], many: [], backed: [] } as Record<string, number[]>;
  const kinds: Record<string, () => Promise<Run>> = {
    bare: () => timed(bareSocket, puts(ids, { size: 1, bytes: VALUE_BYTES, node: "bench" })),
    one: () => timed(pipes[0], calls(ids.slice(0, 1))),
    many: () => timed(pipes[0], calls(ids)),
    backed: () => timed(pipes[1], calls(backedIds)),
  };
  for (let round = 0; round <= rounds; round++)
    for (const [kind, run] of Object.entries(kinds)) {
      const { latencies, ms } = await run();
      if (round > 0) rates[kind]?.push((latencies.length * 1_000) / ms);
    }
  const of = (kind: string): number => median(rates[kind] ?? []);
  for (const pipe of [...pipes, bareSocket]) pipe.close();
  const moving = await whileMoving(grid, ids[0] ?? "");
  const activation = await activating(grid, rounds);
  return {
    bare: of("bare"),
    one: of("one"),
    many: of("many"),
    backed: of("backed"),
    moving,
    activation,
  };
}

function timed(pipe: Pipe, make: Parameters<Pipe["run"]>[0]): Promise<Run> {
  const end = performance.now() + SPAN_MS;
  return pipe.run(make, { more: () => performance.now() < end, window: WINDOW });
}

async function filled(grid: Grid, id: string, count: number): Promise<void> {
  const pipe = await gridPipe(grid, await ownerOf(grid, id));
  let left = count;
  await pipe.run(calls([id]), { more: () => left-- > 0, window: WINDOW });
  pipe.close();
}

const placeOf = (grid: Grid, id: string): number => partitionOf(id, grid.owners.size);

const ownerOf = async (grid: Grid, id: string): Promise<string> =>
  (await ownersOf(grid)).get(placeOf(grid, id)) ?? "n1";

async function moved(grid: Grid, id: string): Promise<void> {
  const from = await ownerOf(grid, id);
  await move(grid, placeOf(grid, id), ["n1", "n2", "n3"].find((node) => node !== from) ?? "n1");
}

/** One call at a time, at a node that passes it on, while its actor goes from node to node. */
async function whileMoving(grid: Grid, id: string): Promise<MovingFigures> {
  await filled(grid, id, HISTORY);
  const pipe = await gridPipe(grid, "n3");
  const over = new AbortController();
  let [left, moves] = [CALLS, 0];
  const shuttling = (async (): Promise<void> => {
    for (; !over.signal.aborted; moves++) await moved(grid, id);
  })();
  const more = (): boolean => left-- > 0 || moves < MOVES_MIN;
  const { latencies } = await pipe.run(calls([id]), { more, window: 1 });
  over.abort();
  await shuttling;
  pipe.close();
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  return { calls: latencies.length, moves, p50, p99 };
}

/** Of the first question after a move: its new owner has not seen the actor yet. */
async function activating(grid: Grid, rounds: number): Promise<ActorFigures["activation"]> {
  const [short, long] = ["short-history", "long-history"];
  await filled(grid, short, SHORT);
  await filled(grid, long, LONG);
  const times = new Map([short, long].map((id): [string, number[]] => [id, []]));
  for (let round = 0; round <= rounds; round++)
    for (const id of [short, long]) {
      await moved(grid, id);
      const pipe = await gridPipe(grid, await ownerOf(grid, id));
      let left = 1;
      const ask = (seq: number): ClientMessage => frameOf(seq, id, null);
      const { latencies } = await pipe.run(ask, { more: () => left-- > 0, window: 1 });
      pipe.close();
      if (round > 0) times.get(id)?.push(...latencies);
    }
  return { shortMs: median(times.get(short) ?? []), longMs: median(times.get(long) ?? []) };
}
