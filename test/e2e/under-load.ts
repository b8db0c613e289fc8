/** A play beside writers of values and deletes, over sockets and HTTP, and what they made of it. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";
import { Crew } from "../../src/demo/crew.ts";
import type { Settings } from "../../src/demo/settings.ts";
import { sum, type Tally } from "../../src/demo/tally.ts";

const VERIFY = fileURLToPath(new URL("../../src/demo/verify.ts", import.meta.url));

const VERDICT = v.object({
  entries: v.number(),
  deleted: v.number(),
  lost: v.number(),
  resurrected: v.number(),
  unread: v.number(),
  examples: v.array(v.string()),
});

/** Only a few keys, so that puts and deletes of the same one race with every move. */
const SETTINGS: Settings = {
  partitions: 0,
  backups: 0,
  entries: 3_000,
  socketsPerNode: 1,
  writesPerSocket: 400,
  httpClients: 2,
  pauseMs: 0,
};

export interface Outcome extends v.InferOutput<typeof VERDICT> {
  readonly acked: number;
  readonly refused: readonly string[];
  readonly unanswered: number;
  /** Of any writer, between two acknowledgements. */
  readonly longestGapMs: number;
}

/** What was acknowledged is read back by a second process, from the owners. */
export async function underLoad(
  url: URL,
  nodes: readonly string[],
  play: () => Promise<void>,
): Promise<Outcome> {
  const crew = new Crew(url, SETTINGS, nodes.length);
  await crew.connect(nodes);
  await crew.load();
  crew.start();
  const played = await play().then(
    () => null,
    (error: unknown) => ({ error }),
  );
  const unanswered = await crew.finish();
  if (played) throw played.error;
  const tallies = [crew.overSockets, crew.overHttp];
  return {
    ...(await verified(url, crew)),
    acked: sum(tallies.map(({ acked }) => acked)),
    refused: tallies.flatMap(({ refused }) => [...refused.keys()]),
    unanswered,
    longestGapMs: Math.max(...tallies.map((tally: Tally) => tally.longestGapMs())),
  };
}

async function verified(url: URL, { ledger }: Crew): Promise<v.InferOutput<typeof VERDICT>> {
  const folder = await mkdtemp(join(tmpdir(), "godwit-claims-"));
  try {
    const claims = join(folder, "acknowledged.json");
    await ledger.save(claims);
    const { stdout } = await promisify(execFile)(process.execPath, [VERIFY, url.href, claims]);
    return v.parse(VERDICT, JSON.parse(stdout));
  } finally {
    await rm(folder, { recursive: true });
  }
}
