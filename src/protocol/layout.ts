/** What is in a list of fixed layout, and how that is said. */
import type { Problem } from "./checks.ts";

/** The fields of a list in order, each with its check. */
export type Layout = Readonly<Record<string, (value: unknown) => Problem | null>>;

/** `[key, sub, ...]`, for errors, the README and the hash of the schemas. */
export const describe = (layout: object): string => `[${Object.keys(layout).join(", ")}]`;

/** `{mapName, data, ...}`, likewise. */
export const describeFields = (layout: Layout): string => `{${Object.keys(layout).join(", ")}}`;
