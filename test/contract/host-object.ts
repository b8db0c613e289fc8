/** A machine on a real Durable Object, which crashes on demand. */
import { DurableObject } from "cloudflare:workers";
import { drive } from "../../src/core/machine/drive.ts";
import { RowTables } from "../../src/core/rows/tables.ts";
import { PartitionId } from "../../src/data/ids.ts";
import { DurableHost } from "../../src/objects/durable-host.ts";
import { SqlRowStore } from "../../src/objects/sql-row-store.ts";
import {
  machine,
  wakeWith,
  type Effect,
  type Event,
  type Saved,
  type State,
} from "./host-machine.ts";
import type { Crash, Look } from "./host.ts";

/** Of every object by its id: outlives the object's memory, as what was said does. */
const logs = new Map<string, string[]>();

const EVERYTHING = { rowsMax: 100, bytesMax: 100_000 };

export class HostObject extends DurableObject {
  readonly #store = new SqlRowStore(this.ctx.storage.sql);
  readonly #tables = new RowTables(this.#store, () => ({ a: 1, b: 2 }));
  readonly #log: string[];
  readonly #host: CrashingHost;

  constructor(ctx: DurableObjectState, env: object) {
    super(ctx, env);
    const id = ctx.id.toString();
    this.#log = logs.get(id) ?? [];
    logs.set(id, this.#log);
    this.#host = new CrashingHost(
      ctx.storage,
      {
        wake: (documents) => wakeWith(documents.get("saved") as Saved | undefined),
        saved: ({ saved }) => saved,
        documents: (saved) => new Map([["saved", saved]]),
        store: (effect) => {
          if (effect.type === "say") return undefined;
          const event = this.#tables.perform(effect);
          return event ? [event] : [];
        },
        perform: (effect) => {
          if (effect.type === "say") this.#log.push(effect.text);
        },
        wakeUp: () => drive(machine, this.#host, { type: "woke" }),
      },
      this.#log,
    );
  }

  async tell(event: Event, crash: Crash | null): Promise<void> {
    this.#host.crash = crash;
    try {
      drive(machine, this.#host, event);
    } catch (error) {
      if (crash === "after-commit") await this.ctx.storage.sync();
      this.ctx.abort("crash");
      throw error;
    }
  }

  restart(): void {
    this.ctx.abort("restart");
  }

  async look(): Promise<Look> {
    const rows = this.#store.page(PartitionId(0), null, EVERYTHING).rows.map(({ row }) => row.key);
    const { saved } = this.#host.load();
    return { saved, rows, log: this.#log, alarmAt: await this.ctx.storage.getAlarm() };
  }

  override alarm(): void {}
}

class CrashingHost extends DurableHost<State, Event, Effect, Saved> {
  crash: Crash | null = null;
  readonly #log: string[];
  #before: Saved | undefined;

  constructor(
    storage: DurableObjectStorage,
    wiring: ConstructorParameters<typeof DurableHost<State, Event, Effect, Saved>>[1],
    log: string[],
  ) {
    super(storage, wiring);
    this.#log = log;
  }

  override save(state: State): void {
    if (this.crash === "before-commit") throw new Error("crash");
    this.#before ??= this.load().saved;
    super.save(state);
    if (state.saved !== this.#before) this.#log.push(["saved", ...state.saved.keys].join(" "));
    this.#before = state.saved;
  }

  override arm(at: number | null): void {
    super.arm(at);
    if (this.crash === "after-commit") throw new Error("crash");
  }
}
