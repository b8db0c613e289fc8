/**
 * Plays of the move, against the machines of production. `UPDATE=1` writes what happens below each `----`;
 * whatever that is, every acknowledged write must be at the owner in the end, and nothing anywhere else.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { PartitionId } from "../../src/data/ids.ts";
import { Play } from "./commands.ts";
import { formatScript, parseScript } from "./script.ts";
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
    if (process.env["UPDATE"] === undefined) expect(happened).toBe(text);
    else writeFileSync(FOLDER + name, happened);
    endsWell(play);
  });

  it("are all of them there", () => {
    expect(PLAYS.length).toBeGreaterThanOrEqual(14);
  });
});

function endsWell(play: Play): void {
  play.settle();
  const { stage } = play;
  const entry = stage.coordinator.disk.entries.get(P);
  const state = showPartition(stage, P).join("\n");
  expect(entry?.move, state).toBeNull();
  expect(entry?.holders, state).toEqual([entry?.ruling.owner]);
  expect(stage.delivered.get("MIGRATE_DATA") ?? 0, "rows were moved").toBeGreaterThan(0);
  for (const [id, { disk, rows }] of stage.nodes) {
    const isOwner = id === entry?.ruling.owner;
    expect(disk.partitions.get(P)?.role.type, `${id} in\n${state}`).toBe(
      isOwner ? "owner" : "none",
    );
    if (!isOwner) expect(rows.count(P), `rows left at ${id}`).toBe(0);
  }
  everyWriteStands(play);
}

function everyWriteStands({ stage, written }: Play): void {
  const owner = stage.coordinator.disk.entries.get(P)?.ruling.owner;
  expect(owner).not.toBeNull();
  if (!owner) return;
  const { rows } = stage.node(owner);
  const acknowledged = new Set(
    stage.answers.flatMap((answer) => (answer.type === "ACK" ? [answer.seq] : [])),
  );
  expect(written.length).toBeGreaterThan(0);
  for (const { seq, key } of written) {
    expect(acknowledged, `w${seq} of ${key} is acknowledged`).toContain(seq);
    const [newest] = written
      .filter((other) => other.key === key)
      .toSorted((a, b) => b.millis - a.millis || b.seq - a.seq);
    const [stored] = rows.read(P, [{ map: "m", key, kind: "lww", sub: "" }]);
    const value = stored?.row.value ? new TextDecoder().decode(stored.row.value) : null;
    expect(value, `${key} at ${owner}`).toBe(newest?.value);
  }
}
