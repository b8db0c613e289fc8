/** Runs the definitions of actors: the one place where an application's own code is called. */
import type { Of } from "../../data/row.ts";
import { err, ok, type Result } from "../../data/result.ts";
import { textProblem } from "../../protocol/checks.ts";
import { makeError, type ErrorInfo } from "../../protocol/errors.ts";
import { ERROR_TEXT_BYTES_MAX, EVENTS_MAX, REFUSAL_BYTES_MAX } from "../../protocol/limits.ts";
import { decodeJson, encodeJson } from "../../protocol/values.ts";
import {
  CallError,
  type Accepted,
  type Actors,
  type AnyActor,
  type CommandContext,
  type Decision,
  type Others,
  type Refusal,
} from "./definition.ts";
import type { ActorEffect, ActorEvent, DecideEffect, Decided, ReplayEffect } from "./effects.ts";

import { nameOf } from "./refusals.ts";

const SNAPSHOT_EVERY = 100;

export type OthersOf = (effect: DecideEffect<unknown>) => Others;

export class Runner {
  readonly #actors: () => Actors;
  readonly #othersOf: OthersOf;

  /** `othersOf`: what a decision reaches of the grid. */
  constructor(actors: () => Actors, othersOf: OthersOf) {
    this.#actors = actors;
    this.#othersOf = othersOf;
  }

  /** A promise only where `decide` gave one. */
  perform<Tag>(effect: ActorEffect<Tag>): ActorEvent<Tag> | Promise<ActorEvent<Tag>> {
    const { tag } = effect;
    if (effect.type === "replay") return { type: "replayed", outcome: this.#replay(effect), tag };
    const outcome = this.#decide(effect);
    if (!(outcome instanceof Promise)) return { type: "decided", outcome, tag };
    return outcome.then((late) => ({ type: "decided", outcome: late, tag }));
  }

  #actorOf({ map }: Of): Result<AnyActor, ErrorInfo> {
    const actors = this.#actors();
    const actor = Object.hasOwn(actors, map) ? actors[map] : undefined;
    return actor ? ok(actor) : err(makeError("ACTOR_UNKNOWN", { actorType: map }));
  }

  #replay(effect: ReplayEffect<unknown>): { state: unknown } | { error: ErrorInfo } {
    const actor = this.#actorOf(effect.of);
    if (!actor.ok) return { error: actor.error };
    try {
      let state = firstState(actor.value, effect);
      for (const events of effect.events) state = evolved(actor.value, state, listOf(events));
      return { state };
    } catch (error) {
      return { error: failure(effect.of, error) };
    }
  }

  #decide(effect: DecideEffect<unknown>): Decided | Promise<Decided> {
    const actor = this.#actorOf(effect.of);
    if (!actor.ok) return { type: "failed", error: actor.error };
    const { of, state } = effect;
    const failed = (error: unknown): Decided => ({ type: "failed", error: failure(of, error) });
    const finish = (decision: Decision<unknown, unknown>): Decided => {
      try {
        return decided(actor.value, effect, decision);
      } catch (error) {
        return failed(error);
      }
    };
    try {
      const command = valueOf(effect.command, "command");
      const others = this.#othersOf(effect);
      const decision = actor.value.decide(state, command, { ...contextOf(effect), ...others });
      return isLate(decision) ? Promise.resolve(decision).then(finish, failed) : finish(decision);
    } catch (error) {
      return failed(error);
    }
  }
}

function contextOf(effect: DecideEffect<unknown>): CommandContext {
  const { of, commandId, version, nowMs, deadlineMs, via } = effect;
  const last = via.at(-1);
  const caller = last ? nameOf(last) : null;
  return { ...nameOf(of), commandId, version, nowMs, deadlineMs, caller };
}

/** Whatever can be awaited. */
const isLate = (decision: unknown): decision is PromiseLike<Decision<unknown, unknown>> =>
  typeof decision === "object" && decision !== null && "then" in decision;

function firstState(
  { initial, schemaVersion = 1, upgrade }: AnyActor,
  effect: ReplayEffect<unknown>,
) {
  const { from } = effect;
  // Its own: what one actor makes of it is nobody else's.
  if (from.type === "initial") return valueOf(bytesOf(initial, "initial"), "initial");
  if (from.type === "state") return from.state;
  const state = valueOf(from.state, "state");
  if (from.schemaVersion === schemaVersion) return state;
  if (upgrade) return upgrade(state, from.schemaVersion);
  throw new Error(`its snapshot is of schema ${from.schemaVersion}, and there is no upgrade`);
}

const evolved = ({ evolve }: AnyActor, state: unknown, events: readonly unknown[]): unknown =>
  events.reduce((before, event) => evolve(before, event), state);

function decided(
  actor: AnyActor,
  effect: DecideEffect<unknown>,
  decision: Decision<unknown, unknown>,
): Decided {
  if (typeof decision !== "object" || decision === null)
    throw new Error("decide must give events, or a refusal");
  return "refusal" in decision ? declined(effect, decision) : executed(actor, effect, decision);
}

function declined({ of }: DecideEffect<unknown>, { refusal, reason = "" }: Refusal): Decided {
  const problem =
    textProblem(refusal, 1, REFUSAL_BYTES_MAX)?.("refusal") ??
    textProblem(reason, 0, ERROR_TEXT_BYTES_MAX)?.("reason");
  if (problem) return { type: "failed", error: failure(of, problem.message) };
  if (refusal.startsWith("$")) throw new Error("names of refusals that begin with $ are taken");
  return { type: "declined", refusal, reason };
}

function executed(
  actor: AnyActor,
  { state, sinceSnapshot }: DecideEffect<unknown>,
  { events, reply = null }: Accepted<unknown, unknown>,
): Decided {
  if (!Array.isArray(events)) throw new Error("decide must give a list of events, or a refusal");
  if (events.length > EVENTS_MAX)
    throw new Error(`${events.length} events, at most ${EVENTS_MAX} may come of one command`);
  // As they will be read: what a replay makes of them must be what is made of them now.
  const stored = bytesOf(events, "events");
  const after = evolved(actor, state, listOf(stored));
  const { snapshotEvery = SNAPSHOT_EVERY, schemaVersion = 1 } = actor;
  return {
    type: "executed",
    count: events.length,
    events: stored,
    reply: bytesOf(reply, "reply"),
    state: after,
    frozen: sinceSnapshot >= snapshotEvery ? freeze(after, schemaVersion) : null,
  };
}

/** A state that is no value, or too large for one, has no snapshot: the actor is replayed from further back. */
function freeze(state: unknown, schemaVersion: number): ExecutedDecision["frozen"] {
  const bytes = encodeJson(state, "state");
  return { schemaVersion, state: bytes.ok ? bytes.value : null };
}

type ExecutedDecision = Extract<Decided, { type: "executed" }>;

function bytesOf(value: unknown, field: string): Uint8Array {
  const bytes = encodeJson(value, field);
  if (!bytes.ok) throw new Error(bytes.error.message);
  return bytes.value;
}

function valueOf(bytes: Uint8Array, field: string): unknown {
  const value = decodeJson(bytes, field);
  if (!value.ok) throw new Error(value.error.message);
  return value.value;
}

function listOf(bytes: Uint8Array): readonly unknown[] {
  const events = valueOf(bytes, "events");
  if (!Array.isArray(events)) throw new Error("events must be a list");
  return events;
}

/** What will pass elsewhere will pass here. */
function failure(of: Of, error: unknown): ErrorInfo {
  if (error instanceof CallError && error.info.retry === "later") return error.info;
  return makeError("ACTOR_FAILED", { ...nameOf(of), reason: reasonOf(error) });
}

/** Whatever was thrown: not all of it can be put in words. */
function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return "it has thrown what is no text";
  }
}
