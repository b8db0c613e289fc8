/** What comes back from rows and definitions, to whom it concerns; then the next command. */
import type { PartitionId } from "../../data/ids.ts";
import type { RowEvent } from "../rows/effects.ts";
import type { NodeTag } from "../node/events.ts";
import type { Turn } from "../node/turn.ts";
import { readyIfRested } from "../partition/owner.ts";
import { spread } from "../partition/spread.ts";
import { activationsIn, memoryOf, setActors } from "./actors.ts";
import { onAppended, send } from "./append.ts";
import type { ActorEvent } from "./effects.ts";
import { onDecided, onListed, onRecalled } from "./execute.ts";
import { goOn } from "./mailbox.ts";
import { onRead, onReentered, onReplayed } from "./replay.ts";
import { isPaused } from "./rest.ts";
import type { ActorTag } from "./tags.ts";

export function onActor(
  turn: Turn,
  tag: ActorTag,
  event: RowEvent<NodeTag> | ActorEvent<NodeTag>,
): void {
  switch (event.type) {
    case "journal-read":
      if (tag.step === "read") onRead(turn, tag.name, event);
      if (tag.step === "list") onListed(turn, tag.name, tag.n, event);
      break;
    case "replayed":
      if (tag.step === "replay") onReplayed(turn, tag.name, tag, event);
      break;
    case "decided":
      if (tag.step === "decide") onDecided(turn, tag.name, tag.n, event.outcome);
      break;
    case "rows-read":
      if (tag.step === "recall") onRecalled(turn, tag.name, tag, event.batches);
      break;
    case "merged":
      onStored(turn, tag, event);
      break;
    default:
  }
  goOn(turn, tag.name);
  onRested(turn, tag.name.partitionId);
}

function onStored(
  turn: Turn,
  tag: ActorTag,
  { batches: [batch] }: Extract<RowEvent<NodeTag>, { type: "merged" }>,
): void {
  const { name } = tag;
  if (tag.step === "append") onAppended(turn, name, tag, batch);
  if (tag.step === "reenter" && onReentered(turn, name, tag.rows, batch))
    send(turn, name, tag.rows);
  if (tag.step === "snapshot" && batch?.outcomes[0]?.changed)
    spread(turn, name.partitionId, [tag.row]);
}

/** If nothing of this partition is being decided any more: a move that waited for that goes on, and so do commands. */
export function onRested(turn: Turn, partitionId: PartitionId): void {
  readyIfRested(turn, partitionId);
  if (!memoryOf(turn).paused.has(partitionId) || isPaused(turn, partitionId)) return;
  const paused = new Set(memoryOf(turn).paused);
  paused.delete(partitionId);
  setActors(turn, { paused });
  for (const name of activationsIn(turn, partitionId)) goOn(turn, name);
}
