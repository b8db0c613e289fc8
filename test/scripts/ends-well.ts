/** What must be true of a play when nothing goes wrong any more. */
import { expect } from "vitest";
import type { NodeId } from "../../src/data/ids.ts";
import { PartitionId } from "../../src/data/ids.ts";
import type { Play } from "./commands.ts";
import { textOf } from "./show.ts";
import { showPartition } from "./state.ts";

const P = PartitionId(0);

/** Left to itself: one owner, with every write, each acknowledged; and nothing anywhere else. */
export function endsWell(play: Play): void {
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
