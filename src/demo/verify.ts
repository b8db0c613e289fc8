/**
 * `node verify.ts URL FILE`, in a process that has written nothing: reads every key that FILE makes
 * a claim about from the node that owns it. A node that is not the owner refuses: no forwarding.
 */
import { decode } from "@msgpack/msgpack";
import { partitionOf } from "../data/hash.ts";
import type { Values } from "../protocol/client-messages.ts";
import type { ReadResult } from "../protocol/ops.ts";
import { MAP, textOf } from "./changes.ts";
import { Cluster } from "./cluster.ts";
import { connect } from "./connection.ts";
import { readClaims, type Claims } from "./ledger.ts";

const KEYS_PER_READ = 500;

export interface Verdict {
  /** Read back, those that were deleted included. */
  readonly entries: number;
  readonly deleted: number;
  /** Owners asked. */
  readonly owners: number;
  /** Not there, or not what was acknowledged last. */
  readonly lost: number;
  /** There although a delete was acknowledged last. */
  readonly resurrected: number;
  /** Neither there nor not: the owner refused. */
  readonly unread: number;
  /** A few of those that are wrong. */
  readonly examples: readonly string[];
}

const EXAMPLES_MAX = 5;

const [url, file] = process.argv.slice(2);
if (url === undefined || file === undefined) throw new Error("usage: verify.ts URL FILE");
console.log(JSON.stringify(await verify(new URL(url), await readClaims(file))));

async function verify(base: URL, claims: Claims): Promise<Verdict> {
  const owners = await new Cluster(base).owners();
  const byOwner = Map.groupBy(
    Object.keys(claims),
    (key) => owners[partitionOf(key, owners.length)],
  );
  const found = await Promise.all(
    [...byOwner].map(async ([owner, keys]) => {
      if (typeof owner !== "string") throw new Error(`nobody owns ${keys[0]}`);
      return read(base, owner, keys);
    }),
  );
  const results = found.flat();
  const wrong = results.flatMap(([key, result]) => {
    const fault = faultOf(claims[key] ?? null, result);
    return fault ? [{ key, fault, result }] : [];
  });
  const of = (fault: Fault): number => wrong.filter((entry) => entry.fault === fault).length;
  return {
    entries: results.length,
    deleted: results.filter(([key]) => claims[key] === null).length,
    owners: byOwner.size,
    lost: of("lost"),
    resurrected: of("resurrected"),
    unread: of("unread"),
    examples: wrong
      .slice(0, EXAMPLES_MAX)
      .map(({ key, fault, result }) => `${key} ${fault}: ${claims[key]}, ${shown(result)}`),
  };
}

type Fault = "lost" | "resurrected" | "unread";

/** `claim`: the number of the last acknowledged write, null for a delete. */
function faultOf(claim: number | null, result: ReadResult): Fault | null {
  if (result.type !== "value") return "unread";
  const value = result.value && decode(result.value);
  if (claim === null) return value === null ? null : "resurrected";
  return value === textOf(claim) ? null : "lost";
}

function shown(result: ReadResult): string {
  if (result.type === "refused") return result.error.code;
  if (result.type !== "value") return result.type;
  return JSON.stringify(result.value && decode(result.value));
}

async function read(
  base: URL,
  owner: string,
  keys: readonly string[],
): Promise<readonly (readonly [key: string, result: ReadResult])[]> {
  const answers = new Map<number, (values: Values) => void>();
  const closed = (code: number): void => {
    if (answers.size > 0) throw new Error(`${owner} closed its socket with ${code}`);
  };
  const connection = await connect(
    base,
    { node: owner, clientId: `verify-${owner}`, forward: false },
    {
      message: (message) => {
        if (message.type === "ERROR") throw new Error(message.error.message);
        if (message.type === "VALUES") answers.get(message.seq)?.(message);
      },
      closed,
    },
  );
  if (connection.nodeId !== owner) throw new Error(`${connection.nodeId} answers for ${owner}`);
  const results: (readonly [string, ReadResult])[] = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_READ) {
    const some = keys.slice(at, at + KEYS_PER_READ);
    const { promise, resolve } = Promise.withResolvers<Values>();
    answers.set(at, resolve);
    connection.send({ type: "GET", seq: at, keys: some.map((key) => ({ map: MAP, key })) });
    const { values } = await promise;
    answers.delete(at);
    for (const [i, key] of some.entries()) {
      const result = values[i];
      if (!result) throw new Error(`no value for ${key}`);
      results.push([key, result]);
    }
  }
  connection.close();
  return results;
}
