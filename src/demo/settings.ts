/** What a run may be told by its environment, and what it takes for enough. */

export interface Settings {
  /** Slices of the key space. */
  readonly partitions: number;
  /** Copies of each beside its owner: with one the play takes at least twice as long. */
  readonly backups: number;
  /** Entries written before the play begins, shared out among the writers. */
  readonly entries: number;
  /** Sockets per node. */
  readonly socketsPerNode: number;
  /** Per second. */
  readonly writesPerSocket: number;
  /** Clients over HTTP, each with one request at a time. */
  readonly httpClients: number;
  /** Writing before, between and after the rebalances. */
  readonly pauseMs: number;
}

/** Fewer acknowledged writes during the play prove nothing. */
export const ACKED_MIN = 3_000;

/** A write acknowledged later than this after it was first sent counts as held. */
export const HELD_MS = 1_000;

/** A frame without an answer is sent again, and its writes count as timed out. */
export const RESEND_MS = 5_000;

/** When the play is over: time for what was sent to be acknowledged. */
export const DRAIN_MS = 30_000;

interface Variable {
  readonly field: keyof Settings;
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
}

const VARIABLES: Readonly<Record<string, Variable>> = {
  GODWIT_PARTITIONS: { field: "partitions", fallback: 271, min: 5, max: 1_024 },
  GODWIT_BACKUPS: { field: "backups", fallback: 0, min: 0, max: 5 },
  DEMO_ENTRIES: { field: "entries", fallback: 20_000, min: 100, max: 1_000_000 },
  DEMO_SOCKETS_PER_NODE: { field: "socketsPerNode", fallback: 2, min: 1, max: 20 },
  DEMO_WRITES_PER_SOCKET: { field: "writesPerSocket", fallback: 250, min: 8, max: 8_000 },
  DEMO_HTTP_CLIENTS: { field: "httpClients", fallback: 4, min: 1, max: 50 },
  DEMO_PAUSE_MS: { field: "pauseMs", fallback: 2_000, min: 0, max: 60_000 },
};

/** Or one line for each variable that is no whole number within its bounds. */
export function settingsOf(env: Readonly<Record<string, string | undefined>>): Settings | string[] {
  const settings: Record<keyof Settings, number> = {
    partitions: 0,
    backups: 0,
    entries: 0,
    socketsPerNode: 0,
    writesPerSocket: 0,
    httpClients: 0,
    pauseMs: 0,
  };
  const problems: string[] = [];
  for (const [name, { field, fallback, min, max }] of Object.entries(VARIABLES)) {
    const text = env[name] ?? String(fallback);
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) settings[field] = value;
    else
      problems.push(`${name} is ${JSON.stringify(text)}, must be a whole number ${min} to ${max}`);
  }
  return problems.length > 0 ? problems : settings;
}
