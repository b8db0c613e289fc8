/** A machine just large enough to ask everything of a host: rows, documents, words, an alarm. */
import type { Machine, Next } from "../../src/core/machine/step.ts";
import type { RowEffect, RowEvent } from "../../src/core/rows/effects.ts";
import { PartitionId, Seq } from "../../src/data/ids.ts";
import type { Row } from "../../src/data/row.ts";

export interface Saved {
  readonly keys: readonly string[];
  /** Written down, but nobody has confirmed to have heard of it. */
  readonly unsaid: readonly string[];
}

export interface State {
  readonly saved: Saved;
  /** Forgotten in a crash. */
  readonly told: number;
  readonly alarmAt: number | null;
  readonly tickAt: number | null;
}

interface Tag {
  readonly key: string;
}

export type Event =
  | { readonly type: "started" }
  | { readonly type: "woke" }
  | { readonly type: "write"; readonly key: string }
  | { readonly type: "confirmed" }
  | { readonly type: "arm"; readonly at: number | null }
  | { readonly type: "tick"; readonly at: number }
  | RowEvent<Tag>;

export type Effect = RowEffect<Tag> | { readonly type: "say"; readonly text: string };

const P = PartitionId(0);
const NOTHING: Saved = { keys: [], unsaid: [] };

const rowOf = (key: string): Row => ({
  map: "m",
  key,
  kind: "lww",
  sub: "",
  stamp: { millis: 1, counter: 0, node: "n1.1" },
  value: new Uint8Array([1, 2, 3]),
  expiresAt: null,
});

export const wakeWith = (saved: Saved = NOTHING): State => ({
  saved,
  told: 0,
  alarmAt: null,
  tickAt: null,
});

export const machine: Machine<State, Event, Effect> = {
  step,
  wakeAt: ({ alarmAt }) => alarmAt,
  tickAt: ({ tickAt }) => tickAt,
};

function step(state: State, event: Event): Next<State, Effect> {
  const { saved } = state;
  switch (event.type) {
    case "write": {
      const after = { keys: [...saved.keys, event.key], unsaid: [...saved.unsaid, event.key] };
      const batches = [{ partitionId: P, rows: [rowOf(event.key)], seq: Seq(after.keys.length) }];
      // Said before it is decided to be: a host that performs at once would show.
      const first: Effect = { type: "say", text: `writing ${event.key}` };
      const merge: Effect = { type: "merge", batches, tag: { key: event.key } };
      return [{ ...state, saved: after, told: state.told + 1 }, [first, merge]];
    }
    case "merged": {
      const outcome = event.batches[0]?.outcomes[0]?.changed === true ? "stored" : "kept";
      return [state, [{ type: "say", text: `${outcome} ${event.tag.key} after ${state.told}` }]];
    }
    case "woke":
      return [
        { ...state, alarmAt: null, tickAt: null },
        saved.unsaid.map((key) => ({ type: "say", text: `again ${key}` })),
      ];
    case "confirmed":
      return [saved.unsaid.length > 0 ? { ...state, saved: { ...saved, unsaid: [] } } : state, []];
    case "arm":
      return [{ ...state, alarmAt: event.at }, []];
    case "tick":
      return [{ ...state, tickAt: event.at }, []];
    default:
      return [state, []];
  }
}
