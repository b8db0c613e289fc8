/** In which order files of tests are run: a long one that comes last runs alone, and everybody waits for it. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The longest first, as measured; the others as Vitest would have them, by size. */
const LONG = [
  "test/mutants/mutants.test.ts",
  "test/e2e/hibernation.test.ts",
  "test/e2e/faults.test.ts",
  "test/e2e/demo.test.ts",
  "test/e2e/grow.test.ts",
  "test/sim/sim.test.ts",
  "test/e2e/subscriptions.test.ts",
  "test/e2e/idle.test.ts",
  "test/e2e/churn.test.ts",
  "test/e2e/back-pressure.test.ts",
  "test/e2e/failover-split.test.ts",
  "test/e2e/map-push.test.ts",
  "test/e2e/merge.test.ts",
  "test/model/model.test.ts",
  "test/e2e/failover.test.ts",
  "test/e2e/cuts.test.ts",
  "test/tidy/canaries.test.ts",
  "test/e2e/door.test.ts",
  "test/protocol/hostile.test.ts",
  "test/e2e/http-moves.test.ts",
  "test/e2e/backups.test.ts",
  "test/e2e/loads.test.ts",
  "test/e2e/sdk.test.ts",
  "test/examples/examples.test.ts",
];

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- that of the class, not of a list
    const others = await super.sort(files);
    return others.toSorted((a, b) => rankOf(a) - rankOf(b));
  }
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONG.findIndex((file) => moduleId.endsWith(file));
  return rank < 0 ? LONG.length : rank;
}
