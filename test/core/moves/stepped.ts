/** A play that goes on message by message, under whatever is done to each. */
import { expect } from "vitest";
import { NodeId, PartitionId } from "../../../src/data/ids.ts";
import type { Row } from "../../../src/data/row.ts";
import { Play } from "../../scripts/commands.ts";
import type { Letter, Stage } from "../../scripts/stage.ts";

export const P = PartitionId(0);
export const [SOURCE, TARGET] = [NodeId("n1"), NodeId("n2")];

const STEPS_MAX = 2_000;

export function playOf(...commands: readonly string[]): Play {
  const play = new Play();
  for (const command of commands) play.run(command);
  return play;
}

/** Until nothing is on its way. `next` takes a letter out and delivers it, or not. */
export function steps(stage: Stage, next: (letter: Letter, step: number) => void): number {
  for (let step = 0; ; step++) {
    const letter = stage.letters.shift();
    if (!letter) return step;
    expect(step, "this does not come to rest").toBeLessThan(STEPS_MAX);
    next(letter, step);
  }
}

export const rowsAt = ({ nodes }: Stage, id: NodeId): readonly Row[] =>
  nodes
    .get(id)
    ?.rows.page(P, null, { rowsMax: 1_000, bytesMax: 2 ** 20 })
    .rows.map(({ row }) => row) ?? [];

export const ownerIn = ({ coordinator }: Stage): NodeId | null | undefined =>
  coordinator.disk.entries.get(P)?.ruling.owner;
