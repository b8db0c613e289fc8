/**
 * What callers of actors were told, judged: of one command always the same, of two never the same place, and nothing that
 * an answer rests on is ever gone. Where an operator has given a partition to who need not have all of it, its actors have two
 * histories if who had all of it comes back, and are judged no more.
 */
import type { PartitionId } from "../../src/data/ids.ts";
import type { Ruling } from "../../src/data/ruling.ts";
import { entryOf } from "../../src/protocol/journal.ts";
import { listOf } from "./list-of.ts";
import type { World } from "./world.ts";

export type Told =
  /** Events before it, and the name of the command that left the last of them. */
  { readonly place: number; readonly after: string } | { readonly refusedAfter: string };

type Kind = "log" | "twice" | "never";

interface Actor {
  readonly answers: Map<string, Told>;
  readonly kinds: Map<string, Kind>;
  /** By its first event: who has left it. */
  readonly places: Map<number, string>;
  /** Events that some answer rests on. */
  known: number;
  isJudged: boolean;
}

export class CallLedger {
  readonly #world: World;
  readonly #actors = new Map<string, Actor>();

  constructor(world: World) {
    this.#world = world;
  }

  get actors(): readonly string[] {
    return [...this.#actors.keys()];
  }

  add(id: string): void {
    this.#actors.set(id, {
      answers: new Map(),
      kinds: new Map(),
      places: new Map(),
      known: 0,
      isJudged: true,
    });
  }

  sent(id: string, commandId: string | null, kind: Kind): void {
    const actor = this.#actors.get(id);
    if (!actor || commandId === null) return;
    actor.kinds.set(commandId, kind);
    this.#world.counts["commands sent"]++;
  }

  isJudged(id: string): boolean {
    return this.#actors.get(id)?.isJudged === true;
  }

  late(id: string, ms: number): void {
    if (this.isJudged(id)) this.#world.checkers.fail("I8", `${id} has not answered for ${ms} ms`);
  }

  known(id: string): number {
    return this.#actors.get(id)?.known ?? 0;
  }

  /** I3: whoever answers a question knows of all that was answered before it was asked. */
  answered(id: string, known: number, told: Told): void {
    const { checkers, counts } = this.#world;
    if (!this.isJudged(id) || !("place" in told)) return;
    counts["questions answered"]++;
    checkers.count("I3");
    if (told.place < known)
      checkers.fail("I3", `${id} knows of ${told.place} events, of ${known} it had told`);
  }

  told(id: string, commandId: string, told: Told): void {
    const actor = this.#actors.get(id);
    const { checkers, counts } = this.#world;
    if (!actor?.isJudged) return;
    counts["commands answered"]++;
    checkers.count("I13");
    const before = actor.answers.get(commandId);
    if (before && JSON.stringify(before) !== JSON.stringify(told))
      checkers.fail(
        "I13",
        `${commandId} is answered ${JSON.stringify(told)} after ${JSON.stringify(before)}`,
      );
    actor.answers.set(commandId, told);
    if ("place" in told) this.#took(actor, commandId, told.place);
  }

  #took(actor: Actor, commandId: string, place: number): void {
    const { checkers } = this.#world;
    const other = actor.places.get(place);
    if (other !== undefined && other !== commandId)
      checkers.fail("I13", `${commandId} and ${other} were both executed as number ${place}`);
    actor.places.set(place, commandId);
    actor.known = Math.max(actor.known, place + sizeOf(actor, commandId));
  }

  /** Its owner is not who was owner or had all of it. */
  ruled(before: Ruling | undefined, after: Ruling): void {
    if (!before || before.owner === after.owner || after.owner === null) return;
    const isWhole = before.copies.some(
      ({ nodeId, state }) => nodeId === after.owner && state === "complete",
    );
    if (!isWhole) this.#forgive(after.partitionId);
  }

  #forgive(partitionId: PartitionId): void {
    const { callers } = this.#world;
    for (const [id, actor] of this.#actors) {
      if (callers.placeOf(id) !== partitionId || !actor.isJudged) continue;
      actor.isJudged = false;
      this.#world.counts["actors given up by force"]++;
    }
  }

  /** Every command that was answered stands in the journal once, and every number has an entry. */
  atEnd(): void {
    const { coordinator, nodes, callers } = this.#world;
    for (const [id, actor] of this.#actors) {
      const partitionId = callers.placeOf(id);
      const owner = coordinator.disk.entries.get(partitionId)?.ruling.owner;
      const host = owner ? nodes.get(owner) : undefined;
      if (host && actor.isJudged) this.#judgeJournal(id, actor, listOf(host.rows, partitionId));
    }
  }

  #judgeJournal(id: string, actor: Actor, rows: ReturnType<typeof listOf>): void {
    const { checkers, counts } = this.#world;
    const found = new Map<string, number>();
    let [events, sequence, last] = [0, 0, 0];
    for (const row of rows) {
      if (row.kind !== "event" || row.key !== id) continue;
      const entry = entryOf(row);
      if (!entry.ok) return checkers.fail("I13", `an entry of ${id} is corrupt`);
      const { commandId, version, epoch } = entry.value;
      // What an earlier owner has left behind a later one's counts for nothing, and its number is given again.
      if (epoch < last) break;
      last = epoch;
      if (entry.value.sequence !== ++sequence)
        checkers.fail("I13", `${id} has no entry ${sequence}`);
      if (commandId !== null && found.has(commandId))
        checkers.fail("I13", `${commandId} stands twice in the journal of ${id}`);
      if (commandId !== null) found.set(commandId, events);
      events = version;
      counts["entries of journals"]++;
    }
    for (const [commandId, told] of actor.answers) {
      checkers.count("I13");
      const place = found.get(commandId);
      if (place === undefined || ("place" in told && told.place !== place))
        checkers.fail("I13", `${commandId} was answered, and stands at ${place}`);
    }
  }
}

const sizeOf = ({ kinds }: Actor, commandId: string): number =>
  kinds.get(commandId) === "twice" ? 2 : 1;
