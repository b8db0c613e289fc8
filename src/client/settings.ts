/** What a client may be told, and what it is told if nobody says. */
import { ClusterId } from "../data/ids.ts";
import { isStampNode } from "../data/hlc.ts";
import { malformed } from "../protocol/checks.ts";
import { NAME_PATTERN } from "../protocol/limits.ts";
import type { AckLevel } from "../protocol/ops.ts";
import { GridError } from "./errors.ts";
import type { Settings as MachineSettings } from "./machine/client-state.ts";
import type { Mode } from "./machine/router.ts";
import type { SocketMaker } from "./socket.ts";

export interface Options {
  /** Name of the cluster; "main". */
  readonly cluster?: string;
  /**
   * "direct": a connection to each node that owns something, and each operation to its owner. "gateway": one
   * connection to any node, which passes on what belongs elsewhere. Browsers may prefer the latter.
   */
  readonly mode?: Mode;
  /** When a write is acknowledged, where the call does not say: when its owner has it on disk, or a backup, too. */
  readonly ack?: AckLevel;
  /** Operations that may wait to be settled; one more is refused with OUTBOX_FULL. */
  readonly outboxMax?: number;
  /** Entries of each map, and values of each set, that are kept here to be looked at; the oldest go first. */
  readonly localMax?: number;
  /** For how long a node's refusals that may pass (OVERLOADED, NO_BACKUP …) are not taken for an answer. */
  readonly patienceMs?: number;
  /** A node that leaves something unanswered for so long is taken for lost, and asked again. */
  readonly answerMs?: number;
  /** `connect` rejects with UNREACHABLE if no node has answered by then. */
  readonly connectMs?: number;
  /** Who writes, in each stamp: 1 to 64 of A-Z a-z 0-9 . _ -, and nobody else's at the same time. Drawn by default. */
  readonly clientId?: string;
  /**
   * In browsers: keeps in IndexedDB what no node has acknowledged and what subscriptions were told. After a reload both are there; the
   * next page of this origin, or another that is open, sends what was left. `connect` rejects with STORAGE where nothing can be kept.
   */
  readonly persist?: boolean;
  /** Where there is none in `globalThis`, or another is wanted. */
  readonly WebSocket?: SocketMaker;
}

export interface Settings extends MachineSettings {
  readonly ack: AckLevel;
  readonly localMax: number;
  readonly connectMs: number;
  readonly persist: boolean;
  readonly WebSocket: SocketMaker;
}

const DEFAULTS = {
  cluster: "main",
  mode: "direct",
  ack: "owner",
  outboxMax: 100_000,
  localMax: 1_000_000,
  patienceMs: 30_000,
  answerMs: 15_000,
  connectMs: 10_000,
  persist: false,
} as const;

export function settingsOf(options: Options): Settings {
  const replicaId = drawnId();
  const { cluster, clientId = replicaId, ...rest } = { ...DEFAULTS, ...options };
  const WebSocket = options.WebSocket ?? globalThis.WebSocket;
  if (!NAME_PATTERN.test(cluster)) throw wrong("cluster", "1 to 32 of a-z 0-9 -");
  if (!isStampNode(clientId)) throw wrong("clientId", "1 to 64 of A-Z a-z 0-9 . _ -");
  if (typeof WebSocket !== "function") throw wrong("WebSocket", "a constructor of sockets");
  if (typeof rest.persist !== "boolean") throw wrong("persist", "true or false");
  for (const field of ["outboxMax", "localMax", "patienceMs", "answerMs", "connectMs"] as const)
    if (!(rest[field] >= 1)) throw wrong(field, "a number from 1 on");
  return { ...rest, WebSocket, clientId, replicaId, cluster: ClusterId(cluster) };
}

const wrong = (field: string, expected: string): GridError =>
  new GridError(malformed(expected)(field));

/** 96 bits: two clients of one name would make the same stamps. */
function drawnId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `c-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
