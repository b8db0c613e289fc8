/** The compiler holds schemas to the declared types: each wrong schema here must fail to compile. */
import * as v from "../../src/protocol/shapes.ts";
import { expect, it } from "vitest";
import { count, text } from "../../src/protocol/schema.ts";
import { declared } from "../../src/protocol/declared.ts";

interface Message {
  readonly type: "A";
  readonly names: readonly string[];
  readonly reason?: string;
}

const type = v.literal("A");
const names = v.list(text(0, 9), 9);
const reason = v.exactOptional(text(0, 9));

it("takes the schema that gives exactly the declared type", () => {
  expect(declared<Message>()(v.object({ type, names, reason }))).toBeDefined();
});

it("takes no other", () => {
  // @ts-expect-error: an optional field is missing, which assigning alone would not notice
  declared<Message>()(v.object({ type, names }));
  // @ts-expect-error: a field is missing
  declared<Message>()(v.object({ type, reason }));
  // @ts-expect-error: a field too many
  declared<Message>()(v.object({ type, names, reason, more: text(0, 9) }));
  // @ts-expect-error: optional, but required by the type
  declared<Message>()(v.object({ type, names: v.exactOptional(names), reason }));
  // @ts-expect-error: required, but optional in the type
  declared<Message>()(v.object({ type, names, reason: text(0, 9) }));
  // @ts-expect-error: narrower than the type
  declared<Message>()(v.object({ type, names: v.list(v.literal("x"), 9), reason }));
  // @ts-expect-error: another type
  declared<Message>()(v.object({ type, names: v.list(count(), 9), reason }));
  expect.assertions(0);
});
