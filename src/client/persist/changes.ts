/** What is to be written down. */
import type { Changes } from "./store.ts";

export const noChanges = (): Changes => ({
  exposedBelow: null,
  known: null,
  asks: new Map(),
  counts: new Map(),
  adopted: new Set(),
  told: new Map(),
});

/** The later ones count. */
export const joined = (a: Changes, b: Changes): Changes => ({
  exposedBelow: b.exposedBelow ?? a.exposedBelow,
  known: b.known ?? a.known,
  asks: new Map([...a.asks, ...b.asks]),
  counts: new Map([...a.counts, ...b.counts]),
  adopted: new Set([...a.adopted, ...b.adopted]),
  told: new Map(
    [...a.told.keys(), ...b.told.keys()].map((query) => [
      query,
      new Map([...(a.told.get(query) ?? []), ...(b.told.get(query) ?? [])]),
    ]),
  ),
});

export const isAny = ({ exposedBelow, known, ...rest }: Changes): boolean =>
  exposedBelow !== null || known !== null || Object.values(rest).some(({ size }) => size > 0);
