/** What one run is made of, all drawn from its seed: some runs are calm, some wild. */
import type { Config } from "../../src/core/config.ts";
import { DEFAULTS, validate } from "../../src/core/config.ts";
import { Prng } from "./prng.ts";

export interface Options {
  readonly seed: number;
  readonly config: Config;
  readonly clients: number;
  readonly keys: number;
  readonly chaosMs: number;
  readonly dropRate: number;
  readonly duplicateRate: number;
  readonly slowRate: number;
  readonly slowMsMax: number;
  readonly cutRate: number;
  /** How often a cut divides everybody in two, and for longer. */
  readonly splitRate: number;
  readonly splitMsMax: number;
  /** How often the coordinator is replaced while its old instance still runs. */
  readonly ghostRate: number;
  readonly crashEveryMs: number | null;
  readonly crashInStepRate: number;
  readonly operateEveryMs: number;
  readonly writeEveryMs: number;
  /** Unstamped writes and lists, as over HTTP. */
  readonly askEveryMs: number;
  readonly askOpsMax: number;
  /** Every clock, of node and client, is up to so much ahead of or behind true time. */
  readonly skewMsMax: number;
  readonly valueBytesMax: number;
  readonly expiryRate: number;
  /** To which the operator lets it grow. */
  readonly nodesMax: number;
  /** Nemeses strike, as drawn by `Storm`. */
  readonly storm: boolean;
  /** Deletions are kept for seconds only, and objects are away for longer. */
  readonly forgets: boolean;
  /** Clients send all that was refused again at one moment. */
  readonly gathers: boolean;
  /** The operator claims partitions that have owners. */
  readonly claims: boolean;
  /** They write sets and counters, too. */
  readonly sets: boolean;
  /** Clients that follow the map, beside those that write it. */
  readonly subscribers: number;
  /** Clients as they are in production. */
  readonly sdks: number;
  /** Of actors. */
  readonly callers: number;
}

/** Seeds below have no storm and mean what they meant before there were any. */
export const FIRST_STORM = 100_000;

/** From here on deletions are forgotten. */
export const FIRST_FORGETFUL = 200_000;

/** Storms of a second kind, in which more happens than when those above were drawn first, and at less cost. */
export const FIRST_WILD = 1_000_000;
const WILD_END = 2_000_000;

/** Wild storms in which some clients are those of production. */
export const FIRST_SDK = 3_000_000;
const SDK_END = 4_000_000;

/** Wild storms in which actors are called, too. */
export const FIRST_CALLED = 4_000_000;
const CALLED_END = 5_000_000;

export function draw(seed: number): Options {
  const options = drawPlain(seed);
  if (seed >= FIRST_WILD && seed < WILD_END) return drawWild(seed, options);
  if (seed >= FIRST_SDK && seed < SDK_END) return drawSdk(seed, options);
  if (seed >= FIRST_CALLED && seed < CALLED_END) return drawCalled(seed, options);
  if (seed >= FIRST_FORGETFUL) return drawForgetful(seed, options);
  return seed < FIRST_STORM ? options : drawStorm(seed, options);
}

/** Storms over more than eight nodes: they take half of the time. */
const LARGE_PER_CENT = 6;

/** The nemeses cut and replace; what goes on beside them is what any bad network does. */
function drawStorm(seed: number, plain: Options, largePerCent = LARGE_PER_CENT): Options {
  const prng = new Prng(seed ^ 0x512e);
  const options = { ...plain, storm: true, cutRate: 0, splitRate: 0, ghostRate: 0, askOpsMax: 6 };
  const what = prng.below(100);
  // Few keys to a partition in a large cluster, and few partitions to a node: a run is to stay short.
  const initialNodes = what < largePerCent ? 8 + prng.below(43) : 3 + prng.below(6);
  const partitionCount = 1 + prng.below(initialNodes) + prng.below(4);
  const keys = 4 + prng.below(6);
  if (what >= 30) return options;
  const config = validate({ ...options.config, initialNodes, partitionCount });
  // A coordinator begins a reign by asking everybody: each answer may crash it, so that it would never end.
  const crashInStepRate = options.crashInStepRate * Math.min(1, 8 / initialNodes);
  return { ...options, config, keys, crashInStepRate, nodesMax: initialNodes + 3 };
}

/** Each difference from a storm is an option of its own. */
function drawWild(seed: number, plain: Options): Options {
  const storm = drawStorm(seed, plain, LARGE_PER_CENT / 2);
  // Every other one: the rest mean what they meant before there were any.
  return { ...storm, claims: true, gathers: true, sets: seed % 2 === 1, subscribers: 2 };
}

function drawSdk(seed: number, plain: Options): Options {
  const sdks = 1 + new Prng(seed ^ 0x5dc5).below(3);
  return { ...drawWild(seed, plain), sets: true, subscribers: 1, sdks };
}

function drawCalled(seed: number, plain: Options): Options {
  const callers = 1 + new Prng(seed ^ 0xca11).below(3);
  // So that actors, too, make room and come back.
  const idleAfterMs = seed % 2 === 0 ? plain.config.idleAfterMs : 300;
  const config = { ...plain.config, idleAfterMs };
  return { ...drawWild(seed, { ...plain, config }), sets: false, subscribers: 0, callers };
}

/** No message is on its way, and nobody cut off, for as long as a deletion is kept: only who is away is. */
function drawForgetful(seed: number, plain: Options): Options {
  const prng = new Prng(seed ^ 0xf0e7);
  const config = validate({
    ...plain.config,
    backupCount: prng.below(4) === 0 ? 0 : 1 + prng.below(2),
    initialNodes: 3,
    maxNoHeartbeatMs: Math.min(plain.config.maxNoHeartbeatMs, 1_200),
    suspicionTimeoutMs: 400 + prng.below(800),
    idleAfterMs: 300 + prng.below(700),
    forwardTimeoutMs: 1_500,
    tombstoneRetentionMs: 2_500 + prng.below(1_500),
    collectPauseMs: 10 + prng.below(100),
    collectRowsMax: 1 + prng.below(6),
  });
  return {
    ...plain,
    config,
    forgets: true,
    keys: 4 + prng.below(6),
    chaosMs: 30_000,
    slowMsMax: 300,
    splitMsMax: 1_000,
    skewMsMax: prng.below(200),
    operateEveryMs: 4_000,
    crashEveryMs: prng.chance(0.5) ? null : 1_500 + prng.below(4_000),
    writeEveryMs: 80 + prng.below(60),
    askEveryMs: 200 + prng.below(200),
    expiryRate: 0.1,
  };
}

function drawPlain(seed: number): Options {
  const prng = new Prng(seed ^ 0x5eed);
  const rate = (max: number): number => (prng.chance(0.4) ? 0 : (prng.below(1_000) / 1_000) * max);
  return {
    seed,
    config: validate({
      ...DEFAULTS,
      partitionCount: 2 + prng.below(4),
      initialNodes: 2 + prng.below(2),
      backupCount: seed % 3,
      maxParallelMigrations: 1 + prng.below(2),
      // Beyond the end of most runs: a move that stands still must not be rescued by it.
      migrationTimeoutMs: prng.chance(0.3)
        ? DEFAULTS.migrationTimeoutMs
        : 2_500 + prng.below(1_500),
      maxNoHeartbeatMs: 600 + prng.below(1_800),
      heartbeatMs: 100 + (seed % 90),
      detector: seed % 3 === 0 ? "phi" : "deadline",
      probeTimeoutMs: 100 + (seed % 300),
      // In some runs nobody is ever given up, in others at once.
      suspicionTimeoutMs: seed % 4 === 0 ? 60_000 : 400 + ((seed * 37) % 2_500),
      idleAfterMs: 1_000 + (seed % 3_000),
      chunkRowsMax: 1 + prng.below(4),
      chunkWindow: 1 + prng.below(3),
      deltaWindow: 1 + prng.below(3),
      resumeEveryChunks: 1 + prng.below(4),
      digestSliceRows: 1 + prng.below(8),
      unackedDeltaBytesMax: prng.chance(0.3) ? 300 : 1_000_000,
      forwardTimeoutMs: 20_000,
      finishedMovesMax: 20,
      mapPushMs: 10 + (seed % 150),
      mapHistoryMax: seed % 4 === 0 ? 2 : DEFAULTS.mapHistoryMax,
    }),
    clients: 1 + prng.below(3),
    keys: 4 + prng.below(16),
    chaosMs: 8_000 + prng.below(8_000),
    dropRate: rate(0.2),
    duplicateRate: rate(0.2),
    slowRate: rate(0.2),
    slowMsMax: 200 + prng.below(6_000),
    cutRate: rate(0.3),
    splitRate: rate(0.5),
    splitMsMax: 1_000 + prng.below(9_000),
    ghostRate: rate(0.4),
    crashEveryMs: prng.chance(0.3) ? null : 700 + prng.below(4_000),
    crashInStepRate: rate(0.02),
    operateEveryMs: 600 + prng.below(2_000),
    writeEveryMs: 15 + prng.below(60),
    askEveryMs: 40 + prng.below(200),
    askOpsMax: 1,
    skewMsMax: prng.chance(0.3) ? 0 : prng.below(20_000),
    valueBytesMax: prng.chance(0.3) ? 400 : 2,
    expiryRate: prng.chance(0.5) ? 0.1 : 0,
    nodesMax: 5,
    storm: false,
    forgets: false,
    gathers: false,
    claims: false,
    sets: false,
    subscribers: 0,
    sdks: 0,
    callers: 0,
  };
}
