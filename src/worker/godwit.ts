/** Godwit as a library: the objects and the Worker of an application that defines actors of its own. */
import type { Actors } from "../core/actor/definition.ts";
import { CoordinatorObject } from "../objects/coordinator-object.ts";
import type { Env } from "../objects/env.ts";
import { NodeObject } from "../objects/node-object.ts";
import { respond } from "./respond.ts";

export { CallError, defineActor, refuse } from "../core/actor/definition.ts";
export type {
  Accepted,
  ActorAddress,
  ActorDefinition,
  Actors,
  CommandContext,
  Decision,
  MapOfOthers,
  Others,
  Refusal,
} from "../core/actor/definition.ts";

export interface GodwitOptions {
  /** By the name of their type. Left out: none. */
  readonly actors?: Actors;
}

export interface Godwit {
  /** To be exported under these names, which `wrangler.toml` binds. */
  readonly NodeObject: typeof NodeObject;
  readonly CoordinatorObject: typeof CoordinatorObject;
  /** The default export. */
  readonly worker: { readonly fetch: (request: Request, env: Env) => Promise<Response> };
}

export function godwit({ actors = {} }: GodwitOptions = {}): Godwit {
  return {
    NodeObject: class extends NodeObject {
      protected override get actors(): Actors {
        return actors;
      }
    },
    CoordinatorObject,
    worker: { fetch: (request, env) => respond(request, env) },
  };
}
