/** Nodes come and go, in order and all at once, while keys are put and deleted. */
import { afterEach, expect, it } from "vitest";
import { startLocal, type Local } from "../../src/cli/local.ts";
import { checkBalance, churning, join, leave } from "../bench/churn.ts";
import { Api } from "./api.ts";
import { underLoad, type Outcome } from "./under-load.ts";
import { pause } from "./writer.ts";

const NODES = ["n1", "n2", "n3"];
const PARTITIONS = 16;

let local: Local;

async function start(backups: number): Promise<void> {
  local = await startLocal({ port: 0, nodes: NODES.length, partitions: PARTITIONS, backups });
  await new Api(local.url).settled(NODES);
}
afterEach(() => local.dispose());

it("ten rounds of a join and a leave, each to its end", async () => {
  await start(0);
  const figures = await churning(local, NODES, 10);
  checkOutcome(figures);
  // In each round a quarter goes to the fourth node, and a quarter from the one that leaves.
  expect(figures).toMatchObject({ failed: 0, moves: (10 * PARTITIONS) / 2 });
});

it("three rounds where each partition has a backup", async () => {
  await start(1);
  const figures = await churning(local, NODES, 3);
  checkOutcome(figures);
  expect(figures.failed).toBe(0);
});

it.each([0, 1])(
  "twenty joins and leaves, none of which waits for another, %i backups",
  async (backups) => {
    await start(backups);
    const api = new Api(local.url);
    let members = NODES;
    const outcome = await underLoad(local.url, NODES, async () => {
      for (let i = 0; i < 10; i++) {
        const [oldest = "", ...others] = members;
        const [joined] = await Promise.all([join(api), leave(api, oldest)]);
        members = [...others, joined];
        await pause(50);
      }
      expect((await api.cluster()).migrations.queued, "moves that wait").toBeGreaterThan(0);
      checkBalance(await api.settled(members, 25_000));
    });
    checkOutcome(outcome);
  },
);

function checkOutcome(outcome: Outcome): void {
  expect(outcome, outcome.examples.join()).toMatchObject({
    refused: [],
    unanswered: 0,
    lost: 0,
    resurrected: 0,
    unread: 0,
  });
  expect(outcome.acked).toBeGreaterThan(1_000);
  expect(outcome.deleted).toBeGreaterThan(50);
}
