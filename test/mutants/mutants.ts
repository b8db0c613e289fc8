import { IN_ABSENCES } from "./in-absences.ts";
import { IN_ACTORS } from "./in-actors.ts";
import { IN_BACKUPS } from "./in-backups.ts";
import { IN_BOUNDS } from "./in-bounds.ts";
import { IN_CLIENT } from "./in-client.ts";
import { IN_COLLECTION } from "./in-collection.ts";
import { IN_DETECTORS } from "./in-detectors.ts";
import { IN_FORGOTTEN } from "./in-forgotten.ts";
import { IN_IDLE } from "./in-idle.ts";
import { IN_MERGES } from "./in-merges.ts";
import { IN_ORDERS } from "./in-orders.ts";
import { IN_PERSISTENCE } from "./in-persistence.ts";
import { IN_REIGN } from "./in-reign.ts";
import { IN_REMOVALS } from "./in-removals.ts";
import { IN_REPAIR } from "./in-repair.ts";
import { IN_RETURNS } from "./in-returns.ts";
import { IN_RUNS } from "./in-runs.ts";
import { IN_SDK } from "./in-sdk.ts";
import { IN_SETS } from "./in-sets.ts";
import { IN_SUBSCRIPTIONS } from "./in-subscriptions.ts";
import { IN_TESTS } from "./in-tests.ts";
import { IN_WORLDS } from "./in-worlds.ts";
import type { Mutant } from "./mutant.ts";

const ALL: readonly Mutant[] = [
  ...IN_RUNS,
  ...IN_TESTS,
  ...IN_ABSENCES,
  ...IN_ACTORS,
  ...IN_BACKUPS,
  ...IN_BOUNDS,
  ...IN_CLIENT,
  ...IN_REMOVALS,
  ...IN_COLLECTION,
  ...IN_DETECTORS,
  ...IN_FORGOTTEN,
  ...IN_IDLE,
  ...IN_MERGES,
  ...IN_ORDERS,
  ...IN_PERSISTENCE,
  ...IN_REIGN,
  ...IN_REPAIR,
  ...IN_RETURNS,
  ...IN_SDK,
  ...IN_SETS,
  ...IN_SUBSCRIPTIONS,
];

export const MUTANTS: readonly Mutant[] = ALL.map((mutant) => {
  const killedIn = IN_WORLDS[mutant.name];
  return killedIn ? { ...mutant, killedIn } : mutant;
});
