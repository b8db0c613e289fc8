/** Rows, batches and bounds for the contract tests, crowded so that identities meet. */
import fc from "fast-check";
import { PartitionId } from "../../src/data/ids.ts";
import { identityKey } from "../../src/core/rows/identity-key.ts";
import { crowdedIdentity, identity, rowOf, wellFormedText } from "../data/arbitraries.ts";

export const partitionId = fc.constantFrom(0, 1, 270, 16_383).map(PartitionId);

/** From few identities, and among them some with every kind of character. */
export const crowdedRow = rowOf(
  fc.oneof({ weight: 4, arbitrary: crowdedIdentity }, { weight: 1, arbitrary: identity }),
);

/** As a store wants them: no identity twice. */
export const distinctRows = fc.uniqueArray(crowdedRow, {
  minLength: 1,
  maxLength: 40,
  selector: identityKey,
});

export const bounds = fc.record({
  rowsMax: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(1_000)),
  bytesMax: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constant(1_000_000)),
});

export const after = fc.option(fc.oneof(crowdedIdentity, identity));

export const listQuery = fc.record({
  map: fc.constantFrom("", "m", "mm"),
  prefix: fc.oneof(fc.constantFrom("", "m", "k"), wellFormedText),
  after: fc.option(fc.oneof(fc.constantFrom("", "m", "k"), wellFormedText)),
});

/** Of a map, with an empty `sub`, as they come from outside. */
export const crowdedEntry = crowdedRow.map((row) => ({ ...row, sub: "" }));
