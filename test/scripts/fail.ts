import { AssertionError } from "node:assert";

/** What is played is not what was to happen: an objection like any other, and no mistake of the play. */
export function fail(message: string): never {
  throw new AssertionError({ message });
}
