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
  readonly keys: "local" | "spread" | "bare" | "bare grouped";
  /** Operations per second, the median of all rounds. */
  readonly opsPerSecond: number;
}

type Kind = Pick<Rate, "what" | "frame" | "keys">;

export async function rates(grid: Grid, bare: Local, rounds: number): Promise<Rate[]> {
  const pipes = {
    grid: await gridPipe(grid, "n1"),
    bare: await Socket.open(bare.url),
    grouped: await Socket.open(new URL("/?grouped", bare.url)),
  };
  const local = keysWhere(KEYS, grid.owners.size, (id) => grid.owners.get(id) === "n1");
  const spread = keysWhere(KEYS, grid.owners.size, () => true);
  await filled(pipes.grid, [...new Set([...local, ...spread])]);
  await filled(pipes.bare, local); // the object is the same for both
  const found = new Map<string, { kind: Kind; rates: number[] }>();
  for (let round = 0; round < rounds; round++)
    for (const what of ["puts", "gets"] as const)
      for (const frame of FRAME_SIZES)
        for (const keys of ["local", "spread", "bare", "bare grouped"] as const) {
          const pipe =
            keys === "bare" ? pipes.bare : keys === "bare grouped" ? pipes.grouped : pipes.grid;
          const kind = { what, frame, keys };
          const rate = await measure(pipe, kind, keys === "spread" ? spread : local);
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
