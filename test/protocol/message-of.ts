/** Arbitraries of one message. */
import fc from "fast-check";

type Fields<M> = {
  [Name in keyof Omit<M, "type">]-?: fc.Arbitrary<Exclude<M[Name], undefined>>;
};

/** Fields named in `optional` are sometimes left out. */
export const of =
  <M extends { readonly type: string }>() =>
  (type: M["type"], fields: Fields<M>, optional: readonly string[] = []): fc.Arbitrary<M> => {
    const all: Record<string, fc.Arbitrary<unknown>> = { type: fc.constant(type), ...fields };
    const requiredKeys = Object.keys(all).filter((name) => !optional.includes(name));
    // Cloned: fast-check's records may have no prototype, which what is decoded always has.
    const message = fc.record(all, { requiredKeys }).map((plain) => structuredClone(plain));
    return message as fc.Arbitrary<unknown> as fc.Arbitrary<M>;
  };
