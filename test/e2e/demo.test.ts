import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startLocal } from "../../src/cli/local.ts";
import { Api } from "./api.ts";

const TIMEOUT_MS = 180_000;

interface Ended {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } };
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}

/** The figure behind that word in the table. */
function figure(stdout: string, what: string): number {
  const found = new RegExp(`^ +${what} +([\\d,.]+)( |$)`, "m").exec(stdout)?.[1];
  expect(found, `${what} in ${stdout}`).toBeDefined();
  return Number(found?.replaceAll(",", ""));
}

const SMALL = { DEMO_ENTRIES: "3000", DEMO_PAUSE_MS: "500" };

it(
  "grows and shrinks under load: nothing refused, lost or resurrected, no move too many",
  {
    timeout: TIMEOUT_MS,
  },
  async () => {
    const { code, stdout, stderr } = await run(["src/demo/demo.ts"], SMALL);
    expect(code, stdout + stderr).toBe(0);
    for (const what of ["refused", "unanswered", "lost", "resurrected", "unread"])
      expect(figure(stdout, what), what).toBe(0);
    expect(figure(stdout, "acknowledged")).toBeGreaterThan(3_000);
    expect(figure(stdout, "redirected")).toBeGreaterThan(0);
    expect(figure(stdout, "moves / least possible")).toBe(1);
    expect(stdout).toMatch(/of [\d,]{5,} entries, read from 2 owners by a second process/);
    // 271 over 5 nodes: the two new ones get 54 each; then each that goes hands over what it has.
    const moves = [...stdout.matchAll(/(\d+)\/(\d+) partitions/g)].map(([, of, all]) => [of, all]);
    expect(moves).toHaveLength(4);
    expect(moves[0]).toEqual(["108", "108"]);
    for (const [done, planned] of moves) expect(done).toBe(planned);
  },
);

it("fails when too little happens to mean something", { timeout: TIMEOUT_MS }, async () => {
  const { code, stdout } = await run(["src/demo/demo.ts"], {
    GODWIT_PARTITIONS: "5",
    DEMO_ENTRIES: "100",
    DEMO_SOCKETS_PER_NODE: "1",
    DEMO_WRITES_PER_SOCKET: "8",
    DEMO_HTTP_CLIENTS: "1",
    DEMO_PAUSE_MS: "0",
  });
  expect(stdout).toMatch(/^FAILED: only \d+ writes were acknowledged/m);
  expect(code).toBe(1);
});

it("names each setting that is out of bounds, and starts nothing", async () => {
  const { code, stderr } = await run(["src/demo/demo.ts"], {
    GODWIT_PARTITIONS: "many",
    DEMO_ENTRIES: "1",
  });
  expect(code).toBe(2);
  expect(stderr.trimEnd().split("\n")).toEqual([
    'GODWIT_PARTITIONS is "many", must be a whole number 5 to 1024',
    'DEMO_ENTRIES is "1", must be a whole number 100 to 1000000',
  ]);
});

it("the second process finds what is lost and what is back", { timeout: TIMEOUT_MS }, async () => {
  const local = await startLocal({ port: 0, nodes: 2, partitions: 8 });
  const folder = await mkdtemp(join(tmpdir(), "godwit-claims-"));
  try {
    const api = new Api(local.url);
    const text = (n: number): string => String(n).padStart(98, "0");
    for (const [key, n] of [
      ["kept", 1],
      ["older", 2],
      ["back", 3],
    ] as const)
      expect((await api.json("PUT", `/v1/maps/demo/${key}`, text(n))).status).toBe(200);
    const claims = { kept: 1, older: 7, absent: 4, back: null, gone: null };
    const file = join(folder, "claims.json");
    await writeFile(file, JSON.stringify(claims));
    const { stdout, stderr } = await run(["src/demo/verify.ts", local.url.href, file]);
    expect(stderr).toBe("");
    const verdict = { entries: 5, deleted: 2, lost: 2, resurrected: 1, unread: 0 };
    expect(JSON.parse(stdout)).toMatchObject(verdict);
  } finally {
    await local.dispose();
    await rm(folder, { recursive: true });
  }
});
