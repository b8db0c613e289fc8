/** Transfers between accounts, each an actor that calls two others, while partitions move and a node is killed. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { partitionOf } from "../../src/data/hash.ts";
import { Grid } from "./grid.ts";
import { pause } from "./writer.ts";

const PARTITIONS = 16;
const ACCOUNTS = Array.from({ length: 8 }, (_, i) => `a${i}`);
const FIRST = 100;
const TELLERS = 4;
const TRANSFERS_MIN = 60;

interface Told {
  readonly reply?: { readonly balance: number };
  readonly error?: { readonly code: string; readonly retry: string; readonly refusal?: string };
}

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start({
    nodes: 3,
    partitions: PARTITIONS,
    backups: 1,
    preset: "fast",
    faults: true,
  });
}, 60_000);
afterAll(() => grid.stop());

/** Until it is executed or refused for good: under one name, however often. */
async function certainly(path: string, command: unknown, commandId: string | null): Promise<Told> {
  for (const began = Date.now(); Date.now() - began < 40_000; await pause(20)) {
    const { status, body } = await grid.api.json<Told>("POST", `/v1/actors/${path}`, {
      command,
      commandId,
    });
    if (status === 200 || body.error?.retry === "never") return body;
  }
  throw new Error(`${commandId} of ${path} is not answered`);
}

class Bank {
  readonly balances = new Map(ACCOUNTS.map((id) => [id, FIRST]));
  made = 0;
  refused = 0;

  async transfer(n: string, random: () => number): Promise<void> {
    const pick = (): string => ACCOUNTS[Math.floor(random() * ACCOUNTS.length)] ?? "a0";
    const [from, to, amount] = [pick(), pick(), 1 + Math.floor(random() * 60)];
    const { error } = await certainly(`transfer/t${n}`, { from, to, amount }, n);
    if (error) {
      expect(error.refusal).toBe(from === to ? "same-account" : "insufficient-funds");
      this.refused++;
      return;
    }
    this.made++;
    this.balances.set(from, (this.balances.get(from) ?? 0) - amount);
    this.balances.set(to, (this.balances.get(to) ?? 0) + amount);
  }
}

/** Partitions go round and round. */
async function shuttle(signal: AbortSignal): Promise<number> {
  let moves = 0;
  for (let p = 0; !signal.aborted; p = (p + 1) % PARTITIONS, await pause(20)) {
    const from = await grid.ownerOf(p).catch(() => null);
    const to = grid.nodes.find((node) => node !== from);
    const { status } = await grid.api.json("POST", "/v1/cluster/migrations", { partition: p, to });
    if (status === 202) moves++;
  }
  return moves;
}

it("loses and makes no money while everything moves and a node is lost, and comes to the accounts that were told", async () => {
  for (const id of ACCOUNTS)
    await certainly(`account/${id}`, { type: "deposit", amount: FIRST }, `first-${id}`);
  const bank = new Bank();
  const running = new AbortController();
  const { signal } = running;
  const moving = shuttle(signal);
  const lost = await grid.ownerOf(partitionOf("a0", PARTITIONS));
  const tellers = Array.from({ length: TELLERS }, async (_, t) => {
    for (let n = 0; !signal.aborted; n++) await bank.transfer(`${t}-${n}`, Math.random);
  });
  try {
    while (bank.made < TRANSFERS_MIN / 2) await pause(20);
    await grid.killNode(lost);
    const before = bank.made;
    while (bank.made < before + TRANSFERS_MIN / 2) await pause(20);
  } finally {
    running.abort();
    await Promise.all(tellers);
  }
  const moves = await moving;
  const balances = await Promise.all(
    ACCOUNTS.map(async (id) => {
      const { reply } = await certainly(`account/${id}`, { type: "balance" }, null);
      return [id, reply?.balance] as const;
    }),
  );
  expect(Object.fromEntries(balances)).toEqual(Object.fromEntries(bank.balances));
  expect(moves).toBeGreaterThan(4);
  expect(bank.refused).toBeGreaterThan(0);
  expect(await grid.ownerOf(partitionOf("a0", PARTITIONS))).not.toBe(lost);
}, 90_000);
