/**
 * Money from one account to another: what is withdrawn is deposited, or given back, however often the command comes and
 * whatever moves or falls over meanwhile. Each step is executed once; whoever asked and got no answer asks again.
 */
import { CallError, defineActor, refuse } from "../src/core/actor/definition.ts";

export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

export const transfer = defineActor<Transfer | null, Transfer, Transfer>({
  initial: null,
  decide: async (done, { from, to, amount }, { call }) => {
    if (done) return refuse("done-already", `${done.amount} from ${done.from} to ${done.to}`);
    if (from === to) return refuse("same-account");
    const withdrawn = await refusalOf(call("account", from, { type: "withdraw", amount }));
    if (withdrawn !== null) return refuse(withdrawn);
    const deposited = await refusalOf(call("account", to, { type: "deposit", amount }));
    if (deposited === null) return { events: [{ from, to, amount }] };
    await call("account", from, { type: "deposit", amount });
    return refuse(deposited, "the money is back");
  },
  evolve: (_, done) => done,
});

/** Null: it was executed. Any other failure passes, and then all of it is done again. */
async function refusalOf(calling: Promise<unknown>): Promise<string | null> {
  try {
    await calling;
    return null;
  } catch (error) {
    if (error instanceof CallError && error.code === "COMMAND_REFUSED")
      return String(error.data["refusal"]);
    throw error;
  }
}
