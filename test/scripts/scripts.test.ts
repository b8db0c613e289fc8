/**
 * Plays of the move, against the machines of production. `UPDATE=1` writes what happens below each `----`;
 * whatever that is, every write must be acknowledged and read back from the owner in the end, and nothing be
 * left anywhere else.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../src/data/ids.ts";
import { PartitionId } from "../../src/data/ids.ts";
import { Play } from "./commands.ts";
import { formatScript, parseScript } from "./script.ts";
import { textOf } from "./show.ts";
import { showPartition } from "./state.ts";

const FOLDER = fileURLToPath(new URL("./", import.meta.url));
const PLAYS = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));
const P = PartitionId(0);

describe("plays of the move", () => {
  it.each(PLAYS)("%s", (name) => {
    const text = readFileSync(FOLDER + name, "utf8");
    const play = new Play();
    const acts = parseScript(text).map((act) => ({ ...act, printed: play.run(act.command) }));
    const happened = formatScript(acts);
    if (process.env["UPDATE"] === "1") writeFileSync(FOLDER + name, happened);
    else expect(happened).toBe(text);
    isAboutSomething(text, play.stage.delivered);
    endsWell(play);
  });

  it("are all of them there", () => {
    expect(PLAYS.length).toBeGreaterThanOrEqual(20);
  });
});

/** It names what it shows, proves the moment, and the messages that it is about were on stage. */
function isAboutSomething(text: string, delivered: ReadonlyMap<string, number>): void {
  const [head = ""] = text.split("\nform ");
  expect(head, "the invariant that it shows").toMatch(/\bI\d+\b/);
  expect(text, "the phase that it is about").toMatch(/^require \S+ \S/m);
  const types = /^# About: (.+)$/m.exec(head)?.[1]?.split(" ") ?? [];
  expect(types.length, "the messages that it is about").toBeGreaterThan(0);
  for (const type of types) expect(delivered.get(type) ?? 0, type).toBeGreaterThan(0);
}

function endsWell(play: Play): void {
  const { stage } = play;
  play.settle();
  const reasons = [...stage.coordinator.disk.finished.values()].map(({ reason }) => reason);
  expect(reasons, "a move that stood still").not.toContain("out of time");
  const entry = stage.coordinator.disk.entries.get(P);
  const state = showPartition(stage, P).join("\n");
  expect(entry?.move, state).toBeNull();
  expect(entry?.holders, state).toEqual([entry?.ruling.owner]);
  for (const [id, { disk, rows }] of stage.nodes) {
    const isOwner = id === entry?.ruling.owner;
    expect(disk.partitions.get(P)?.role, `${id} in\n${state}`).toMatchObject(
      isOwner ? { type: "owner", copies: [], move: null } : { type: "none" },
    );
    if (!isOwner) expect(rows.count(P), `rows left at ${id}`).toBe(0);
  }
  everyWriteStands(play);
}

function everyWriteStands({ stage, written }: Play): void {
  const owner = stage.coordinator.disk.entries.get(P)?.ruling.owner;
  expect(owner).not.toBeNull();
  if (!owner) return;
  const acknowledged = new Set<number>();
  for (const answer of stage.answers)
    if (answer.type === "ACK" && answer.exceptions.every(({ result }) => result.type !== "refused"))
      acknowledged.add(answer.seq);
  expect(written.length).toBeGreaterThan(0);
  for (const { seq, key } of written) {
    expect(acknowledged, `w${seq} of ${key} is acknowledged`).toContain(seq);
    const [newest] = written
      .filter((other) => other.key === key)
      .toSorted((a, b) => b.millis - a.millis || b.seq - a.seq);
    expect(readFrom(stage, owner, key), `${key} at ${owner}`).toBe(newest?.value);
  }
}

/** As a client reads it. */
function readFrom(stage: Play["stage"], owner: NodeId, key: string): string | null | undefined {
  stage.client(owner, { type: "GET", seq: 0, keys: [{ map: "m", key }] });
  const answer = stage.answers.at(-1);
  const [value] = answer?.type === "VALUES" ? answer.values : [];
  if (value?.type !== "value") return undefined;
  return value.value && textOf(value.value);
}
