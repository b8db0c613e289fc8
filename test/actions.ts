import fc from "fast-check";

/** One kind of what may happen in a property: its type, and what is drawn for it. */
export function record<T extends string, F extends Record<string, fc.Arbitrary<unknown>>>(
  type: T,
  fields: F,
): fc.Arbitrary<{ type: T } & { [K in keyof F]: F[K] extends fc.Arbitrary<infer V> ? V : never }> {
  return fc.record({ type: fc.constant(type), ...fields }) as never;
}
