/** All copies compared on an operator's word: every owner is asked until it is done. Nothing of it is saved or ruled. */
import type { NodeId } from "../../data/ids.ts";
import type {
  Compared,
  RepairFigures,
  RepairProgress,
  RepairReport,
} from "../../protocol/cluster-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import type { RepairMemory } from "./repair-state.ts";
import type { CoordinatorTurn } from "./turn.ts";

/** Asked for once more while it runs, it is the same one. */
export function onRepair(turn: CoordinatorTurn, call: CallId | null): void {
  const { repair } = turn.memory;
  if (!repair || repair.finishedAtMs !== null) {
    const owners = [...turn.entries.values()].flatMap(({ ruling }) => ruling.owner ?? []);
    const repairId = Math.max(turn.now, (repair?.repairId ?? 0) + 1);
    const nodes = new Map([...new Set(owners)].map((id) => [id, null]));
    const times = { startedAtMs: turn.now, finishedAtMs: null };
    turn.setMemory({ repair: { repairId, ...times, nodes } });
  }
  turn.answer(call, repairReport(turn));
}

export function repairReport({ memory: { repair } }: CoordinatorTurn): RepairReport {
  return { type: "REPAIR_REPORT", repair: repair && progressOf(repair) };
}

function progressOf({ nodes, ...repair }: RepairMemory): RepairProgress {
  const said = [...nodes.values()].filter((one) => one !== null);
  const sum = (name: keyof RepairFigures): number =>
    said.reduce((all, { figures }) => all + figures[name], 0);
  return {
    ...repair,
    nodesAsked: nodes.size,
    nodesDone: said.filter(({ done }) => done).length,
    figures: {
      toCompare: sum("toCompare"),
      compared: sum("compared"),
      differing: sum("differing"),
      rowsSent: sum("rowsSent"),
      rowsTaken: sum("rowsTaken"),
    },
  };
}

export function onCompared(
  turn: CoordinatorTurn,
  { nodeId, repairId, done, figures }: Compared,
): void {
  const { repair } = turn.memory;
  if (repair?.repairId !== repairId || !repair.nodes.has(nodeId)) return;
  const nodes = new Map(repair.nodes).set(nodeId, { done, figures });
  turn.setMemory({ repair: { ...repair, nodes } });
}

/** Who is given up meanwhile has nothing left to compare: whoever takes its place compares by itself. */
export function pursueRepair(turn: CoordinatorTurn): void {
  const { repair } = turn.memory;
  if (!repair || repair.finishedAtMs !== null) return;
  const { repairId, nodes } = repair;
  const isThere = (id: NodeId): boolean => (turn.member(id)?.state ?? "dead") !== "dead";
  const left = [...nodes].filter(([id, said]) => said?.done !== true && isThere(id));
  for (const [id] of left) turn.pursue(`compare ${id}`, id, { type: "COMPARE", repairId });
  if (left.length === 0) turn.setMemory({ repair: { ...repair, finishedAtMs: turn.now } });
}
