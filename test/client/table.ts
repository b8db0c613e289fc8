/** Total tables: every state beside every event, and what comes of it in one line. */
export type Named<T> = Readonly<Record<string, T>>;
type Cells = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Each row a state, each column an event. A cell that is missing, or one too many, is a difference. */
export const tableOf = <State, Event>(
  states: Named<State>,
  events: Named<Event>,
  cellOf: (state: State, event: Event) => string,
): Cells => mapped(states, (state) => mapped(events, (event) => cellOf(state, event)));

const mapped = <A, B>(all: Named<A>, f: (one: A) => B): Readonly<Record<string, B>> =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, f(one)]));
