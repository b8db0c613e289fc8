/** The figures of the client as a table for people: each with what it is compared to, and the bound it is held to. */
import type { SdkFigures } from "./sdk.ts";
import { print, two, whole } from "./table.ts";

/** What is to be at least, or at most, so much. */
type Held = readonly [
  what: string,
  here: string,
  beside: string,
  ratio: number,
  is: ">=" | "<=",
  bound: number,
];

export function showSdk(figures: SdkFigures): void {
  console.log("\nthe client and its subscriptions, beside what each is held to");
  const held = [...writesOf(figures), ...subscriptionsOf(figures)];
  print([
    ["", "here", "beside", "ratio", "bound", ""],
    ...held.map(([what, here, beside, ratio, is, bound]) => {
      const isMet = is === ">=" ? ratio >= bound : ratio <= bound;
      return [what, here, beside, ratio.toFixed(3), `${is} ${bound}`, isMet ? "met" : "MISSED"];
    }),
  ]);
  const { writes, fanOut } = figures;
  console.log(
    `64 frames of 1 over a raw socket: ${whole(writes.singlePerSecond)} puts/s, the client ${two(writes.ofSingle)} times that`,
  );
  const wanted = fanOut.changesPerSecond * (fanOut.subscribers - 1);
  console.log(
    `${whole(fanOut.heardPerSecond)} frames/s heard of ${whole(wanted)}; p50 ${whole(fanOut.p50.beside)} ms beside ${whole(fanOut.p50.without)}`,
  );
  console.log(
    `workerd grew by ${megabytes(fanOut.grownBytes.beside)} beside ${megabytes(fanOut.grownBytes.without)}, of ${megabytes(fanOut.missedBytes)} that were written`,
  );
  console.log(`in a browser: ${whole(writes.gzipBytes)} bytes compressed`);
}

function writesOf({ writes }: SdkFigures): readonly Held[] {
  const { clientPerSecond, framePerSecond, ofFrame, replay, peekUs, setFewUs, setManyUs } = writes;
  const perWrite = (ms: number, count: number): string => `${((ms * 1_000) / count).toFixed(1)} µs`;
  return [
    [
      "puts/s, 64 under way : a raw socket, one frame of 64",
      whole(clientPerSecond),
      whole(framePerSecond),
      ofFrame,
      ">=",
      0.8,
    ],
    [
      "10,000 writes of a time offline, sent in all",
      whole(replay.sentPerWrite * replay.writes),
      whole(replay.writes),
      replay.sentPerWrite,
      "<=",
      1,
    ],
    ["the most that one of them was sent", String(replay.timesMax), "1", replay.timesMax, "<=", 1],
    [
      "time for each : of 5,000",
      perWrite(replay.ms, replay.writes),
      perWrite(replay.halfMs, replay.writes / 2),
      replay.ms / replay.halfMs / 2,
      "<=",
      1.5,
    ],
    ["peek among 100,000 entries : 1 µs", `${two(peekUs)} µs`, "1 µs", peekUs, "<=", 1],
    [
      "set among 100,000 entries : among 10,000",
      `${two(setManyUs)} µs`,
      `${two(setFewUs)} µs`,
      setManyUs / setFewUs,
      "<=",
      2,
    ],
  ];
}

function subscriptionsOf({ told, reconnect, fanOut }: SdkFigures): readonly Held[] {
  const { allBytes, sameOwners, otherOwners } = reconnect;
  const { p99, p99Ratio, keptBytes, keptMax } = fanOut;
  return [
    [
      "told at another node, p50 : two bare objects",
      `${two(told.toldMs)} ms`,
      `${two(told.bareMs)} ms`,
      told.ratio,
      "<=",
      3,
    ],
    [
      "back after 1,000 of 100,000 changed : all of it",
      megabytes(sameOwners.received),
      megabytes(allBytes),
      sameOwners.received / allBytes,
      "<=",
      0.03,
    ],
    [
      "the same, and all owners",
      megabytes(otherOwners.received),
      megabytes(allBytes),
      otherOwners.received / allBytes,
      "<=",
      0.08,
    ],
    [
      "the same, with what the client sends",
      megabytes(otherOwners.received + otherOwners.sent),
      megabytes(allBytes),
      (otherOwners.received + otherOwners.sent) / allBytes,
      "<=",
      0.08,
    ],
    [
      "999 subscribers beside one that stalls, p99 : all read",
      `${whole(p99.beside)} ms`,
      `${whole(p99.without)} ms`,
      p99Ratio,
      "<=",
      2,
    ],
    [
      "kept for it : the bound of a socket and one frame",
      megabytes(keptBytes),
      megabytes(keptMax),
      keptBytes / keptMax,
      "<=",
      1,
    ],
  ];
}

const megabytes = (bytes: number): string => `${two(bytes / 1e6)} MB`;
