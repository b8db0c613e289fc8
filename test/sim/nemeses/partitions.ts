/** Links that lose everything: between two sides, one way, or on and off. */
import type { Sender } from "../../../src/protocol/cluster-messages.ts";
import { allOf, anybody, type Nemesis, type Victim } from "./nemesis.ts";

/** Two sides, neither of them empty where there are two objects. */
function sidesOf({ prng, nodes }: Victim): readonly [Sender[], Sender[]] {
  const all: Sender[] = ["coordinator", ...nodes()];
  const first = prng.below(all.length);
  const here = all.filter((_, i) => i === first || prng.chance(0.3));
  return [here, all.filter((id) => !here.includes(id))];
}

const linksOf = (from: readonly Sender[], to: readonly Sender[]): [Sender, Sender][] =>
  from.flatMap((a) => to.map((b): [Sender, Sender] => [a, b]));

function cutAll({ faults }: Victim, links: readonly (readonly [Sender, Sender])[]): () => void {
  return allOf(links.map(([from, to]) => faults.cut(from, to)));
}

export const PARTITIONS: readonly Nemesis[] = [
  {
    name: "partitions",
    share: 35,
    everyMs: 5_000,
    lastsMsMax: 5_000,
    strike: (victim) => {
      const [here, there] = sidesOf(victim);
      return cutAll(victim, [...linksOf(here, there), ...linksOf(there, here)]);
    },
  },
  {
    name: "one-way partitions",
    share: 35,
    everyMs: 4_000,
    lastsMsMax: 5_000,
    strike: (victim) => cutAll(victim, linksOf(...sidesOf(victim))),
  },
  {
    name: "flapping links",
    share: 30,
    everyMs: 4_000,
    lastsMsMax: 4_000,
    strike: (victim) => {
      const [a, b] = [anybody(victim), anybody(victim)];
      let over = false;
      let mend = (): void => {};
      const flap = (down: boolean): void => {
        mend();
        mend = () => {};
        if (over) return;
        if (down)
          mend = cutAll(victim, [[a, b], ...(victim.prng.chance(0.5) ? [[b, a] as const] : [])]);
        victim.later(20 + victim.prng.below(400), () => flap(!down));
      };
      flap(true);
      return () => {
        over = true;
        mend();
      };
    },
  },
];
