/** What would be said though it was never saved, where several orders share a commit. */
import { orders, type Mutant } from "./mutant.ts";

export const IN_ORDERS: readonly Mutant[] = [
  {
    name: "said though never saved",
    bug: "of two rulings in one commit both are spoken, though only the last is saved",
    file: "src/core/coordinator/spoken.ts",
    find: "return ruling.epoch > epoch ? {",
    replace: "return ruling.epoch < epoch ? {",
    killedBy: orders(
      "are one to everybody who hears of them: what was never saved is not said [I16, sim seed 102864]",
    ),
  },
  {
    name: "joins with what was never saved",
    bug: "who joins between two orders of one commit has table and view of between them",
    file: "src/core/coordinator/spoken.ts",
    find: "if (message.accepted) return { ...message, ...forMember(turn) };",
    replace: "if (message.accepted) return message;",
    killedBy: orders(
      "are one to who joins between them, and so are table and view [I12, I16, sim seed 1111003]",
    ),
  },
  {
    name: "table of between two orders",
    bug: "a table is told as it was when that was asked for, whatever else was ruled in the same commit",
    file: "src/core/coordinator/spoken.ts",
    find: "const isLast = version === turn.cluster.tableVersion;",
    replace: "const isLast = version <= turn.cluster.tableVersion;",
    killedBy: orders("are both told the table in which neither owns anything [I12]"),
  },
  {
    name: "view of between two orders",
    bug: "a view is told as it was when that was asked for, whatever else changed it in the same commit",
    file: "src/core/coordinator/spoken.ts",
    find: "return message.view === turn.view ? message",
    replace: "return message.view !== null ? message",
    killedBy: orders("is told the view that is saved, not one before others were judged [I12]"),
  },
];
