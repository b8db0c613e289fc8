/** Holds each schema to the type that is declared for its message: the compiler compares them. */
import type { OutputOf, Schema } from "./shapes.ts";

/**
 * A type with its optional fields made visible, since assigning does not notice an optional field that
 * one side lacks. `readonly` does not count; ids and bytes are leaves.
 */
type Visible<T> = T extends string | number | boolean | null | undefined | Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? Visible<Item>[]
    : {
        [Key in keyof T]-?: {
          value: Visible<T[Key]>;
          optional: Partial<Pick<T, Key>> extends Pick<T, Key> ? true : false;
        };
      };

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

/** `declared<M>()(schema)`: does not compile unless the schema gives exactly an `M`. */
export const declared =
  <M>() =>
  <S extends Schema<M>>(
    schema: S &
      (Same<Visible<OutputOf<S>>, Visible<M>> extends true ? unknown : { readonly differsFrom: M }),
  ): Schema<M> =>
    schema;
