/** What must be true of a play when nothing goes wrong any more. */
import { expect } from "vitest";
import { completeAt } from "../../src/core/coordinator/wanted.ts";
import { NodeId, PartitionId } from "../../src/data/ids.ts";
import type { Play } from "./commands.ts";
import { textOf } from "./show.ts";
import { showPartition } from "./state.ts";

const P = PartitionId(0);

/** Left to itself: one owner, with every write, each acknowledged; as many copies as are wanted; nothing anywhere else. */
export function endsWell(play: Play): void {
  const { stage } = play;
  play.settle();
  const reasons = [...stage.coordinator.disk.finished.values()].map(({ reason }) => reason);
  expect(reasons, "a move that stood still").not.toContain("out of time");
  const entry = stage.coordinator.disk.entries.get(P);
  const state = showPartition(stage, P).join("\n");
  expect(entry?.move, state).toBeNull();
  const complete = entry ? completeAt(entry) : [];
  expect(entry?.holders.toSorted(), state).toEqual(complete.toSorted());
  const there = stage.coordinator.disk.view.members.filter((m) => m.state === "active").length;
  expect(complete.length, state).toBe(1 + Math.min(stage.config.backupCount, there - 1));
  const [owner = ""] = complete;
  for (const [id, { disk, rows }] of stage.nodes) {
    const role = disk.partitions.get(P)?.role;
    expect(role, `${id} in\n${state}`).toMatchObject(roleOf(complete, id));
    if (!complete.includes(id)) expect(rows.count(P), `rows left at ${id}`).toBe(0);
    else expect(rowsAt(stage, id), `${id} in\n${state}`).toEqual(rowsAt(stage, owner));
  }
  everyWriteStands(play);
}

function roleOf([owner, ...copies]: readonly NodeId[], id: NodeId): object {
  if (copies.includes(id)) return { type: "copy", state: "complete" };
  if (id !== owner) return { type: "none" };
  const named = copies.map((nodeId) => expect.objectContaining({ nodeId, state: "complete" }));
  return { type: "owner", move: null, copies: named };
}

const rowsAt = ({ nodes }: Play["stage"], id: string): unknown =>
  nodes
    .get(NodeId(id))
    ?.rows.page(P, null, { rowsMax: 1_000, bytesMax: 1_000_000 })
    .rows.map(({ row }) => row);

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
