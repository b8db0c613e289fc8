/** A node whose cluster goes over into another: what it owns it hands over, a few partitions at a time. */
import type { PartitionId } from "../../data/ids.ts";
import type { Cede, Ceded } from "../../protocol/cluster-messages.ts";
import type { CallId } from "../machine/cluster-event.ts";
import { firstPass, passOf } from "../partition/pass.ts";
import { offer } from "../partition/struck.ts";
import type { Turn } from "./turn.ts";
import { pursueTable, setCession, wantTable } from "./winner.ts";

export function onCede(turn: Turn, { into, over }: Cede, call: CallId | null): void {
  const { ceding } = turn.self;
  if (!ceding) begin(turn, { into, over });
  else if (over && !ceding.over) turn.setSelf({ ceding: { into, over } });
  if (over && !ceding?.over)
    turn.do({ type: "close-sockets", reason: `this cluster is a part of ${into} by now` });
  turn.answer(call, ceded(turn));
}

function begin(turn: Turn, ceding: { readonly into: Cede["into"]; readonly over: boolean }): void {
  turn.setSelf({ ceding });
  wantTable(turn);
  // Struck without an owner to offer anything to, until now.
  for (const [partitionId, { role, ruling }] of turn.state.saved.partitions)
    if (role.type === "struck" && ruling.owner === null) offer(turn, partitionId);
}

function ceded(turn: Turn): Ceded {
  const partitions = [...turn.state.saved.partitions]
    .filter(([, { role }]) => role.type === "none")
    .map(([partitionId, { ruling }]) => ({ partitionId, epoch: ruling.epoch }));
  const over = turn.self.ceding?.over ?? false;
  return { type: "CEDED", nodeId: turn.me, over, partitions };
}

/** At the end of every event. */
export function pursueCession(turn: Turn): void {
  if (!turn.self.ceding || turn.self.membership !== "member") return;
  if (turn.memory.cession.rulings.size === 0) wantTable(turn);
  pursueTable(turn);
  const owned = ownedHere(turn);
  let running = owned.filter((id) => passOf(turn, id)).length;
  for (const partitionId of owned) {
    if (running >= turn.config.maxParallelMigrations) break;
    // A move that is given up ends by a ruling; until that is heard the target may become owner.
    const { role } = turn.partition(partitionId);
    if (passOf(turn, partitionId) || role.type !== "owner" || role.move) continue;
    running++;
    firstPass(turn, partitionId);
    offer(turn, partitionId);
  }
  report(turn, owned.length);
}

const ownedHere = (turn: Turn): readonly PartitionId[] =>
  [...turn.state.saved.partitions].flatMap(([id, { role }]) => (role.type === "owner" ? [id] : []));

/** Once there is nothing left, it need not be asked. */
function report(turn: Turn, owned: number): void {
  const { partitions } = turn.state.saved;
  const { reported } = turn.memory.cession;
  const left = owned > 0 || [...partitions.values()].some(({ role }) => role.type !== "none");
  if (reported === !left) return;
  setCession(turn, { reported: !left });
  if (!left) turn.send("coordinator", ceded(turn));
}
