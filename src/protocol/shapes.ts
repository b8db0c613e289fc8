/**
 * What a message is made of. Each part states its rule as data, for the hash of the schemas, and turns a value that was
 * read from bytes into what is declared. A library for it was nearly a tenth of what a browser
 * loads.
 */
import { isProblem, listProblem, malformed, within, type Problem } from "./checks.ts";
import { isFields } from "./reader.ts";

export interface Schema<T> {
  readonly type: string;
  /** The value, without what nobody has declared; else what is wrong with the first part of it that is. */
  readonly read: (value: unknown) => T | Problem;
  /** Of a field that may be left out: what it is then; undefined: it is left out here, too. */
  readonly missing?: () => T | undefined;
}

export type OutputOf<S> = S extends Schema<infer T> ? T : never;

type Entries = Readonly<Record<string, Schema<unknown>>>;

interface Optional<T> extends Schema<T> {
  readonly type: "exact_optional";
  readonly wrapped: object;
}

type OptionalIn<E extends Entries> = {
  [Name in keyof E]: E[Name] extends Optional<unknown> ? Name : never;
}[keyof E];

type Fields<E extends Entries> = {
  readonly [Name in Exclude<keyof E, OptionalIn<E>>]: OutputOf<E[Name]>;
} & { readonly [Name in OptionalIn<E>]?: OutputOf<E[Name]> };

type Flat<T> = { readonly [Name in keyof T]: T[Name] };

/** Fields that it does not name are left out. */
export const object = <const E extends Entries>(entries: E): Schema<Flat<Fields<E>>> => {
  const parts = Object.entries(entries);
  return part("object", { entries }, (value) => {
    if (!isFields(value)) return malformed("a map");
    const fields: Record<string, unknown> = {};
    for (const [name, { read, missing }] of parts) {
      const isThere = Object.hasOwn(value, name);
      const field = isThere ? read(value[name]) : missing ? missing() : malformed("present");
      if (isProblem(field)) return within(field, `.${name}`);
      if (field !== undefined) fields[name] = field;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each field was read by its own schema
    return fields as Flat<Fields<E>>;
  });
};

/** The field may be left out. It is never nil. */
export const exactOptional = <T>({ read, ...wrapped }: Schema<T>): Optional<T> => ({
  type: "exact_optional",
  wrapped,
  read,
  missing: () => undefined,
});

/** The field may be left out, and then is this. */
export const optional = <T>({ read, ...wrapped }: Schema<T>, missing: () => T): Schema<T> => ({
  ...part("optional", { wrapped }, read),
  missing,
});

export const nullable = <T>({ read, ...wrapped }: Schema<T>): Schema<T | null> =>
  part("nullable", { wrapped }, (value) => (value === null ? null : read(value)));

export const literal = <const T extends string | number | boolean>(expected: T): Schema<T> =>
  picklist([expected]);

export function picklist<const T extends string | number | boolean>(
  options: readonly T[],
): Schema<T> {
  const problem = malformed(options.map((option) => JSON.stringify(option)).join(" or "));
  return part("picklist", { options }, (value) => options.find((one) => one === value) ?? problem);
}

export const boolean = (): Schema<boolean> =>
  part("boolean", {}, (value) => (typeof value === "boolean" ? value : malformed("boolean")));

/** Maps of several kinds: that field names the kind. */
export const variant = <const O extends Entries>(
  field: string,
  options: O,
): Schema<OutputOf<O[keyof O]>> => {
  const names = Object.keys(options).map((name) => JSON.stringify(name));
  const problem = within(malformed(names.join(" or ")), `.${field}`);
  return part("variant", { field, options }, (value) => {
    if (!isFields(value)) return malformed("a map");
    const kind = value[field];
    const option = typeof kind === "string" && Object.hasOwn(options, kind) && options[kind];
    if (!option) return problem;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- read by one of them
    return option.read(value) as OutputOf<O[keyof O]> | Problem;
  });
};

/** A value that is a `T` as it is, where `problemOf` has no objection. `name` states the rule. */
export const leaf = <T>(name: string, problemOf: (value: unknown) => Problem | null): Schema<T> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- to which nobody objects
  part("leaf", { name }, (value) => problemOf(value) ?? (value as T));

/** Bounded before the first item is looked at. */
export const list = <T>(item: Schema<T>, max: number): Schema<readonly T[]> =>
  part("list", { item, max }, (value) => {
    if (!Array.isArray(value) || value.length > max)
      return listProblem(value, 0, max) ?? malformed("a list");
    const items: T[] = [];
    for (let i = 0; i < value.length; i++) {
      const read = item.read(value[i]);
      if (isProblem(read)) return within(read, `[${i}]`);
      items.push(read);
    }
    return items;
  });

/** The fields of an object as a list, without their names. What reads as undefined is left out. */
export const tuple = <const E extends Entries>(entries: E): Schema<Flat<Fields<E>>> => {
  const places = Object.entries(entries).map(([name, { read }], at) => ({ name, at, read }));
  const layout = malformed(`[${Object.keys(entries).join(", ")}]`);
  return part("tuple", { entries }, (value) => {
    if (!Array.isArray(value) || value.length !== places.length) return layout;
    const fields: Record<string, unknown> = {};
    for (const { name, at, read } of places) {
      const field = read(value[at]);
      if (isProblem(field)) return within(field, `.${name}`);
      if (field !== undefined) fields[name] = field;
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    return fields as Flat<Fields<E>>;
  });
};

/** What was read is another thing here than on the wire. */
export const transform = <A, B>(
  { read, ...from }: Schema<A>,
  to: (value: A) => B | Problem,
): Schema<B> =>
  part("transform", { from }, (value) => {
    const wire = read(value);
    return isProblem(wire) ? wire : to(wire);
  });

/** `data`: what the rule says of itself. */
const part = <T>(type: string, data: object, read: Schema<T>["read"]): Schema<T> => ({
  type,
  ...data,
  read,
});
