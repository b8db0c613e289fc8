import type { Host } from "../core/machine/host.ts";
import { DocumentStore, type Documents } from "./documents.ts";
import { openSchema } from "./schema.ts";

export interface DurableWiring<State, Event, Effect, Saved> {
  /** The state that these documents hold, with nothing remembered. */
  readonly wake: (documents: Documents) => State;
  /** The same object for as long as nothing in it has changed. */
  readonly saved: (state: State) => Saved;
  readonly documents: (saved: Saved) => Documents;
  readonly store: (effect: Effect) => readonly Event[] | undefined;
  readonly perform: (effect: Effect) => void;
  /** Bring a `woke` event. */
  readonly wakeUp: () => void;
}

/** What is due within this comes by a timer, for an alarm is a billed row and slow. */
const SOON_MS = 150;

/** When the alarm rings beside a timer, should that be lost with the object's memory. */
const SAFE_MS = 1_000;

/**
 * Runs a machine on a Durable Object. What one event stores and saves is one implicit transaction, since
 * nothing is awaited in between; the output gate holds every message until that is on disk.
 */
export class DurableHost<State, Event, Effect, Saved> implements Host<State, Event, Effect> {
  readonly #storage: DurableObjectStorage;
  readonly #documents: DocumentStore;
  readonly #wiring: DurableWiring<State, Event, Effect, Saved>;
  #state: State | undefined;
  #saved: Saved | undefined;
  #armed: number | null = null;
  #tickAt: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #hasTimers = true;

  constructor(storage: DurableObjectStorage, wiring: DurableWiring<State, Event, Effect, Saved>) {
    openSchema(storage.sql);
    this.#storage = storage;
    this.#documents = new DocumentStore(storage.sql);
    this.#wiring = wiring;
  }

  load(): State {
    if (this.#state !== undefined) return this.#state;
    const state = this.#wiring.wake(this.#documents.read());
    this.#saved = this.#wiring.saved(state);
    this.#documents.adopt(this.#wiring.documents(this.#saved));
    this.#state = state;
    return state;
  }

  store(effect: Effect): readonly Event[] | undefined {
    return this.#wiring.store(effect);
  }

  save(state: State): void {
    const saved = this.#wiring.saved(state);
    if (saved !== this.#saved) this.#documents.write(this.#wiring.documents(saved));
    this.#saved = saved;
    this.#state = state;
  }

  perform(effect: Effect): void {
    this.#wiring.perform(effect);
  }

  /**
   * One alarm, set again only to come earlier and never deleted: each setting is a billed row, and an alarm
   * that comes too early merely looks and sets the next. So what is armed and done within a second, over
   * and over, costs one row and one ring.
   */
  arm(at: number | null): void {
    if (at === null) return;
    const now = Date.now();
    const isSoon = at - now <= SOON_MS;
    if (isSoon) this.tick(at);
    const alarmAt = isSoon ? now + SAFE_MS : at;
    if (alarmAt >= (this.#armed ?? Infinity)) return;
    void this.#storage.setAlarm(alarmAt);
    this.#armed = alarmAt;
  }

  /** A timer only comes earlier: one that comes too early merely looks, and sets the next. */
  tick(at: number | null): void {
    if (!this.#hasTimers || at === null || at >= (this.#tickAt ?? Infinity)) return;
    clearTimeout(this.#timer); // what it was for is looked at when this one rings
    this.#tickAt = at;
    const ring = (): void => {
      if (this.#tickAt === at) this.#tickAt = null;
      this.#wiring.wakeUp();
    };
    this.#timer = setTimeout(ring, Math.max(0, at - Date.now()));
  }

  /** For the rest of this life only the alarm is left. */
  stopTimers(): void {
    this.#hasTimers = false;
    clearTimeout(this.#timer);
  }

  /** The alarm is ringing: it is not set any more. */
  rang(): void {
    this.#armed = null;
  }
}
