/** I1 and I9: who may commit, and who is believed. */
import { isForced } from "../../src/core/coordinator/reign.ts";
import type {
  CoordinatorMessage,
  CoordinatorSaved,
  Parked,
} from "../../src/core/coordinator/state.ts";
import type { NodeSaved } from "../../src/core/node/state.ts";
import type { NodeId, Term } from "../../src/data/ids.ts";
import type { ClusterMessage } from "../../src/protocol/cluster-messages.ts";
import { majority, obeysNoOlder } from "./predicates.ts";
import type { World } from "./world.ts";

export class ReignChecker {
  readonly #world: World;
  /** At the coordinator, now. */
  arriving: ClusterMessage | null = null;
  /** Orders by force that waited at the end of the last step, by what the coordinator remembered in this life. */
  #waiting: { readonly life: number; readonly orders: readonly Parked[] } = { life: 0, orders: [] };
  /** The life of the coordinator that each term belongs to. */
  readonly #lives = new Map<Term, number>();
  /** When the coordinator last heard each node speak, and in which term and life of its own. */
  readonly #heard = new Map<NodeId, { term: Term; at: number; life: number; clock: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  get #clock(): number {
    return this.#world.faults.clockOf("coordinator");
  }

  /** What is done now is an operator's order that takes no majority. */
  get isForced(): boolean {
    return this.#done.length > 0;
  }

  get isClaim(): boolean {
    return this.#done.some(({ type }) => type === "CLAIM_PARTITION");
  }

  /** Such orders, as they arrive or when they have waited. */
  get #done(): readonly ClusterMessage[] {
    const arriving = this.arriving && isForced(this.arriving) ? [this.arriving] : [];
    const { life, orders } = this.#waiting;
    if (life !== this.#world.coordinator.lives) return arriving;
    const parked = new Set(this.#parked);
    const waited = orders.filter((one) => !parked.has(one)).map(({ message }) => message.message);
    return [...arriving, ...waited];
  }

  get #parked(): readonly Parked[] {
    const parked = this.#world.coordinator.state?.memory.parked ?? [];
    return parked.filter(({ message }) => isForced(message.message));
  }

  afterStep(): void {
    this.#waiting = { life: this.#world.coordinator.lives, orders: this.#parked };
  }

  heard({ from, term }: Pick<CoordinatorMessage, "from" | "term">, life: number): void {
    if (from === "front" || from === "coordinator") return;
    const known = this.#heard.get(from);
    if (known?.life === life && known.term > term) return; // overtaken by what it said later
    this.#heard.set(from, { term, at: this.#world.schedule.now, life, clock: this.#clock });
  }

  committed(before: CoordinatorSaved, after: CoordinatorSaved): void {
    const { checkers, coordinator } = this.#world;
    const term = after.cluster?.term;
    if (term === undefined) return;
    const { lives } = coordinator;
    const life = this.#lives.get(term);
    checkers.count("I1");
    if (life !== undefined && life !== lives)
      checkers.fail("I1", `term ${term} of life ${life} is used in life ${lives}`);
    this.#lives.set(term, lives);
    if (this.isForced) return;
    if (before.view !== after.view || before.entries !== after.entries)
      this.#majority(before, term, lives);
  }

  /** Whoever stands behind it has saved this term and was heard lately. */
  #majority({ view }: CoordinatorSaved, term: Term, life: number): void {
    const { checkers, nodes, graves, schedule, options } = this.#world;
    majority(checkers, view, (nodeId) => {
      const heard = this.#heard.get(nodeId);
      if (heard?.term !== term || heard.life !== life) return false;
      // Set back while nothing happened, which it cannot notice, its clock has run for less than the time that has passed.
      const unseen = Math.max(0, heard.clock - this.#clock);
      const isFresh = schedule.now - heard.at <= options.config.maxNoHeartbeatMs + unseen;
      return isFresh && (nodes.get(nodeId) ?? graves.get(nodeId))?.disk.self.term === term;
    });
  }

  obeyed(term: Term, before: NodeSaved, after: NodeSaved): void {
    obeysNoOlder(this.#world.checkers, term, before, after);
  }
}
