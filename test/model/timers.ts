/** What an object of a model may be woken for later: a name, and how it becomes due. */
import type { NodeId } from "../../src/data/ids.ts";

export interface Timer<State> {
  readonly name: string;
  /** An alarm survives a crash, a tick does not. What ages wakes nobody, but is taken for less from then on. */
  readonly kind: "alarm" | "tick" | "age";
  /** For when the machine has set it. */
  readonly at: number;
  /** It ends an attempt: it never rings before what is asked again and again has been asked again. */
  readonly patience: boolean;
  /** It is about who is awake and who is silent. */
  readonly beats: boolean;
  /** It takes longer than an answer counts for anything. */
  readonly outlasts?: boolean;
  /** For whom it waits: one that is cut off keeps it waiting. */
  readonly about: NodeId | null;
  readonly due: (state: State) => State;
}

/** What a machine wants to be woken for first is in the list: it sets nothing that the model does not know. */
export function mustKnow<State>(
  timers: readonly Timer<State>[],
  wanted: { readonly alarm: number | null; readonly tick: number | null },
): void {
  for (const kind of ["alarm", "tick"] as const) {
    const known = timers.filter((timer) => timer.kind === kind).map(({ at }) => at);
    if ((wanted[kind] ?? Infinity) !== Math.min(...known))
      throw new Error(`the model does not know what the next ${kind} is for`);
  }
}
