/**
 * Whoever calls actors: one command at a time to each, asked again under its name until it is answered, of whichever node.
 * Answers are lost like everything else. Every actor writes down what it is told, so that its answers show what came before.
 */
import type { CallId } from "../../src/core/machine/cluster-event.ts";
import { defineActor, refuse, type Actors } from "../../src/core/actor/definition.ts";
import type { NodeEvent } from "../../src/core/node/events.ts";
import { partitionOf } from "../../src/data/hash.ts";
import { Seq, type NodeId, type PartitionId } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import type { CallOp, OpResult, ReadResult } from "../../src/protocol/ops.ts";
import { decodeJson, encodeJson } from "../../src/protocol/values.ts";
import { CallLedger, type Told } from "./call-ledger.ts";
import { Prng } from "./prng.ts";
import type { World } from "./world.ts";

interface Log {
  readonly count: number;
  readonly last: string;
}

type Command = { readonly type: "log" | "twice" | "never"; readonly name: string };

/** What it answers names the command before. */
const log = defineActor<Log, Command, string, Told>({
  initial: { count: 0, last: "" },
  decide: ({ count, last }, { type, name }, { commandId }) => {
    if (commandId === null) return { events: [], reply: { place: count, after: last } };
    if (type === "never") return refuse("never", last);
    const events = type === "twice" ? [name, name] : [name];
    return { events, reply: { place: count, after: last } };
  },
  evolve: ({ count }, name) => ({ count: count + 1, last: name }),
  snapshotEvery: 7,
});

export const ACTORS: Actors = { log };

const ACTORS_EACH = 2;
const QUESTION_RATE = 0.1;
const SLOW_RATE = 0.1;
const SLOW_MS_MAX = 400;
const ASK_AGAIN_MS = 700;
/** After the faults every command is answered within this. */
const ANSWER_MS = 20_000;

interface Asking {
  readonly id: string;
  readonly op: CallOp;
  readonly since: number;
  /** Events that some answer rested on by then. */
  readonly known: number;
  attempts: number;
}

export class Callers {
  readonly ledger: CallLedger;
  readonly #world: World;
  readonly #prng: Prng;
  readonly #asking = new Map<string, Asking>();
  readonly #calls = new Map<CallId, Asking>();
  #commands = 0;

  constructor(world: World, callers: number) {
    this.#world = world;
    this.#prng = new Prng(world.options.seed ^ 0xac70);
    this.ledger = new CallLedger(world);
    const actors = Array.from({ length: callers * ACTORS_EACH }, (_, i) => `actor${i}`);
    for (const id of actors) this.ledger.add(id);
  }

  begin(): void {
    for (const id of this.ledger.actors) this.#next(id);
  }

  /** When nothing of the faults is left: what each actor has been told, by its own word. */
  calm(): void {
    for (const id of this.ledger.actors) this.#ask(id, null);
  }

  #next(id: string): void {
    const { schedule, calmAt, healed } = this.#world;
    if (calmAt !== null) return;
    const commandId = this.#prng.chance(QUESTION_RATE) ? null : `${id}.${++this.#commands}`;
    const pauseMs = 1 + this.#prng.below(healed ? 2_000 : 60);
    schedule.after(pauseMs, () => this.#ask(id, commandId));
  }

  #ask(id: string, commandId: string | null): void {
    const type = this.#prng.pick(["log", "log", "log", "twice", "never"] as const);
    const command = encodeJson({ type, name: commandId ?? "" }, "command");
    if (!command.ok) throw new Error(command.error.message);
    const of = { type: "call", map: "log", key: id, expectedVersion: null } as const;
    const op = { ...of, commandId, command: command.value };
    const known = this.ledger.known(id);
    const asking = { id, op, since: this.#world.schedule.now, known, attempts: 0 };
    this.#asking.set(id, asking);
    this.ledger.sent(id, commandId, type);
    this.#send(asking);
  }

  #send(asking: Asking): void {
    if (this.#asking.get(asking.id) !== asking) return;
    const { schedule, healedAt, calmAt } = this.#world;
    // What is lost by force may be a part of its journal: it answers nobody, for ever.
    if (calmAt !== null && !this.ledger.isJudged(asking.id)) return;
    const from = Math.max(asking.since, healedAt ?? Infinity);
    if (schedule.now > from + ANSWER_MS) this.ledger.late(asking.id, schedule.now - from);
    schedule.after(ASK_AGAIN_MS + this.#prng.below(ASK_AGAIN_MS), () => this.#send(asking));
    const to = this.#nodeFor(asking);
    if (!to) return;
    asking.attempts++;
    const head = { type: "OP_FORWARD", sourceNodeId: "front", forwardId: Seq(1) } as const;
    const ops = [asking.op];
    this.#calls.set(
      this.#world.send("front", to, { ...head, rulings: [], ops, ack: "backup" }),
      asking,
    );
  }

  /** The owner, as the coordinator knows it; now and then another one, which may believe that it is. */
  #nodeFor({ id, attempts }: Asking): NodeId | null {
    const { coordinator } = this.#world;
    const { owner } = coordinator.disk.entries.get(this.placeOf(id))?.ruling ?? { owner: null };
    const { members } = coordinator.disk.view;
    const isAstray = attempts % 3 === 2 && members.length > 0;
    return isAstray ? this.#prng.pick(members).nodeId : owner;
  }

  readonly placeOf = (id: string): PartitionId =>
    partitionOf(id, this.#world.options.config.partitionCount);

  /** True: this decision takes time, and is told in the life that has asked for it, if at all. */
  postpone(id: NodeId, event: NodeEvent): boolean {
    if (event.type !== "decided" || !this.#prng.chance(SLOW_RATE)) return false;
    const { schedule, faults, node, moment, crashPoint, checkers, counts } = this.#world;
    const { lives } = node(id);
    counts["slow decisions"]++;
    const deliver = (): void => {
      const host = node(id);
      if (!host.awake || host.lives !== lives) return;
      const tag = { ...event.tag, ...moment(id) };
      host.deliver({ ...event, tag }, crashPoint());
      checkers.afterStep();
    };
    schedule.after(1 + this.#prng.below(SLOW_MS_MAX), () => faults.at(id, deliver));
    return true;
  }

  /** True: it was for a caller. */
  told(call: CallId, message: ClusterMessage): boolean {
    const asking = this.#calls.get(call);
    this.#calls.delete(call);
    if (!asking) return false;
    const result = message.type === "OP_FORWARDED" ? message.results[0] : undefined;
    if (result) this.#judge(asking, result);
    return true;
  }

  #judge(asking: Asking, result: OpResult | ReadResult): void {
    const { id, op } = asking;
    const said = saidBy(result);
    if (!said) return;
    if (op.commandId === null) this.ledger.answered(id, asking.known, said);
    else this.ledger.told(id, op.commandId, said);
    const { healed, options } = this.#world;
    // On its way to who asked it may be lost: then it is asked again, and must be the same.
    if (this.#asking.get(id) !== asking || (!healed && this.#prng.chance(options.dropRate))) return;
    this.#asking.delete(id);
    this.#next(id);
  }
}

/** null: nothing came of it, and it is to come again. */
function saidBy(result: OpResult | ReadResult): Told | null {
  if (result.type === "reply") {
    const value = decodeJson(result.value, "reply");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by `log`
    return value.ok ? (value.value as Told) : null;
  }
  if (result.type !== "refused" || result.error.code !== "COMMAND_REFUSED") return null;
  return { refusedAfter: String(result.error.data["reason"]) };
}
