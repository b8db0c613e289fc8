/** A bank account: what is on it never falls below zero, however often a command comes and wherever the account lives. */
import { defineActor, refuse } from "../src/core/actor/definition.ts";

type Command =
  { readonly type: "deposit" | "withdraw"; readonly amount: number } | { readonly type: "balance" };

interface Booked {
  readonly amount: number;
  readonly atMs: number;
}

interface Account {
  readonly balance: number;
  readonly bookings: number;
}

export const account = defineActor<Account, Command, Booked, Account>({
  initial: { balance: 0, bookings: 0 },
  decide: (state, command, { nowMs }) => {
    if (command.type === "balance") return { events: [], reply: state };
    if (command.type !== "deposit" && command.type !== "withdraw")
      return refuse("unknown-command", "an account knows deposit, withdraw and balance");
    if (!Number.isSafeInteger(command.amount) || command.amount <= 0)
      return refuse("bad-amount", "an amount is a whole number above 0");
    const amount = command.type === "deposit" ? command.amount : -command.amount;
    if (state.balance + amount < 0) return refuse("insufficient-funds", `has ${state.balance}`);
    const booked = { amount, atMs: nowMs };
    return { events: [booked], reply: book(state, booked) };
  },
  evolve: book,
});

function book({ balance, bookings }: Account, { amount }: Booked): Account {
  return { balance: balance + amount, bookings: bookings + 1 };
}
