/** Before every test of a mutant's project: only the one that is to find the mutant is run. */
import { beforeEach, inject } from "vitest";

declare module "vitest" {
  export interface ProvidedContext {
    readonly title: string;
  }
}

beforeEach(({ task, skip }) => {
  if (task.name !== inject("title")) skip();
});
