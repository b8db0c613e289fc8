/** The deployed Worker: the front, the classes of the objects behind it, and the actors of the examples. */
import { account } from "../../examples/account.ts";
import { chat } from "../../examples/chat.ts";
import { counter } from "../../examples/counter.ts";
import { transfer } from "../../examples/transfer.ts";
import { godwit } from "./godwit.ts";

const app = godwit({ actors: { account, chat, counter, transfer } });

export const { NodeObject, CoordinatorObject } = app;
export default app.worker;
