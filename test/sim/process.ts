/**
 * One object of the simulated world: the production machine on a simulated host. Its disk keeps what was
 * committed; a crash loses the rest, at any of the points where a real one can.
 */
import type { ActorEffect } from "../../src/core/actor/effects.ts";
import type { Runner } from "../../src/core/actor/runner.ts";
import { drive } from "../../src/core/machine/drive.ts";
import type { Host } from "../../src/core/machine/host.ts";
import type { Machine } from "../../src/core/machine/step.ts";
import { RowTables } from "../../src/core/rows/tables.ts";
import type { RowEffect } from "../../src/core/rows/effects.ts";
import type { DigestKey } from "../../src/data/digest.ts";
import { MemoryRowStore, type MemorySnapshot } from "./memory-row-store.ts";

/** `before-commit`: nothing happened. `after-commit`: all is saved, nothing of it was said. */
export type CrashPoint = "before-commit" | "after-commit";

interface Kind<State, Saved> {
  wake(saved: Saved): State;
  saved(state: State): Saved;
  digestKey(state: State): DigestKey;
}

interface Wiring<State extends object, Event, Effect, Saved> {
  readonly machine: Machine<State, Event, Effect>;
  readonly kind: Kind<State, Saved>;
  readonly started: () => Event;
  readonly perform: (effect: Effect) => void;
  readonly arm: (at: number) => void;
  readonly tick: (at: number) => void;
  readonly committed: (before: Saved, after: Saved) => void;
  readonly runner?: Runner;
  /** True: it takes time, and is delivered by whoever has been given it. */
  readonly postpone?: (event: Event) => boolean;
}

const NO_ROWS: MemorySnapshot = { tables: [] };

const ROW_EFFECTS = new Set([
  "merge",
  "read-rows",
  "list-rows",
  "look",
  "scan",
  "fetch-rows",
  "read-journal",
  "digest",
  "count-rows",
  "find-gone",
  "collect",
  "forget-digest",
  "drop-rows",
]);

export class SimHost<
  State extends object,
  Event,
  Effect extends { type: string },
  Saved,
> implements Host<State, Event, Effect> {
  readonly rows: MemoryRowStore;
  disk: Saved;
  #committed: MemorySnapshot;
  #state: State | undefined;
  #tables: RowTables | undefined;
  #crash: CrashPoint | null = null;
  #crashed = false;
  #armed: number | null = null;
  #ticking: number | null = null;
  #fenced = false;
  onCrash = (): void => {};
  /** How often it has started. */
  lives = 0;
  readonly #wiring: Wiring<State, Event, Effect, Saved>;

  /** Given rows and a state, it goes on where another left off. */
  constructor(
    disk: Saved,
    wiring: Wiring<State, Event, Effect, Saved>,
    rows: MemorySnapshot = NO_ROWS,
    state?: State,
  ) {
    this.disk = disk;
    this.rows = new MemoryRowStore(rows);
    this.#committed = rows;
    this.#state = state;
    this.#wiring = wiring;
  }

  /** Asleep or crashed objects start when something arrives, as on the platform. */
  deliver(event: Event, crash: CrashPoint | null = null): void {
    if (!this.#state && this.#fenced) return;
    if (!this.#state) {
      this.lives++;
      this.#state = this.#wiring.kind.wake(this.disk);
      this.#drive(this.#wiring.started(), null);
    }
    this.#drive(event, crash);
  }

  get awake(): boolean {
    return this.#state !== undefined;
  }
  get state(): State | undefined {
    return this.#state;
  }

  /**
   * The same object as an instance that the platform has already replaced: it goes on with what it remembers, and
   * hears and speaks, but its first commit fails and is the end of it.
   */
  ghost(perform: (effect: Effect) => void): this | null {
    if (!this.#state) return null;
    const wiring = { ...this.#wiring, perform, arm: () => {}, tick: () => {} };
    const ghost = new SimHost(this.disk, wiring);
    ghost.#state = this.#state;
    ghost.#fenced = true;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nobody extends it
    return ghost as this;
  }

  /** Only time has gone by for it: that is no commit. */
  later(state: State): void {
    this.#state = state;
    this.disk = this.#wiring.kind.saved(state);
  }

  crash(): void {
    this.#state = undefined;
    this.#tables = undefined;
    this.#ticking = null;
    this.onCrash();
  }

  #drive(event: Event, crash: CrashPoint | null): void {
    this.#crash = crash;
    this.#crashed = false;
    drive(this.#wiring.machine, this, event);
    if (this.#crashed) this.crash();
  }

  load(): State {
    if (!this.#state) throw new Error("a process is driven only while it is awake");
    return this.#state;
  }

  store(effect: Effect): readonly Event[] | undefined {
    if (effect.type === "replay" || effect.type === "decide") return this.#run(effect);
    if (!ROW_EFFECTS.has(effect.type)) return undefined;
    const state = this.load();
    this.#tables ??= new RowTables(this.rows, () =>
      this.#wiring.kind.digestKey(this.#state ?? state),
    );
    const result = this.#tables.perform(effect as unknown as RowEffect<unknown>);
    return result ? [result as Event] : [];
  }

  #run(effect: Effect): readonly Event[] {
    const { runner, postpone } = this.#wiring;
    const event = runner?.perform(effect as unknown as ActorEffect<unknown>) as Event | undefined;
    if (!event) throw new Error("no actor is defined here");
    return effect.type === "decide" && postpone?.(event) ? [] : [event];
  }

  save(state: State): void {
    const commits = this.#wiring.kind.saved(state) !== this.disk;
    if (this.#crash === "before-commit" || (this.#fenced && commits)) {
      this.rows.restore(this.#committed);
      this.#crashed = true;
      return;
    }
    const before = this.disk;
    this.#committed = this.rows.snapshot();
    this.disk = this.#wiring.kind.saved(state);
    this.#state = state;
    this.#crashed = this.#crash === "after-commit";
    if (before !== this.disk) this.#wiring.committed(before, this.disk);
  }

  perform(effect: Effect): void {
    if (!this.#crashed) this.#wiring.perform(effect);
  }

  /** One alarm, which can only come earlier. It is part of the commit: it survives a crash right after. */
  arm(at: number | null): void {
    if (at === null || at >= (this.#armed ?? Infinity) || this.#crash === "before-commit") return;
    this.#armed = at;
    this.#wiring.arm(at);
  }

  /** As `arm`, but memory only. */
  tick(at: number | null): void {
    if (at === null || at >= (this.#ticking ?? Infinity) || this.#crashed) return;
    this.#ticking = at;
    this.#wiring.tick(at);
  }

  /** Is what was set for then still to come? If so it has come. */
  ticked(at: number): boolean {
    const stands = this.#ticking === at;
    if (stands) this.#ticking = null;
    return stands;
  }

  get armed(): number | null {
    return this.#armed;
  }

  /** The alarm is ringing: it is not set any more. */
  rang(): void {
    this.#armed = null;
  }
}
