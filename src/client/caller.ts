/** All calls of a client: loaded, with all that they need, when an actor is called first. */
import { checkKey, elementProblem, integerProblem } from "../protocol/checks.ts";
import { decodeReplies, encodeCall } from "../protocol/caller-codec.ts";
import { commandIdProblem, versionProblem } from "../protocol/client-calls.ts";
import type { ClientCall, FetchMap, Told } from "../protocol/client-messages.ts";
import { decodeJson } from "../protocol/values.ts";
import { Alarm } from "./alarm.ts";
import { CALL_TIMEOUT_MS } from "./call-limits.ts";
import type { CallOptions, Replied } from "./called.ts";
import { GridError, refuse, valueOf, type GridErrorInfo } from "./errors.ts";
import type { Guest, Host } from "./host.ts";
import { callsWakeAt, stepCalls } from "./machine/calls.ts";
import {
  beginCalls,
  waysOf,
  type CallOutcome,
  type CallsEffect,
  type CallsEvent,
} from "./machine/calls-state.ts";
import type { Moment } from "./machine/session.ts";

type Said<Event> = Event extends CallsEvent ? Omit<Event, keyof Moment | "ways"> : never;

/** `commandId` null: a question. */
export type Asking = Omit<ClientCall, "commandId" | "expectedVersion">;
export type AskingOptions = Omit<CallOptions, "commandId"> & { readonly commandId?: string | null };

export class Caller implements Guest {
  readonly #host: Host;
  readonly #waiting = new Map<number, (outcome: CallOutcome) => void>();
  readonly #alarm = new Alarm(() => this.#do({ type: "woke" }));
  #state;
  #nextId = 1;
  #isFlushing = false;

  constructor(host: Host) {
    this.#host = host;
    this.#state = beginCalls(host.client.settings);
    host.attach(this);
  }

  /** Throws at once where it can be no call. */
  async call(asking: Asking, options: AskingOptions): Promise<Replied<unknown>> {
    const { commandId, expectedVersion = null, timeoutMs = CALL_TIMEOUT_MS } = options;
    const call = { ...asking, commandId, expectedVersion };
    refuse(callProblem(call) ?? integerProblem(timeoutMs, 1, TIMEOUT_MS_MAX)?.("timeoutMs"));
    const { promise, resolve } = Promise.withResolvers<CallOutcome>();
    const id = this.#nextId++;
    this.#waiting.set(id, resolve);
    this.#do({ type: "called", id, call, timeoutMs });
    this.#flushSoon();
    const outcome = await promise;
    if (outcome.type === "refused") throw new GridError(outcome.error);
    return { reply: valueOf(decodeJson(outcome.value, "reply")), version: outcome.version };
  }

  /** What is called in one go shares frames. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#do({ type: "flush" });
    });
  }

  // ---------------------------------------------------------------- the machine

  up(): void {
    this.#do({ type: "flush" });
  }

  down(link: number): void {
    this.#do({ type: "unlinked", link });
  }

  /** Maps bring other ways. */
  told(link: number, message: Told): void {
    if (message.type !== "ERROR") return this.#do({ type: "flush" });
    const { seq, error } = message;
    if (seq !== null) this.#do({ type: "refused", link, seq, error });
  }

  heard(link: number, bytes: Uint8Array): boolean {
    const message = decodeReplies(bytes);
    if (!message.ok) return message.error.code === "UNKNOWN_MESSAGE";
    const { seq, replies } = message.value;
    this.#do({ type: "answered", link, seq, replies });
    return true;
  }

  over(error: GridErrorInfo): void {
    this.#alarm.clear();
    this.#do({ type: "close", error });
  }

  #do(event: Said<CallsEvent>): void {
    const moment = {
      now: this.#host.now(),
      random: Math.random(),
      ways: waysOf(this.#host.client),
    };
    const [state, effects] = stepCalls(this.#state, { ...event, ...moment });
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    this.#alarm.set(callsWakeAt(this.#state), moment.now);
  }

  /** Of what has changed in the map; the answer is the machine's. */
  #fetch(): FetchMap {
    const { version, viewVersion } = this.#host.client.router.map ?? {};
    const known =
      version !== undefined && viewVersion !== undefined ? { version, viewVersion } : {};
    return { type: "FETCH_MAP", ...known };
  }

  #perform(effect: CallsEffect): void {
    switch (effect.type) {
      case "send":
        return this.#host.send(effect.link, encodeCall(effect.message));
      case "settled":
        this.#waiting.get(effect.id)?.(effect.outcome);
        this.#waiting.delete(effect.id);
        return;
      case "astray":
        return this.#host.send(effect.link, encodeCall(this.#fetch()));
      case "silent":
        return this.#host.do({ type: "lost", link: effect.link, code: 0 });
    }
  }
}

const TIMEOUT_MS_MAX = Number.MAX_SAFE_INTEGER / 2;

function callProblem({ map, key, ...call }: Extract<CallsEvent, { type: "called" }>["call"]) {
  const { commandId = null, expectedVersion, command } = call;
  return (
    checkKey(map, key) ??
    elementProblem(command)?.("command") ??
    commandIdProblem(commandId)?.("commandId") ??
    versionProblem(expectedVersion)?.("expectedVersion")
  );
}
