/**
 * R-client: an operation is settled once, by what a node has answered to it, and goes out under one stamp. What it says is
 * of one client, from its first call to its end.
 */
import {
  isAdd,
  isCounted,
  isRemoval,
  isWrite,
  type Ask,
  type Outcome,
  type Removal,
  type Settled,
  type Write,
} from "../../../src/client/machine/ask.ts";
import type { Settings } from "../../../src/client/machine/client-state.ts";
import { formatStamp, type Stamp } from "../../../src/data/hlc.ts";
import type {
  ClientMessage,
  ClientOp,
  ClientQuestion,
  ServerMessage,
} from "../../../src/protocol/client-messages.ts";
import type { World } from "../world.ts";
import type { Frame } from "./link.ts";
import type { Tally } from "./tally.ts";

interface Heard {
  readonly at: number;
  readonly outcome: Outcome;
  readonly ack: string;
}

interface Open {
  readonly at: number;
  readonly ask: Ask;
  /** When it got its stamp: what bore that before, and was refused everywhere, is forgotten. */
  readonly before: Met;
  /** Under whichever stamp. */
  readonly refusedAt: number | null;
}

/** How often something went out, and how often it was refused by whoever has not stored it. */
interface Met {
  readonly sent: number;
  readonly nowhere: number;
}

/** Of a counter: what is settled, and what was refused since, which may stand. */
interface Counted {
  settled: number;
  maybe: Set<number>;
}

export class Ledger {
  readonly open = new Map<number, Open>();
  readonly counted = new Map<string, Counted>();
  readonly #world: World;
  readonly #tally: Tally;
  readonly #settings: Settings;
  /** By operation, as it went out. */
  readonly #heard = new Map<string, Heard[]>();
  /** How often. */
  readonly #sent = new Map<string, number>();
  /** Of removals: what they waited for when they were asked for. */
  readonly #behind = new Map<number, readonly number[]>();
  /** Of adds that are stored: their tags, by number. */
  readonly #tags = new Map<number, string>();
  /** That have gone along with another. */
  readonly #riders = new Set<number>();
  /** Its clock was set: patience may seem to have ended, or not. */
  clockSetAt = -Infinity;

  constructor(world: World, tally: Tally, settings: Settings) {
    this.#world = world;
    this.#tally = tally;
    this.#settings = settings;
  }

  /** In order of the calls. */
  get pending(): readonly Ask[] {
    return [...this.open.values()].map(({ ask }) => ask);
  }

  taken(ask: Ask): void {
    const at = this.#world.schedule.now;
    this.open.set(ask.id, { at, ask, before: this.#met(wireOf(ask)), refusedAt: null });
    if (isRemoval(ask) && ask.behind.length > 0) {
      this.#behind.set(ask.id, ask.behind);
      this.#tally.add("removals behind adds");
    }
    this.#tally.add(`asked for ${isCounted(ask) ? "count" : isWrite(ask) ? "write" : "read"}`);
  }

  sends(message: ClientMessage): void {
    const { healed, sets } = this.#world;
    if (message.type === "FETCH_MAP") this.#tally.add("maps asked for");
    if (message.type !== "OPS") return;
    for (const op of message.ops) {
      const name = nameOf(op);
      const times = this.#sent.get(name) ?? 0;
      const isFirst = times === 0;
      if (!isFirst) this.#tally.add("operations sent again");
      if (!isFirst && healed) this.#tally.add("operations sent again after the faults");
      this.#sent.set(name, times + 1);
      if (op.type) sets.sends(op, this.#settings.replicaId, isFirst);
    }
  }

  answered({ ops, keys, ack }: Frame, message: ServerMessage): void {
    const all: readonly (ClientOp | ClientQuestion)[] = ops.length > 0 ? ops : keys;
    for (const [i, op] of all.entries()) {
      const outcome = outcomeIn(message, i, op);
      if (outcome?.type === "refused") this.#tally.add(`answers ${outcome.error.code}`);
      if (!outcome) continue;
      const name = nameOf(op);
      const heard = this.#heard.get(name) ?? [];
      heard.push({ at: this.#world.schedule.now, outcome, ack });
      this.#heard.set(name, heard);
    }
  }

  /** What a node may have keeps its stamp. */
  restamped(writes: readonly Write[]): void {
    for (const write of writes) {
      const open = this.open.get(write.id);
      if (!open) this.#fail(`${write.id} is stamped, and not open`);
      const old = wireOf(open.ask);
      const name = wireOf(write);
      this.open.set(write.id, {
        at: open.at,
        ask: write,
        before: this.#met(name),
        refusedAt: this.#refusedAt(open),
      });
      this.#tally.add("stamped again");
      const { sent, nowhere } = this.#met(old);
      // As long as it waits it has been sent under no stamp at all.
      const waited = isRemoval(open.ask) && open.ask.behind.length > 0;
      if (waited || old === name || sent === open.before.sent) continue;
      if (nowhere - open.before.nowhere < sent - open.before.sent)
        this.#fail(`${old} was sent, and is ${name} now`);
      this.#tally.add("stamped again after a refusal");
    }
  }

  #met(name: string): Met {
    const heard = this.#heard.get(name) ?? [];
    const nowhere = heard.filter(({ outcome }) => isNowhere(outcome)).length;
    return { sent: this.#sent.get(name) ?? 0, nowhere };
  }

  /** For the first time. */
  #refusedAt({ at, ask, refusedAt }: Open): number | null {
    if (refusedAt !== null) return refusedAt;
    const heard = this.#heard.get(wireOf(ask)) ?? [];
    return heard.find((one) => one.at >= at && one.outcome.type === "refused")?.at ?? null;
  }

  settled(all: readonly Settled[]): void {
    for (const each of all) {
      const { ask, outcome } = each;
      const open = this.open.get(ask.id);
      if (!open) this.#fail(`${ask.id} is settled, and was not open`);
      this.open.delete(ask.id);
      this.#world.checkers.count("R-client");
      const { type } = outcome;
      this.#tally.add(type === "refused" ? `refused ${outcome.error.code}` : `settled ${type}`);
      if (isCounted(ask)) this.#counts(each);
      if (isAdd(ask) && type === "stored") this.#tags.set(ask.id, formatStamp(ask.op.stamp));
      const isNeedless = isRemoval(ask) && this.#isNeedless(ask);
      if (this.#riders.delete(ask.id)) continue;
      if (isCounted(ask)) for (const { id } of ask.riders) this.#riders.add(id);
      if (isNeedless) {
        this.#tally.add("removals of nothing");
        continue;
      }
      if (type === "refused" && outcome.error.code === "CLOSED") continue;
      this.#judge(each, open);
    }
  }

  #judge(settled: Settled, open: Open): void {
    const { ask, outcome } = settled;
    const name = wireOf(ask);
    const heard = (this.#heard.get(name) ?? []).filter((one) => one.at >= open.at);
    const level = ask.kind === "backup" ? "backup" : "owner";
    const fitting = heard.find((one) => isSame(one.outcome, outcome) && one.ack === level);
    if (!fitting) this.#fail(`${name} is ${show(outcome)}, which no node has said of it`);
    if (outcome.type !== "refused" || outcome.error.retry === "never") return;
    const first = this.#refusedAt({ ...open, ask }) ?? fitting.at;
    const { schedule } = this.#world;
    if (first > this.clockSetAt && schedule.now - first < this.#settings.patienceMs)
      this.#fail(`${name} is ${show(outcome)} after ${schedule.now - first} ms`);
    this.#tally.add("refused after all patience");
  }

  /** It names all that it has waited for. True: that is nothing, and it is sent to nobody. */
  #isNeedless({ id, op }: Removal): boolean {
    const named = new Set((op.tags ?? []).map(formatStamp));
    for (const add of this.#behind.get(id) ?? []) {
      const tag = this.#tags.get(add);
      if (tag !== undefined && !named.has(tag)) this.#fail(`the removal ${id} lacks ${tag}`);
    }
    this.#behind.delete(id);
    return named.size === 0;
  }

  #counts({ ask, outcome }: Settled): void {
    if (!isCounted(ask)) return;
    const counted = this.counted.get(ask.op.key) ?? { settled: 0, maybe: new Set() };
    this.counted.set(ask.op.key, counted);
    if (outcome.type !== "refused") {
      counted.settled += ask.by;
      counted.maybe.clear();
    } else if (!this.#riders.has(ask.id)) {
      counted.maybe.add([ask, ...ask.riders].reduce((sum, { by }) => sum + by, 0));
    }
  }

  #fail(message: string): never {
    return this.#world.checkers.fail("R-client", `${this.#settings.replicaId}: ${message}`);
  }
}

const stampOf = (stamp: Stamp | null): string => (stamp ? formatStamp(stamp) : "");

/** What is told apart, of all that one client asks for. */
function nameOf(op: ClientOp | ClientQuestion): string {
  const { type = "entry", map, key } = op;
  if ("inc" in op) return `${type} ${map} ${key} ${op.inc} ${op.dec}`;
  return `${type} ${map} ${key} ${"stamp" in op ? stampOf(op.stamp) : ""}`;
}

const wireOf = (ask: Ask): string => nameOf("key" in ask ? ask.key : ask.op);

function outcomeIn(
  message: ServerMessage,
  index: number,
  op: ClientOp | ClientQuestion,
): Outcome | null {
  switch (message.type) {
    case "ACK": {
      const exception = message.exceptions.find((one) => one.index === index);
      const stamp = "stamp" in op ? op.stamp : { millis: 0, counter: 0, node: "0" };
      return exception?.result ?? { type: "stored", stamp };
    }
    case "VALUES":
      return message.values[index] ?? null;
    case "ERROR":
      return { type: "refused", error: message.error };
    default:
      return null;
  }
}

/** Whoever refuses it so has not stored it, nor passed it on. */
const isNowhere = (outcome: Outcome): boolean =>
  outcome.type === "refused" && ["NOT_OWNER", "CLOCK_DRIFT"].includes(outcome.error.code);

function isSame(a: Outcome, b: Outcome): boolean {
  if (a.type === "refused" || b.type === "refused")
    return (
      a.type === b.type &&
      a.type === "refused" &&
      b.type === "refused" &&
      a.error.code === b.error.code
    );
  if ("stamp" in a && "stamp" in b)
    return a.type === b.type && stampOf(a.stamp) === stampOf(b.stamp);
  return a.type === b.type;
}

const show = (outcome: Outcome): string =>
  outcome.type === "refused" ? `refused with ${outcome.error.code}` : outcome.type;
