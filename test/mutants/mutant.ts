/**
 * A deliberate bug: a patch to one production file, and what must find it. A patch that does not fit any
 * more fails its test, so the list cannot rot.
 */
import type { Invariant } from "../sim/checkers.ts";

export interface Mutant {
  /** As the catalogue calls it. */
  readonly name: string;
  readonly bug: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly killedBy: Killer;
  /** The model checker finds it, too. */
  readonly killedIn?: World;
}

/** One of these is found broken in this world of `test/model/worlds.ts`. */
export interface World {
  readonly world: string;
  readonly invariants: readonly Invariant[];
}

type Killer = Checkers | Test | World;

/** One of these checkers, in a run of at most so many seeds. */
export interface Checkers {
  readonly checkers: readonly Invariant[];
  readonly seeds: number;
  /** The first of them, 1 if left out. */
  readonly from?: number;
}

/** A test of this file; a play is a test of `scripts.test.ts`, named as its own file. */
export interface Test {
  readonly file: string;
  readonly title: string;
}

/** Errors by which a test says what is wrong with what it tests. What only crashes is none. */
export const JUDGEMENTS = ["AssertionError", "Violation"];

const PLAYS = "test/scripts/scripts.test.ts";

export const play = (title: string): Test => ({ file: PLAYS, title });
export const rule = (title: string): Test => ({ file: "test/core/rules.test.ts", title });
export const stamp = (title: string): Test => ({ file: "test/core/stamps.test.ts", title });
export const reign = (title: string): Test => ({ file: "test/core/reign.test.ts", title });
export const failover = (title: string): Test => ({
  file: "test/core/failover.test.ts",
  title,
});
export const forced = (title: string): Test => ({ file: "test/core/forced.test.ts", title });
export const restored = (title: string): Test => ({
  file: "test/core/restored.test.ts",
  title,
});
export const gone = (title: string): Test => ({ file: "test/core/gone.test.ts", title });
export const orders = (title: string): Test => ({ file: "test/core/orders.test.ts", title });
export const successor = (title: string): Test => ({
  file: "test/core/successor.test.ts",
  title,
});
export const backup = (title: string): Test => ({ file: "test/core/backups.test.ts", title });
export const bound = (title: string): Test => ({ file: "test/core/back-pressure.test.ts", title });
export const flow = (title: string): Test => ({ file: "test/core/node/flow.test.ts", title });

/** As the catalogue says it. */
export function nameOf({ killedBy, killedIn }: Mutant): string {
  return nameOfKiller(killedBy) + (killedIn ? `; ${nameOfKiller(killedIn)}` : "");
}

function nameOfKiller(killer: Killer): string {
  if ("checkers" in killer) return killer.checkers.join(", ");
  if ("world" in killer) return `world ${killer.world}: ${killer.invariants.join(", ")}`;
  return killer.file === PLAYS ? `play ${killer.title}` : `test ${killer.title}`;
}

export function patched(text: string, { name, find, replace }: Mutant): string {
  const [before = "", after, ...more] = text.split(find);
  if (after === undefined || more.length > 0) throw new Error(`the patch does not fit: ${name}`);
  return before + replace + after;
}
