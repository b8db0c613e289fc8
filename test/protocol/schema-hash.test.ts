/**
 * Changing what travels without changing the version would make objects of two deploys misread each
 * other. `schema-hash.txt` has one line per version: `version hash`.
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  encodeClientMessage,
  encodeEnvelope,
  encodeServerMessage,
} from "../../src/protocol/codec.ts";
import * as limits from "../../src/protocol/limits.ts";
import { CLIENT_SCHEMAS } from "../../src/protocol/schema-client.ts";
import { SERVER_SCHEMAS } from "../../src/protocol/schema-subscribed.ts";
import { CLUSTER_SCHEMAS } from "../../src/protocol/schema-cluster.ts";
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "../../src/protocol/version.ts";
import { envelope, SAMPLES } from "./samples.ts";
import { shapeOf } from "./shape.ts";

const FILE = "test/protocol/schema-hash.txt";

function currentHash(): string {
  const schemas = shapeOf([CLUSTER_SCHEMAS, CLIENT_SCHEMAS, SERVER_SCHEMAS]);
  const frames = [
    ...Object.values(SAMPLES.cluster).map((message) => encodeEnvelope(envelope(message))),
    ...Object.values(SAMPLES.client).map(encodeClientMessage),
    ...Object.values(SAMPLES.server).map(encodeServerMessage),
  ].map((bytes) => Buffer.from(bytes).toString("hex"));
  const text = JSON.stringify([schemas, frames, PROTOCOL_VERSION_MIN]);
  return createHash("sha256").update(text).digest("hex");
}

const lines = (): string[] => readFileSync(FILE, "utf8").trim().split("\n");

it("the schemas are those that this version was released with", () => {
  const line = `${PROTOCOL_VERSION} ${currentHash()}`;
  if (process.env["UPDATE"] === "1") {
    const others = lines().filter((old) => !old.startsWith(`${PROTOCOL_VERSION} `));
    writeFileSync(FILE, [...others, line, ""].join("\n"));
  }
  expect(
    lines(),
    `What travels has changed, the version (${PROTOCOL_VERSION}) has not. If this version has been deployed ` +
      "anywhere: count PROTOCOL_VERSION up in src/protocol/version.ts, say there what is new, keep what the version " +
      "before says acceptable, then run this test with UPDATE=1. If it has not: UPDATE=1 alone.",
  ).toContain(line);
});

it("each version has one line, in order", () => {
  const versions = lines().map((line) => Number(line.split(" ")[0]));
  expect(versions).toEqual(Array.from({ length: PROTOCOL_VERSION }, (_, i) => i + 1));
});

describe("what the hash sees", () => {
  const text = JSON.stringify(shapeOf(CLUSTER_SCHEMAS)) + JSON.stringify(shapeOf(CLIENT_SCHEMAS));

  it.each([
    ["the fields of a message", "destinationNodeId"],
    ["which are optional", '"type":"exact_optional"'],
    ["choices", "NOT_LEADING"],
    ["bounds", `integer 1 to ${limits.ADD_NODES_COUNT_MAX}`],
    ["the layout of rows", "[key, sub, millis, counter, node, value, expiresAt]"],
    ["the layout of a client's operations", "[map, key, millis, counter, node, value, expiresAt]"],
    ["error codes", "PROTOCOL_VERSION_MISMATCH"],
  ])("%s", (_, part) => {
    expect(text).toContain(part);
  });
});
