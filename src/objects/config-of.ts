import { assert } from "../data/assert.ts";
import { DEFAULTS, FAST, validate, type Config } from "../core/config.ts";
import type { Env } from "./env.ts";

/** The defaults, with what the deployment sets. Throws on a value out of bounds: it must not start. */
export const configOf = ({
  GODWIT_NODES,
  GODWIT_PARTITIONS,
  GODWIT_BACKUPS,
  GODWIT_PRESET,
}: Env): Config =>
  validate({
    ...presetOf(GODWIT_PRESET),
    initialNodes: Number(GODWIT_NODES ?? DEFAULTS.initialNodes),
    partitionCount: Number(GODWIT_PARTITIONS ?? DEFAULTS.partitionCount),
    backupCount: Number(GODWIT_BACKUPS ?? DEFAULTS.backupCount),
  });

function presetOf(name: string | undefined): Config {
  assert(name === undefined || name === "fast", `GODWIT_PRESET is ${name}, must be fast or unset`);
  return name === "fast" ? FAST : DEFAULTS;
}
