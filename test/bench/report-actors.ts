import type { ActorFigures } from "./actors.ts";
import { one, print, two, whole } from "./table.ts";

export function showActors({ bare, moving, activation, ...rates }: ActorFigures): void {
  console.log(
    "\ncalls of actors in frames of one over one socket, 32 under way, beside puts of a bare object",
  );
  const rows = [
    ["one actor", rates.one, 0.6],
    ["1,000 actors", rates.many, 0.7],
    ["1,000 actors with a backup", rates.backed, NaN],
  ] as const;
  print([
    ["", "per second", "bare", "(ratio)", "bound"],
    ...rows.map(([name, rate, bound]) => [
      name,
      whole(rate),
      whole(bare),
      two(rate / bare),
      Number.isNaN(bound) ? "" : two(bound),
    ]),
  ]);
  const { calls, moves, p50, p99 } = moving;
  console.log(
    `\nan actor of 10,000 entries under ${calls} calls and ${moves} moves: p50 ${one(p50)}, p99 ${one(p99)} ms`,
  );
  const { shortMs, longMs } = activation;
  const ratio = two(longMs / shortMs);
  console.log(
    `first answer after a move: ${one(longMs)} ms of 100,000 entries, ${one(shortMs)} of 100 (${ratio})`,
  );
}
