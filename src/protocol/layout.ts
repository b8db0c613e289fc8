/** What is in a list of fixed layout, and how that is said. */
import type { Result } from "../data/result.ts";
import type { Problem } from "./checks.ts";
import type { Schema } from "./shapes.ts";

/** The fields of a list in order, each with its check. */
export type Layout = Readonly<Record<string, (value: unknown) => Problem | null>>;

/** `[key, sub, ...]`, for errors, the README and the hash of the schemas. */
export const describe = (layout: object): string => `[${Object.keys(layout).join(", ")}]`;

/** `{mapName, data, ...}`, likewise. */
export const describeFields = (layout: Layout): string => `{${Object.keys(layout).join(", ")}}`;

/** A value that becomes a `T` by unpacking. `name` states the layout. */
export const packed = <T>(
  name: string,
  unpack: (wire: unknown) => Result<T, Problem>,
): Schema<T> & { readonly name: string } => ({
  type: "packed",
  name,
  read: (value) => {
    const unpacked = unpack(value);
    return unpacked.ok ? unpacked.value : unpacked.error;
  },
});
