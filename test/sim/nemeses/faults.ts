/** What is wrong with a world at the moment. Nemeses change it; the world asks before it lets anything happen. */
import type { Sender } from "../../../src/protocol/cluster-messages.ts";
import type { Schedule } from "../schedule.ts";

type Run = () => void;

export class Faults {
  readonly #schedule: Schedule;
  /** How many have cut each link, from one end to the other. */
  readonly #cuts = new Map<string, number>();
  /** What waits for an object that stands still, or is busy with its disk. */
  readonly #lines = new Map<Sender, Run[]>();
  readonly #paused = new Set<Sender>();
  /** What each event costs an object: whatever it says comes so much later, and other events wait. */
  readonly #lags = new Map<Sender, number>();
  /** Whatever comes to them is lost. */
  readonly #absent = new Set<Sender>();
  readonly #destroyed = new Set<Sender>();
  /** By how much a clock was set, ms. */
  readonly #clocks = new Map<Sender, number>();

  constructor(schedule: Schedule) {
    this.#schedule = schedule;
  }

  /** Runs when that object can; `lost` where it never will. */
  at(id: Sender, run: Run, lost: Run = () => {}): void {
    if (this.#absent.has(id) || this.#destroyed.has(id)) return lost();
    const line = this.#lines.get(id);
    if (line) return void line.push(run);
    if (!this.#lags.has(id)) return run();
    this.#lines.set(id, [run]);
    this.#serve(id);
  }

  #serve(id: Sender): void {
    this.#schedule.after(this.#lags.get(id) ?? 0, () => {
      if (this.#paused.has(id) || this.#destroyed.has(id)) return;
      const line = this.#lines.get(id) ?? [];
      line.shift()?.();
      if (line.length === 0) this.#lines.delete(id);
      else this.#serve(id);
    });
  }

  isCut(from: Sender, to: Sender): boolean {
    return this.#cuts.has(`${from}→${to}`);
  }

  isDestroyed(id: Sender): boolean {
    return this.#destroyed.has(id);
  }

  clockOf(id: Sender): number {
    return this.#clocks.get(id) ?? 0;
  }

  // ---------------------------------------------------------------- each returns what ends it

  cut(from: Sender, to: Sender): Run {
    const link = `${from}→${to}`;
    this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1);
    return once(() => {
      const left = (this.#cuts.get(link) ?? 1) - 1;
      if (left > 0) this.#cuts.set(link, left);
      else this.#cuts.delete(link);
    });
  }

  /** It does not crash: what comes waits, timers are late, and then it goes on with what it knew. */
  pause(id: Sender): Run {
    if (this.#paused.has(id)) return () => {};
    this.#paused.add(id);
    if (!this.#lines.has(id)) this.#lines.set(id, []);
    return once(() => {
      this.#paused.delete(id);
      this.#serve(id);
    });
  }

  absent(id: Sender): Run {
    this.#absent.add(id);
    return once(() => void this.#absent.delete(id));
  }

  slow(id: Sender, ms: number): Run {
    this.#lags.set(id, ms);
    return once(() => void this.#lags.delete(id));
  }

  /** For ever: whatever is for it is lost. */
  destroy(id: Sender): void {
    this.#destroyed.add(id);
    this.#lines.delete(id);
  }

  /** It stays so: a clock that was wrong is not mended by the end of a storm. */
  setClock(id: Sender, ms: number): void {
    this.#clocks.set(id, ms);
  }
}

function once(run: Run): Run {
  let over = false;
  return () => {
    if (!over) run();
    over = true;
  };
}
