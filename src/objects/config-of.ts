import { DEFAULTS, validate, type Config } from "../core/config.ts";
import type { Env } from "./env.ts";

/** The defaults, with what the deployment sets. Throws on a value out of bounds: it must not start. */
export const configOf = ({ GODWIT_NODES, GODWIT_PARTITIONS }: Env): Config =>
  validate({
    ...DEFAULTS,
    initialNodes: Number(GODWIT_NODES ?? DEFAULTS.initialNodes),
    partitionCount: Number(GODWIT_PARTITIONS ?? DEFAULTS.partitionCount),
  });
