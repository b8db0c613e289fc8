/** The deployed Worker: the front, the classes of the objects behind it, and the actors of the examples. */
import { account } from "../../examples/account.ts";
import { counter } from "../../examples/counter.ts";
import { godwit } from "./godwit.ts";

const app = godwit({ actors: { account, counter } });

export const { NodeObject, CoordinatorObject } = app;
export default app.worker;
