import { INVARIANTS } from "./checkers.ts";
import { World } from "./world.ts";

interface Failure {
  readonly seed: number;
  readonly message: string;
  readonly trace: readonly string[];
}

export interface Outcome {
  readonly summary: Record<string, number>;
  readonly failure: Failure | null;
}

/** Stops at the first failure. */
export function runSeeds(first: number, seeds: number): Outcome {
  const summary: Record<string, number> = { seeds: 0 };
  const add = (name: string, value: number): void => {
    summary[name] = (summary[name] ?? 0) + value;
  };
  for (let seed = first; seed < first + seeds; seed++) {
    const world = new World(seed);
    let failure: Failure | null = null;
    try {
      world.run();
    } catch (error) {
      const message = error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
      failure = { seed, message, trace: world.trace.slice(-60) };
    }
    add("seeds", 1);
    for (const [name, value] of Object.entries(world.counts)) add(name, value);
    for (const [phase, value] of world.writesPerPhase) add(`writes while ${phase}`, value);
    for (const [name, value] of world.sdks.tally.counts) add(`clients: ${name}`, value);
    for (const [name, value] of world.storm?.strikes ?? []) add(name, value);
    if (world.nodes.size > 8) add("runs of more than 8 nodes", 1);
    for (const id of INVARIANTS) add(`${id} judged`, world.checkers.evaluated.get(id) ?? 0);
    if (failure) return { summary, failure };
  }
  return { summary, failure: null };
}
