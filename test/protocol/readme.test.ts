/** What the README tells the author of another client is what the code does. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DEFAULTS } from "../../src/core/config.ts";
import { decodeClientMessage } from "../../src/protocol/codec.ts";
import * as limits from "../../src/protocol/limits.ts";
import { CLIENT_CALL_LAYOUT } from "../../src/protocol/packed-calls.ts";
import { CLIENT_OP_LAYOUT, KEY_LAYOUT, OP_LAYOUTS } from "../../src/protocol/packed-ops.ts";
import { CLIENT_SET_LAYOUTS, OP_TAGS } from "../../src/protocol/packed-set-ops.ts";
import {
  EXCEPTION_LAYOUT,
  MEMBER_LAYOUT,
  RESULT_LAYOUTS,
} from "../../src/protocol/packed-results.ts";
import { ENTRY_OF_SCAN_LAYOUT } from "../../src/protocol/packed-scan.ts";
import {
  CHUNK_FIELDS,
  DELTA_FIELDS,
  ENTRY_LAYOUT,
  ROW_LAYOUT,
} from "../../src/protocol/packed-rows.ts";
import { describe as listOf, describeFields } from "../../src/protocol/layout.ts";
import { CLIENT_SCHEMAS } from "../../src/protocol/schema-client.ts";
import { SERVER_SCHEMAS } from "../../src/protocol/schema-subscribed.ts";
import { SAMPLES } from "./samples.ts";
import { shapeOf } from "./shape.ts";

const source = readFileSync("src/protocol/README.md", "utf8");
const readme = source.replaceAll(/\s+/g, " ");

/** The field names that a row of a table of messages mentions. */
function fieldsOf(type: string): string[] {
  const row = source.split("\n").find((line) => line.startsWith(`| \`${type}\` `)) ?? "";
  return [...row.matchAll(/`([a-zA-Z]+)\??`/g)].map((match) => match[1] ?? "");
}

it.each(Object.entries({ ...CLIENT_SCHEMAS, ...SERVER_SCHEMAS }))(
  "%s is listed with each field",
  (type, schema) => {
    const { entries } = shapeOf(schema) as { entries: Record<string, { type: string }> };
    const names = Object.keys(entries).filter((name) => name !== "type");
    expect(fieldsOf(type)).toEqual(expect.arrayContaining(names));
    for (const name of names)
      if (entries[name]?.type === "exact_optional") expect(readme).toContain(`\`${name}?\``);
  },
);

describe("layouts", () => {
  const tagged = (layout: object, tag: number): string =>
    `[${[tag, ...Object.keys(layout).slice(1)].join(", ")}]`;

  it.each([
    listOf(CLIENT_OP_LAYOUT),
    listOf(KEY_LAYOUT),
    listOf(CLIENT_CALL_LAYOUT),
    listOf(EXCEPTION_LAYOUT),
    listOf(ROW_LAYOUT),
    listOf(ENTRY_LAYOUT),
    listOf(ENTRY_OF_SCAN_LAYOUT),
    describeFields(CHUNK_FIELDS),
    describeFields(DELTA_FIELDS),
    ...Object.values(RESULT_LAYOUTS).map(tagged),
    listOf(MEMBER_LAYOUT),
    ...Object.entries({ ...OP_LAYOUTS, ...CLIENT_SET_LAYOUTS }).map(([name, layout]) =>
      tagged(layout, new Map(Object.entries(OP_TAGS)).get(name) ?? -1),
    ),
  ])("%s", (layout) => {
    expect(readme).toContain(layout);
  });
});

it("bounds", () => {
  const number = (n: number): string => n.toLocaleString("en");
  for (const bound of [
    `${limits.FRAME_BYTES_MAX / 2 ** 20} MiB, ${number(limits.FRAME_ITEMS_MAX)} msgpack values`,
    `| ${limits.ENVELOPE_BYTES_MAX / 2 ** 20} MiB |`,
    `| ${number(limits.FRAME_OPS_MAX)} |`,
    `| ${limits.KEY_BYTES_MAX} bytes of UTF-8, may be empty |`,
    `| ${limits.MAP_NAME_BYTES_MIN} to ${limits.MAP_NAME_BYTES_MAX} bytes of UTF-8 |`,
    `| ${limits.VALUE_BYTES_MAX / 2 ** 10} KiB |`,
    `At most ${number(limits.CHUNK_ROWS_MAX)} rows in each field, ${number(limits.DELTA_ROWS_MAX)} in \`deltaOps\``,
    `at most ${limits.DEPTH_MAX} levels`,
    `at most ${number(limits.MAP_HISTORY_MAX)} \`removedNodeIds\``,
    `at most every ${DEFAULTS.mapPushMs} ms`,
    `1 to ${limits.COMMAND_ID_BYTES_MAX} bytes of UTF-8; the last ${number(limits.COMMAND_IDS_MAX)} of an actor are remembered`,
    `${limits.VALUE_BYTES_MAX / 2 ** 10} KiB; ${number(limits.EVENTS_MAX)} events of one command`,
    `| ${limits.MAILBOX_MAX} |`,
    `1 to ${limits.REFUSAL_BYTES_MAX} bytes, up to ${limits.ERROR_TEXT_BYTES_MAX / 2 ** 10} KiB`,
  ])
    expect(readme).toContain(bound);
});

it("the examples are frames, and say what is said of them", () => {
  const examples = source.split("## Examples")[1]?.split("```")[1] ?? "";
  const frames = examples
    .trim()
    .split("\n\n")
    .map((hex) => Buffer.from(hex.replaceAll("\n", ""), "hex"));
  expect(frames.map((frame) => decodeClientMessage(frame))).toStrictEqual([
    { ok: true, value: SAMPLES.client["hello"] },
    { ok: true, value: SAMPLES.client["ops"] },
  ]);
});
