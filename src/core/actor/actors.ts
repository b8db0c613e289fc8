/** The activations of a node: how they are found, replaced and forgotten. */
import type { PartitionId } from "../../data/ids.ts";
import type { Turn } from "../node/turn.ts";
import { isIdle, type Activation, type ActorMemory, type ActorName } from "./activation.ts";

/** Actors in memory at a time: beyond it the one that was not used for longest makes room. */
export const ACTIVATIONS_MAX = 2_048;

export const memoryOf = (turn: Turn): ActorMemory => turn.memory.actors;

export function setActors(turn: Turn, changes: Partial<ActorMemory>): void {
  turn.setMemory({ actors: { ...memoryOf(turn), ...changes } });
}

export const activation = (turn: Turn, { partitionId, key }: ActorName): Activation | undefined =>
  memoryOf(turn).partitions.get(partitionId)?.get(key);

export const activationsIn = (turn: Turn, partitionId: PartitionId): readonly ActorName[] => {
  const keys = memoryOf(turn).partitions.get(partitionId)?.keys() ?? [];
  return [...keys].map((key) => ({ partitionId, key }));
};

export function setActivation(turn: Turn, { partitionId, key }: ActorName, one: Activation): void {
  const { partitions, count } = memoryOf(turn);
  const before = partitions.get(partitionId);
  const mine = turn.own(before ?? new Map<string, Activation>());
  const isNew = !mine.has(key);
  mine.set(key, one);
  const next = mine === before ? partitions : turn.own(partitions).set(partitionId, mine);
  setActors(turn, { partitions: next, ...(isNew && { count: count + 1 }) });
}

export function change(turn: Turn, name: ActorName, changes: Partial<Activation>): void {
  const known = activation(turn, name);
  if (known) setActivation(turn, name, { ...known, ...changes });
}

export function forgetActivation(turn: Turn, { partitionId, key }: ActorName): void {
  const { partitions, count } = memoryOf(turn);
  const before = partitions.get(partitionId);
  if (!before?.has(key)) return;
  const mine = turn.own(before);
  mine.delete(key);
  const next = turn.own(partitions);
  if (mine.size > 0) next.set(partitionId, mine);
  else next.delete(partitionId);
  setActors(turn, { partitions: next, count: count - 1 });
}

/** False: all that are in memory are at work. */
export function makeRoom(turn: Turn): boolean {
  if (memoryOf(turn).count < ACTIVATIONS_MAX) return true;
  let oldest: { readonly name: ActorName; readonly usedAt: number } | null = null;
  for (const [partitionId, mine] of memoryOf(turn).partitions)
    for (const [key, one] of mine)
      if (isIdle(one) && one.usedAt < (oldest?.usedAt ?? Infinity))
        oldest = { name: { partitionId, key }, usedAt: one.usedAt };
  if (!oldest) return false;
  forgetActivation(turn, oldest.name);
  return true;
}

/** Something of an actor is due then. */
export function dueAt(turn: Turn, at: number): void {
  if (at < memoryOf(turn).dueAt) setActors(turn, { dueAt: at });
}

/** What comes back with an effect, in the moment of this turn. */
export const tagOf = ({ now, random }: Turn, name: ActorName) =>
  ({ for: "actor", name, now, random }) as const;
