/** Actors on a stage: who counts, who decides slowly, and what they are asked and answer. */
import type { Actors } from "../../../src/core/actor/definition.ts";
import { defineActor, refuse } from "../../../src/core/actor/definition.ts";
import { actorKey, type Activation } from "../../../src/core/actor/activation.ts";
import type { Config } from "../../../src/core/config.ts";
import { Seq, type NodeId } from "../../../src/data/ids.ts";
import type { Row } from "../../../src/data/row.ts";
import { entryOf, type Entry } from "../../../src/protocol/journal.ts";
import type { ActorOp, OpResult, ReadResult } from "../../../src/protocol/ops.ts";
import { decodeJson, encodeJson } from "../../../src/protocol/values.ts";
import type { Stage } from "../../scripts/stage.ts";
import { cluster, P } from "../trio.ts";

/** Has been told these numbers, in this order. */
const list = defineActor<readonly number[], number | "get" | "no", number, readonly number[]>({
  initial: [],
  decide: (told, command) => {
    if (command === "no") return refuse("no", `after ${told.length}`);
    if (command === "get") return { events: [], reply: told };
    return { events: [command], reply: [...told, command] };
  },
  evolve: (told, number) => [...told, number],
  snapshotEvery: 10,
});

export const ACTORS: Actors = { list };

export function stageWith(settings: Partial<Config> = {}, actors: Actors = ACTORS): Stage {
  const stage = cluster({ backupCount: 1, ...settings });
  stage.actors = actors;
  return stage;
}

export interface Asked {
  readonly commandId: string;
  result: OpResult | ReadResult | null;
}

interface Wanted {
  /** null: a question. */
  readonly commandId?: string | null;
  readonly expectedVersion?: number;
  readonly type?: string;
  readonly id?: string;
}

let asked = 0;

/** Of a node, as the front does. */
export function call(stage: Stage, at: NodeId, said: unknown, wanted: Wanted = {}): Asked {
  const { commandId = `c${++asked}`, type = "list", id = "a", expectedVersion = null } = wanted;
  const bytes = encodeJson(said, "command");
  if (!bytes.ok) throw new Error(bytes.error.message);
  const of = { map: type, key: id };
  const command = { commandId, expectedVersion, command: bytes.value };
  return ask(stage, at, { type: "call", ...of, ...command });
}

/** What has happened to it. */
export const events = (stage: Stage, at: NodeId, from: number, limit: number): Asked =>
  ask(stage, at, { type: "events", map: "list", key: "a", from, limit });

function ask(stage: Stage, at: NodeId, op: ActorOp): Asked {
  const commandId = op.type === "call" ? op.commandId : null;
  const answer: Asked = { commandId: commandId ?? "", result: null };
  const { clusterId } = stage;
  const { term } = stage.node(at).disk.self;
  const message = {
    type: "OP_FORWARD",
    sourceNodeId: "front",
    forwardId: Seq(1),
    rulings: [],
    ops: [op],
    ack: "backup",
  } as const;
  stage.receive({ cluster: clusterId, from: "front", to: at, message, call: 1e6, term }, (told) => {
    if (told.message.type === "OP_FORWARDED") answer.result = told.message.results[0] ?? null;
  });
  return answer;
}

/** What it was answered: the reply, the code of a refusal, or nothing yet. */
export function saidTo({ result }: Asked): unknown {
  if (result?.type === "reply") {
    const value = decodeJson(result.value, "reply");
    return value.ok ? value.value : value.error;
  }
  return result?.type === "refused" ? result.error.code : null;
}

/** The number of the last entry that a list was told. */
export const told = (answer: Asked): unknown => {
  const said = saidTo(answer);
  return Array.isArray(said) ? said.at(-1) : said;
};

export const journalAt = (stage: Stage, id: NodeId, actor = "a"): readonly Entry[] =>
  rowsOf(stage, id, "event", actor).map((row) => {
    const entry = entryOf(row);
    if (!entry.ok) throw new Error("a row of a journal is corrupt");
    return entry.value;
  });

export const rowsOf = (
  stage: Stage,
  id: NodeId,
  kind: "event" | "snapshot",
  actor = "a",
): readonly Row[] =>
  stage
    .node(id)
    .rows.page(P, null, { rowsMax: 100_000, bytesMax: 1e9 })
    .rows.map(({ row }) => row)
    .filter((row) => row.kind === kind && row.key === actor);

export const activationAt = (stage: Stage, id: NodeId, actor = "a"): Activation | undefined =>
  stage
    .node(id)
    .state?.memory.actors.partitions.get(P)
    ?.get(actorKey({ map: "list", key: actor }));

/** Puts another row there, behind everybody's back, and makes whoever remembers it forget. */
export function overwrite(stage: Stage, id: NodeId, row: Row): void {
  stage.node(id).rows.write(P, [{ row, seq: Seq(1) }]);
  stage.node(id).crash();
}
