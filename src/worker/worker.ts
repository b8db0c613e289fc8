/** The deployed Worker: the front, and the classes of the objects behind it. */
import type { Env } from "../objects/env.ts";
import { respond } from "./respond.ts";

export { CoordinatorObject } from "../objects/coordinator-object.ts";
export { NodeObject } from "../objects/node-object.ts";

export default {
  fetch: (request: Request, env: Env): Promise<Response> => respond(request, env),
};
