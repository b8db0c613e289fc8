/** Copies that their owner does not hear: when it asks to be freed from one, though no write waits for it. */
import type { NodeId } from "../../data/ids.ts";
import type { Config } from "../config.ts";
import type { Owner, Role } from "../node/state.ts";
import type { Stream } from "./stream.ts";

export const isClosing = (role: Owner): boolean =>
  role.move !== null && role.move.phase !== "copying";

/** The move closes only when this one has been compared, or is struck. */
export const isMissed = (role: Role | undefined, nodeId: NodeId): boolean =>
  role?.type === "owner" &&
  isClosing(role) &&
  role.copies.some((copy) => copy.nodeId === nodeId && copy.state !== "copying");

/** When its owner has waited long enough for it. Infinity: it does not wait for it, or is answered. */
export const unheardAt = (config: Config, role: Role | undefined, stream: Stream): number =>
  Math.min(silentAt(config, role, stream), forgottenAt(config, role, stream));

/**
 * Who is still copying is given up by the coordinator, when its move runs out of time: unless that was restored from a copy
 * of earlier and has forgotten it.
 */
function forgottenAt(
  { migrationTimeoutMs }: Config,
  role: Role | undefined,
  { to, silentSince }: Stream,
): number {
  if (silentSince === null || role?.type !== "owner") return Infinity;
  const isCopying = role.copies.some(({ nodeId, state }) => nodeId === to && state !== "complete");
  return isCopying ? silentSince + migrationTimeoutMs : Infinity;
}

function silentAt(
  { maxNoHeartbeatMs }: Config,
  role: Role | undefined,
  { to, silentSince }: Stream,
): number {
  if (silentSince === null || !isMissed(role, to)) return Infinity;
  return silentSince + maxNoHeartbeatMs;
}

/** It is not waited for where nothing rests on it. */
export const isSilent = (
  { maxNoHeartbeatMs }: Config,
  { silentSince }: Stream,
  now: number,
): boolean => silentSince !== null && silentSince + maxNoHeartbeatMs <= now;
