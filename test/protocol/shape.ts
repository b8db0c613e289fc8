/** Everything about a schema that is data: types, fields, choices, and the rule that each leaf states. */
export function shapeOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(shapeOf);
  if (typeof schema !== "object" || schema === null) return schema;
  const parts = Object.entries(schema)
    .filter(
      ([name, part]) => !name.startsWith("~") && typeof part !== "function" && part !== undefined,
    )
    .map(([name, part]) => [name, shapeOf(part)] as const);
  return Object.fromEntries(parts.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
