/** Every tunable of the core, in one place, with the relations between them. */
import { assert } from "../data/assert.ts";
import {
  CALL_MS_MAX,
  FRAME_BYTES_MAX,
  INBOX_BYTES_MAX,
  MAP_HISTORY_MAX,
} from "../protocol/limits.ts";

export interface Config {
  /** Slices of the key space, fixed when the cluster is created. */
  readonly partitionCount: number;
  /** Members that a new cluster waits for before it hands out partitions. */
  readonly initialNodes: number;
  /** Copies that each partition keeps beside its owner. */
  readonly backupCount: number;
  /** Moves that one node takes part in at a time, counted as source and as target. */
  readonly maxParallelMigrations: number;
  /** A move that is not decided by then is given up and tried again. */
  readonly migrationTimeoutMs: number;
  /** A copy that writes wait for and that says nothing for this long: the owner asks for a ruling. */
  readonly maxNoHeartbeatMs: number;
  /** Pause between the heartbeats of a node that works. */
  readonly heartbeatMs: number;
  /** What tells a silent node from one that is gone: a fixed time, or how unusual its silence is for it. */
  readonly detector: "deadline" | "phi";
  /** Of the latter: the level at which a node is asked, pauses remembered, and their least deviation. */
  readonly phiThreshold: number;
  readonly maxSampleSize: number;
  readonly minStdDevMs: number;
  /** A member that does not answer when it is asked for this long is suspect. */
  readonly probeTimeoutMs: number;
  /** A member that is suspect for this long is dead. */
  readonly suspicionTimeoutMs: number;
  /** A node's permission to run actors, and how far clocks may differ. */
  readonly leaseMs: number;
  readonly maxClockSkewMs: number;
  /** A node without traffic and work for this long says that it is dormant, and is silent. */
  readonly idleAfterMs: number;
  /** First pause before something is asked again; doubles up to the maximum, with full jitter. */
  readonly retryMsMin: number;
  readonly retryMsMax: number;
  /** The same for what nobody waits for while nobody works: a question wakes whoever is asked. */
  readonly idleRetryMsMax: number;
  /** An operation that cannot reach its owner for this long is answered OWNER_UNREACHABLE. */
  readonly forwardTimeoutMs: number;
  /** Bytes and rows per scanned chunk, and how many chunks are under way. */
  readonly chunkBytesMax: number;
  readonly chunkRowsMax: number;
  readonly chunkWindow: number;
  /** Delta items under way to one copy; more changes wait and travel together. */
  readonly deltaWindow: number;
  /** Bytes of deltas not yet acknowledged by a copy, above which writes wait for its ack. */
  readonly unackedDeltaBytesMax: number;
  /** A stream notes its progress on disk each time the copy has this many chunks more. */
  readonly resumeEveryChunks: number;
  /** Rows that a digest takes in per event. */
  readonly digestSliceRows: number;
  /** Repairs of a differing copy before the move is given up. */
  readonly repairPassesMax: number;
  /** A write stamped longer ago than this is refused: its delete may be forgotten already. */
  readonly tombstoneRetentionMs: number;
  /** Rows that a node looks at for some that are long gone, and the pause before the next. */
  readonly collectRowsMax: number;
  readonly collectPauseMs: number;
  /** Operations that may wait for a copy or for an owner elsewhere, per node. */
  readonly pendingOpsMax: number;
  /** Bytes of those, of values that wait with them, and of what copies have not acknowledged, per node. */
  readonly pendingBytesMax: number;
  /** Changes of the map that come within this go to clients together. */
  readonly mapPushMs: number;
  /** Changes of the map that a node remembers; a client that is further behind is sent the whole map. */
  readonly mapHistoryMax: number;
  /** Finished moves that the coordinator remembers. */
  readonly finishedMovesMax: number;
}

export const DEFAULTS: Config = {
  partitionCount: 271,
  initialNodes: 3,
  backupCount: 1,
  maxParallelMigrations: 2,
  migrationTimeoutMs: 120_000,
  maxNoHeartbeatMs: 5_000,
  heartbeatMs: 1_000,
  detector: "deadline",
  phiThreshold: 8,
  maxSampleSize: 200,
  minStdDevMs: 100,
  probeTimeoutMs: 1_000,
  suspicionTimeoutMs: 10_000,
  leaseMs: 8_000,
  maxClockSkewMs: 500,
  idleAfterMs: 10_000,
  retryMsMin: 250,
  retryMsMax: 10_000,
  idleRetryMsMax: 120_000,
  forwardTimeoutMs: 30_000,
  chunkBytesMax: 384 * 1024,
  chunkRowsMax: 500,
  chunkWindow: 2,
  deltaWindow: 1,
  unackedDeltaBytesMax: 1024 * 1024,
  resumeEveryChunks: 64,
  digestSliceRows: 1_000,
  repairPassesMax: 3,
  tombstoneRetentionMs: 86_400_000,
  collectRowsMax: 1_000,
  collectPauseMs: 250,
  pendingOpsMax: 100_000,
  pendingBytesMax: 32 * 1024 * 1024,
  mapPushMs: 100,
  mapHistoryMax: MAP_HISTORY_MAX,
  finishedMovesMax: 100,
};

/** From the silence of an owner to its successor within 3 s: for a network that never keeps anybody waiting. */
export const FAST: Config = {
  ...DEFAULTS,
  heartbeatMs: 200,
  maxNoHeartbeatMs: 800,
  probeTimeoutMs: 300,
  suspicionTimeoutMs: 800,
  leaseMs: 800,
  forwardTimeoutMs: 10_000,
  maxClockSkewMs: 100,
};

/** Who has not come after so many, which takes some seconds, is planned for when it comes. */
export const INVITATIONS_AWAITED = 6;

/** Throws when a relation between the settings is broken: a wrong deployment must not start. */
export function validate(config: Config): Config {
  const { partitionCount, initialNodes } = config;
  assert(
    Number.isInteger(partitionCount) && partitionCount >= 1 && partitionCount <= 16_384,
    `partitionCount is ${partitionCount}, must be 1 to 16384`,
  );
  assert(
    Number.isInteger(initialNodes) && initialNodes >= 1 && initialNodes <= 100,
    `initialNodes is ${initialNodes}, must be 1 to 100`,
  );
  assert(
    Number.isInteger(config.backupCount) && config.backupCount >= 0 && config.backupCount <= 5,
    `backupCount is ${config.backupCount}, must be 0 to 5`,
  );
  assert(config.retryMsMin <= config.retryMsMax, "a pause cannot start above its maximum");
  assert(
    config.retryMsMax <= config.idleRetryMsMax,
    "who works is not asked less often than others",
  );
  assert(
    config.maxNoHeartbeatMs < config.migrationTimeoutMs,
    "a silent copy must be struck before its move runs out of time",
  );
  assert(
    config.maxNoHeartbeatMs < CALL_MS_MAX && config.probeTimeoutMs < CALL_MS_MAX,
    "whoever waits for a quorum, or is asked, must be able to answer before nobody listens any more",
  );
  assert(
    config.forwardTimeoutMs > config.maxNoHeartbeatMs,
    "a write held for a silent copy must outlive the ruling that frees it",
  );
  assert(
    3 * config.heartbeatMs < config.maxNoHeartbeatMs,
    "two lost heartbeats in a row must not make a node look silent",
  );
  assert(
    config.heartbeatMs < config.idleAfterMs,
    "a node must be heard before it may fall silent again",
  );
  assert(
    config.probeTimeoutMs <= config.suspicionTimeoutMs,
    "who is suspect must have the time to answer once more",
  );
  assert(config.leaseMs > 3 * config.heartbeatMs, "a lost heartbeat must not cost a lease");
  assert(config.maxClockSkewMs < config.leaseMs, "a lease must be longer than clocks may differ");
  assert(config.chunkWindow >= 1 && config.deltaWindow >= 1, "a stream needs one item under way");
  assert(
    config.mapHistoryMax >= 0 && config.mapHistoryMax <= MAP_HISTORY_MAX,
    "nodes that have gone since a remembered version must fit a delta",
  );
  return config;
}

validate(DEFAULTS);
assert(
  DEFAULTS.pendingBytesMax >= INBOX_BYTES_MAX && DEFAULTS.pendingBytesMax >= 4 * FRAME_BYTES_MAX,
  "where nothing waits, all frames that an inbox lets in together must be let in",
);
assert(
  DEFAULTS.unackedDeltaBytesMax * 2 * DEFAULTS.maxParallelMigrations < DEFAULTS.pendingBytesMax / 2,
  "writes must wait for the copies of any moves before others must wait for them",
);
validate(FAST);
assert(
  FAST.maxNoHeartbeatMs + FAST.probeTimeoutMs + FAST.suspicionTimeoutMs < 3_000,
  "FAST promises a successor within 3 s, the time to rule and to push included",
);

/** The longest pause before something is asked again where somebody works. */
export const busyPauseMs = ({ retryMsMin, retryMsMax }: Config): number => retryMsMin + retryMsMax;

/** The longest before who is heard all the time is asked again: it has said twice meanwhile that it is there. */
export const heardPauseMs = ({ heartbeatMs, retryMsMin, retryMsMax }: Config): number =>
  Math.min(retryMsMax, Math.max(retryMsMin, 2 * heartbeatMs));

/** Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"), in ms; `random` in [0, 1). */
export function backoffMs(
  { retryMsMin, retryMsMax }: Config,
  attempt: number,
  random: number,
  maxMs = retryMsMax,
): number {
  const ceiling = Math.min(maxMs, retryMsMin * 2 ** Math.min(attempt, 20));
  return Math.max(1, Math.ceil(ceiling * random));
}
