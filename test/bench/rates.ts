/** Puts and gets per second over one socket, beside the bare object, in interleaved rounds. */
import { fill, gets, puts } from "./frames.ts";
import type { Pipe, Run } from "./pipe.ts";
import { Pipe as Socket } from "./pipe.ts";
import { median } from "./stats.ts";
import { gridPipe, keysWhere, type Grid } from "./worlds.ts";
import type { Local } from "../../src/cli/local.ts";

const KEYS = 20_000;
const VALUE_BYTES = 100;
const WINDOW = 32;
/** ms that one measurement takes. */
const SPAN_MS = 600;
const FRAME_SIZES = [1, 16, 64] as const;

export interface Rate {
  readonly what: "puts" | "gets";
  readonly frame: number;
  /** `backed up`: local keys of a grid that keeps one backup of each partition. */
  readonly keys: "local" | "backed up" | "spread" | "bare" | "bare grouped";
  /** Operations per second, the median of all rounds. */
  readonly opsPerSecond: number;
}

type Kind = Pick<Rate, "what" | "frame" | "keys">;

const KINDS = ["local", "backed up", "spread", "bare", "bare grouped"] as const;

interface Worlds {
  readonly grid: Grid;
  readonly backed: Grid;
  readonly bare: Local;
}

export async function rates({ grid, backed, bare }: Worlds, rounds: number): Promise<Rate[]> {
  const pipes = {
    local: await gridPipe(grid, "n1"),
    spread: await gridPipe(grid, "n1"),
    "backed up": await gridPipe(backed, "n1"),
    bare: await Socket.open(bare.url),
    "bare grouped": await Socket.open(new URL("/?grouped", bare.url)),
  };
  const ofFirst = ({ owners }: Grid): readonly string[] =>
    keysWhere(KEYS, owners.size, (id) => owners.get(id) === "n1");
  const local = ofFirst(grid);
  const spread = keysWhere(KEYS, grid.owners.size, () => true);
  const keysOf = {
    local,
    spread,
    "backed up": ofFirst(backed),
    bare: local,
    "bare grouped": local,
  };
  await filled(pipes.local, [...new Set([...local, ...spread])]);
  await filled(pipes.bare, local); // the object is the same for both
  await filled(pipes["backed up"], keysOf["backed up"]);
  const found = new Map<string, { kind: Kind; rates: number[] }>();
  for (let round = 0; round < rounds; round++)
    for (const what of ["puts", "gets"] as const)
      for (const frame of FRAME_SIZES)
        for (const keys of KINDS) {
          if (what === "gets" && keys === "backed up") continue;
          const kind = { what, frame, keys };
          const rate = await measure(pipes[keys], kind, keysOf[keys]);
          const name = JSON.stringify(kind);
          const entry = found.get(name) ?? { kind, rates: [] };
          found.set(name, entry);
          entry.rates.push(rate);
        }
  for (const pipe of Object.values(pipes)) pipe.close();
  return [...found.values()].map(({ kind, rates: all }) => ({
    ...kind,
    opsPerSecond: median(all),
  }));
}

/** A get of nothing is quicker than one of an entry. */
export async function filled(pipe: Pipe, keys: readonly string[]): Promise<void> {
  const size = FRAME_SIZES[2];
  let frames = Math.ceil(keys.length / size);
  const make = fill(keys, { size, bytes: VALUE_BYTES, node: "bench" });
  await pipe.run(make, { more: () => frames-- > 0, window: WINDOW });
}

async function measure(
  pipe: Pipe,
  { what, frame }: Kind,
  keys: readonly string[],
): Promise<number> {
  const make =
    what === "gets"
      ? gets(keys, frame)
      : puts(keys, { size: frame, bytes: VALUE_BYTES, node: "bench" });
  const run = await timed(pipe, make);
  return (run.latencies.length * frame * 1_000) / run.ms;
}

function timed(pipe: Pipe, make: Parameters<Pipe["run"]>[0]): Promise<Run> {
  const end = performance.now() + SPAN_MS;
  return pipe.run(make, { more: () => performance.now() < end, window: WINDOW });
}
