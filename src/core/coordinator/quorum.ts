/** Who votes, and whether enough of them have answered lately. */
import type { NodeId } from "../../data/ids.ts";
import type { MemberInfo } from "../../data/members.ts";
import type { CoordinatorState } from "./state.ts";

/** Whoever has joined once and is not removed, dead or not. The coordinator votes, too. */
export const voters = ({ saved }: CoordinatorState): readonly MemberInfo[] =>
  saved.view.members.filter(({ state, incarnation }) => state !== "joining" || incarnation > 1);

export interface Poll {
  readonly answered: number;
  readonly needed: number;
  /** Whose answer is missing or too old. */
  readonly silent: readonly NodeId[];
}

export function poll(state: CoordinatorState, now: number): Poll {
  const all = voters(state);
  const silent = all.filter(({ nodeId }) => !isFresh(state, nodeId, now));
  const needed = Math.floor((all.length + 1) / 2) + 1;
  return {
    answered: all.length + 1 - silent.length,
    needed,
    silent: silent.map(({ nodeId }) => nodeId),
  };
}

function isFresh({ config, memory }: CoordinatorState, nodeId: NodeId, now: number): boolean {
  const at = memory.answered.get(nodeId);
  return at !== undefined && now - at <= config.maxNoHeartbeatMs;
}

/** A strict majority of the voters has answered: not necessarily in a reign of this activation. */
export function hasQuorum(state: CoordinatorState, now: number): boolean {
  const { answered, needed } = poll(state, now);
  return answered >= needed;
}

/** In this reign every voter has told what it knows, and so has whoever they knew of. */
export function hasHeardAll(state: CoordinatorState): boolean {
  const { granted, leading } = state.memory;
  const all = voters(state);
  return all.length === 0 || (leading && all.every(({ nodeId }) => granted.has(nodeId)));
}

/** May this coordinator commit? A cluster of which nobody is a member yet forms without voters. */
export function rules(state: CoordinatorState, now: number): boolean {
  if (voters(state).length === 0) return true;
  const unheard = state.saved.cluster?.unheard ?? [];
  return state.memory.leading && unheard.length === 0 && hasQuorum(state, now);
}
