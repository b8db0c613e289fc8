/** The client of production broken, and what finds it where it runs against a cluster in a storm. */
import { FIRST_SDK } from "../sim/options.ts";
import type { Mutant } from "./mutant.ts";

export const IN_SDK: readonly Mutant[] = [
  {
    name: "lost with its connection",
    bug: "what was under way over a connection that breaks is never sent again",
    file: "src/client/machine/outbox.ts",
    find: "const again = [...line.flights.values()].flatMap(({ asks }) => asks.map(exposed));",
    replace: "const again: Ask[] = [];",
    killedBy: { checkers: ["R-client"], seeds: 20, from: FIRST_SDK },
  },
  {
    name: "what a node may have stamped again",
    bug: "a write that was sent gets another stamp when the clock turns out to be wrong",
    file: "src/client/machine/restamp.ts",
    find: ".filter(({ exposed }) => !exposed)",
    replace: "",
    killedBy: { checkers: ["R-client"], seeds: 20, from: FIRST_SDK },
  },
  {
    name: "increments for totals",
    bug: "a client says what it adds, not what it has added in all",
    file: "src/client/machine/counters.ts",
    find: "const said = added(counter.said, sumOf([first, ...riders]));",
    replace: "const said = sumOf([first, ...riders]);",
    killedBy: { checkers: ["R-count"], seeds: 20, from: FIRST_SDK },
  },
  {
    name: "an older map believed",
    bug: "the map that came last counts, also from a node that has heard less",
    file: "src/client/machine/router.ts",
    find: "const map = state.map ? mergeMaps(state.map, news) : news;",
    replace: "const map = news;",
    killedBy: { checkers: ["I16"], seeds: 20, from: FIRST_SDK },
  },
  {
    name: "refused for the first reason",
    bug: "what a node refuses for the time being is refused at once",
    file: "src/client/machine/answer.ts",
    find: "const patient = now - refused.since <= state.patienceMs;",
    replace: "const patient = now < refused.since;",
    killedBy: { checkers: ["R-client"], seeds: 20, from: FIRST_SDK },
  },
  {
    name: "never sent after its owner",
    bug: "an operation stays in the line of a node that does not own its partition any more",
    file: "src/client/machine/outbox.ts",
    find: "placeOf(state, ask) === place ? ",
    replace: "placeOf(state, ask) !== null ? ",
    killedBy: { checkers: ["R-client"], seeds: 20, from: FIRST_SDK },
  },
  {
    name: "waits for a clock that was set back",
    bug: "a client whose clock is set back does nothing until it is where it was",
    file: "src/client/steady-clock.ts",
    find: "if (wallMs < this.#wallMs)",
    replace: "if (wallMs < 0)",
    killedBy: { checkers: ["R-client"], seeds: 20, from: FIRST_SDK },
  },
  {
    name: "followed no further",
    bug: "a subscription ends in silence with its connection",
    file: "src/client/machine/subscriptions.ts",
    find: "lost.map(([id]) => id),",
    replace: "lost.flatMap(([id, { seq }]) => (seq === null ? [id] : [])),",
    killedBy: { checkers: ["R-view"], seeds: 20, from: FIRST_SDK },
  },
];
