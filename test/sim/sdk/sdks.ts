/** The applications of a world: clients as they are in production. Drawn by themselves: a world without them is the same run. */
import { countSub, decodeTotal, SIDES } from "../../../src/data/count.ts";
import { identityKey } from "../../../src/core/rows/identity-key.ts";
import type { NodeEffect } from "../../../src/core/node/events.ts";
import type { NodeId } from "../../../src/data/ids.ts";
import type { Sender } from "../../../src/protocol/cluster-messages.ts";
import { unheard } from "../map-checker.ts";
import { entryOf } from "../predicates.ts";
import { Prng } from "../prng.ts";
import type { World } from "../world.ts";
import { Application } from "./application.ts";
import { Links } from "./links.ts";
import { Tally } from "./tally.ts";

export class Sdks {
  readonly all: readonly Application[];
  readonly tally = new Tally();
  readonly #world: World;
  readonly #prng: Prng;
  readonly #links: Links;

  constructor(world: World, count: number) {
    this.#world = world;
    this.#prng = new Prng(world.options.seed ^ 0x5d45);
    this.#links = new Links(world, this.#prng, this.tally);
    this.all = Array.from(
      { length: count },
      (_, i) => new Application(`app${i}`, world, this.#links, this.tally),
    );
  }

  begin(): void {
    if (this.all.length === 0) return;
    for (const each of this.all) each.begin();
    this.#breakSome();
  }

  #breakSome(): void {
    this.#world.schedule.after(1 + this.#prng.below(1_500), () => {
      if (this.#world.healed) return;
      this.#links.breakOne();
      this.#breakSome();
    });
  }

  healed(): void {
    for (const each of this.all) each.online();
  }

  calm(): void {
    for (const each of this.all) each.lookAround();
  }

  isAt(node: NodeId): boolean {
    return this.#links.isAt(node);
  }

  hear(from: Sender, effect: NodeEffect): void {
    if (this.all.length > 0) this.#links.hear(from, effect);
  }

  crashed(node: NodeId): void {
    this.#links.crashed(node);
  }

  destroyed(node: NodeId): void {
    this.#links.destroyed(node);
  }

  atEnd(): void {
    for (const each of this.all) {
      each.atEnd();
      this.#judgeMap(each);
      // What only a destroyed node has counted is lost.
      if (this.#world.graves.size === 0) this.#judgeCounts(each);
    }
  }

  #judgeMap({ sdk: { client, settings } }: Application): void {
    const { checkers, coordinator } = this.#world;
    const { map } = client.router;
    checkers.count("I16");
    const objection = unheard(map, coordinator.disk);
    if (objection) checkers.fail("I16", `${settings.replicaId} ends with ${objection}`);
  }

  /** R-count: the owners have what was settled, and of what was refused last all or nothing. */
  #judgeCounts({ ledger, sdk }: Application): void {
    const { checkers } = this.#world;
    const { replicaId } = sdk.settings;
    for (const [key, { settled, maybe }] of ledger.counted) {
      const [inc = 0, dec = 0] = SIDES.map((side) => this.#totalOf(key, countSub(replicaId, side)));
      const isRight = [0, ...maybe].some((by) => inc - dec === settled + by);
      checkers.count("R-count");
      if (!isRight)
        checkers.fail(
          "R-count",
          `${key} of ${replicaId} is ${inc} - ${dec}, not ${settled} and one of ${[...maybe].join()}`,
        );
    }
  }

  #totalOf(key: string, sub: string): number {
    const name = identityKey({ map: "m", key, kind: "pn", sub });
    const { owner, partitionId } = entryOf(this.#world, key)?.ruling ?? {};
    if (!owner || partitionId === undefined) return 0;
    const rows = this.#world.nodes.get(owner)?.rows.tables[partitionId] ?? [];
    const value = rows.find(({ row }) => identityKey(row) === name)?.row.value;
    const total = value && decodeTotal(value);
    return total?.ok ? total.value : 0;
  }
}
