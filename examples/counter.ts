/** An actor that counts, and can be asked for less than nothing. */
import { defineActor } from "../src/core/actor/definition.ts";

type Command = { readonly type: "add"; readonly amount: number } | { readonly type: "get" };

export const counter = defineActor<number, Command, number, number>({
  initial: 0,
  decide: (total, command) => {
    if (command.type === "get") return { events: [], reply: total };
    return { events: [command.amount], reply: total + command.amount };
  },
  evolve: (total, amount) => total + amount,
});
