/** The client and its subscriptions, each figure beside what it is held to. */
import { startBare, startGrid } from "./worlds.ts";
import { fanningOut, type FanOutFigures } from "./fan-out.ts";
import { reconnecting, type ReconnectFigures } from "./reconnect.ts";
import { measureWrites, type WriteFigures } from "./sdk-writes.ts";
import { telling, type ToldFigures } from "./told.ts";

/** So few that a partition has thousands of 100,000 entries. */
const WIDE_PARTITIONS = 32;

export interface SdkFigures {
  readonly writes: WriteFigures;
  readonly told: ToldFigures;
  readonly reconnect: ReconnectFigures;
  readonly fanOut: FanOutFigures;
}

/** In this order: what takes memory is measured while there is one workerd. */
export async function measureSdk(rounds: number): Promise<SdkFigures> {
  const wide = await startGrid({ partitions: WIDE_PARTITIONS });
  const fanOut = await fanningOut(wide, rounds);
  const reconnect = await reconnecting(wide);
  await wide.dispose();
  const grid = await startGrid();
  const bare = await startBare();
  const told = await telling(grid, bare, rounds);
  await bare.dispose();
  const writes = await measureWrites(grid, rounds);
  await grid.dispose();
  return { writes, told, reconnect, fanOut };
}
