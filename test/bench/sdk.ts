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

/** First what this process has to be quick for, before its memory is full; memory while there is one workerd. */
export async function measureSdk(rounds: number): Promise<SdkFigures> {
  const grid = await startGrid();
  const writes = await measureWrites(grid, rounds);
  await grid.dispose();
  const wide = await startGrid({ partitions: WIDE_PARTITIONS });
  const fanOut = await fanningOut(wide, rounds);
  const reconnect = await reconnecting(wide);
  await wide.dispose();
  return { writes, told: await toldBeside(rounds), reconnect, fanOut };
}

async function toldBeside(rounds: number): Promise<ToldFigures> {
  const grid = await startGrid();
  const bare = await startBare();
  const figures = await telling(grid, bare, rounds);
  await grid.dispose();
  await bare.dispose();
  return figures;
}
