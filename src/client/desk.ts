/** Where everything is asked for: whoever asks is told at once if it is taken, and later what became of it. */
import { assert } from "../data/assert.ts";
import type { AckLevel } from "../protocol/ops.ts";
import { GridError, unanswered, type GridErrorInfo } from "./errors.ts";
import type { Host } from "./host.ts";
import type { Ask, Of, Outcome, Settled, Write } from "./machine/ask.ts";
import type { Asking, ClientEffect } from "./machine/client-state.ts";
import { addsOf, type ElementOf } from "./machine/removals.ts";
import { gridNow, type WriterClock } from "./machine/writer-clock.ts";

type Heard = Extract<ClientEffect, { type: "taken" | "not-taken" | "settled" | "restamped" }>;

export type Question = Extract<Parameters<Host["do"]>[0], { type: Asking }>;

export interface Written {
  /** It is durable, but something newer stands: a later write of that key, or the removal of what was added. */
  readonly superseded: boolean;
}

export interface Asked {
  readonly ask: Ask;
  /** Never rejects. */
  readonly settled: Promise<Settled>;
}

interface Waiting {
  readonly settle: (settled: Settled) => void;
  readonly restamped: ((write: Write) => void) | undefined;
}

export class Desk {
  /** When a write is acknowledged, and how much is kept to be looked at, where nobody says. */
  readonly defaults: { readonly ack: AckLevel; readonly localMax: number };
  readonly #host: Host;
  readonly #waiting = new Map<number, Waiting>();
  /** What came of the operation that was asked for last. */
  #asked: Ask | GridErrorInfo | null = null;

  constructor(host: Host, defaults: Desk["defaults"]) {
    this.#host = host;
    this.defaults = defaults;
  }

  now(): number {
    return gridNow(this.clock, this.#host.now());
  }

  /** Throws where it is not taken. `restamped`: is called whenever it gets another stamp. */
  ask(event: Question, restamped?: (write: Write) => void): Asked {
    const ask = this.#answerTo(event);
    if ("code" in ask) throw new GridError(ask);
    const { promise: settled, resolve: settle } = Promise.withResolvers<Settled>();
    this.#waiting.set(ask.id, { settle, restamped });
    return { ask, settled };
  }

  #answerTo(event: Question): Ask | GridErrorInfo {
    this.#asked = null;
    this.#host.do(event);
    assert(this.#asked !== null, "answered");
    return this.#asked;
  }

  /** What a removal of it that is asked for now has to wait for. */
  addsOf(of: ElementOf): number[] {
    return addsOf(this.#host.client.outbox.removals, of);
  }

  /** Of what it writes: the last stamp. */
  get clock(): WriterClock {
    return this.#host.client.outbox.clock;
  }

  /** What the owner of an entry has. */
  async read(key: Of): Promise<OutcomeOf<"value">> {
    const { settled } = this.ask({ type: "read", key });
    return answerOf(await settled, "value");
  }

  hear(effect: Heard): void {
    switch (effect.type) {
      case "taken":
        this.#asked = effect.ask;
        return;
      case "not-taken":
        this.#asked = effect.error;
        return;
      case "restamped":
        for (const write of effect.writes) this.#waiting.get(write.id)?.restamped?.(write);
        return;
      case "settled":
        for (const settled of effect.all) {
          this.#waiting.get(settled.ask.id)?.settle(settled);
          this.#waiting.delete(settled.ask.id);
        }
    }
  }
}

/** What those need who ask. */
export type Asks = Pick<Desk, "ask" | "defaults" | "addsOf">;

export function writtenOf({ outcome }: Settled): Written {
  if (outcome.type === "refused") throw new GridError(outcome.error);
  return { superseded: outcome.type === "superseded" };
}

/** What was asked for, which is of one type. */
export function answerOf<Type extends Outcome["type"]>(
  { outcome }: Settled,
  type: Type,
): OutcomeOf<Type> {
  if (isOf(outcome, type)) return outcome;
  throw new GridError(outcome.type === "refused" ? outcome.error : unanswered());
}

type OutcomeOf<Type> = Extract<Outcome, { readonly type: Type }>;

const isOf = <Type extends Outcome["type"]>(
  outcome: Outcome,
  type: Type,
): outcome is OutcomeOf<Type> => outcome.type === type;
