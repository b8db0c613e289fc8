/** What a run comes to: a table, and why it fails where it does. */
import { whole, type Rebalance } from "./progress.ts";
import { ACKED_MIN, HELD_MS, RESEND_MS } from "./settings.ts";
import { sum, type Tally } from "./tally.ts";
import type { Verdict } from "./verify.ts";

export interface Report {
  readonly overSockets: Tally;
  readonly overHttp: Tally;
  /** Sent, and not acknowledged when all was over. */
  readonly unanswered: number;
  readonly rebalances: readonly Rebalance[];
  readonly verdict: Verdict;
}

type Row = readonly [what: string, figure: string, note: string];

const WHAT_WIDTH = 24;
const FIGURE_WIDTH = 12;

/** 1012: service restart, which a node says to its clients when it goes. */
const GONE = 1012;

export function table(report: Report): readonly string[] {
  const gaps = [
    gapRow("longest gap", "over WebSocket", report.overSockets),
    gapRow("", "over HTTP", report.overHttp),
  ];
  return [...writeRows(report), ...gaps, ...endRows(report)].map(([what, figure, note]) =>
    `  ${what.padEnd(WHAT_WIDTH)}${figure.padStart(FIGURE_WIDTH)}   ${note}`.trimEnd(),
  );
}

function writeRows({ overSockets, overHttp, unanswered }: Report): readonly Row[] {
  const both = (count: (tally: Tally) => number): number => count(overSockets) + count(overHttp);
  const codes = new Set([...overSockets.refused.keys(), ...overHttp.refused.keys()]);
  const gone = overSockets.cutOff.get(GONE) ?? 0;
  return [
    [
      "acknowledged",
      whole(both((t) => t.acked)),
      `writes; ${whole(both((t) => t.deletes))} deletes, ${whole(overHttp.acked)} over HTTP`,
    ],
    ["refused", whole(both(refusals)), [...codes].join(", ")],
    ["unanswered", whole(unanswered), "when all was over"],
    [
      "redirected",
      whole(both((t) => t.redirected)),
      "sent to another node than the owner, passed on by it",
    ],
    [
      "held",
      whole(both((t) => t.held)),
      `acknowledged later than ${whole(HELD_MS)} ms after first being sent`,
    ],
    [
      "timed out",
      whole(both((t) => t.timedOut)),
      `no answer within ${whole(RESEND_MS)} ms, sent again`,
    ],
    [
      "cut off",
      whole(both((t) => sum(t.cutOff.values()))),
      `their socket was closed, sent again elsewhere; ${whole(gone)} by code ${GONE}`,
    ],
  ];
}

function gapRow(what: string, of: string, tally: Tally): Row {
  const [median, most] = [tally.gapMs(0.5), tally.gapMs(0.99)].map((ms) => ms.toFixed(1));
  return [what, whole(tally.longestGapMs()), `ms ${of}; median ${median}, 99% ${most}`];
}

function endRows({ rebalances, verdict }: Report): readonly Row[] {
  const { entries, deleted, owners, lost, resurrected, unread } = verdict;
  const { moved, least, failed } = totals(rebalances);
  return [
    [
      "moves / least possible",
      (moved / least).toFixed(3),
      `${moved} of ${least}; ${failed} given up and tried again`,
    ],
    [
      "lost",
      whole(lost),
      `of ${whole(entries)} entries, read from ${owners} owners by a second process`,
    ],
    ["resurrected", whole(resurrected), `of ${whole(deleted)} deleted`],
    ["unread", whole(unread), ""],
  ];
}

const refusals = ({ refused }: Tally): number => sum(refused.values());

const totals = (
  rebalances: readonly Rebalance[],
): Pick<Rebalance, "moved" | "least" | "failed"> => ({
  moved: sum(rebalances.map(({ moved }) => moved)),
  least: sum(rebalances.map(({ least }) => least)),
  failed: sum(rebalances.map(({ failed }) => failed)),
});

/** Also where too little happened for the figures to mean something. */
export function failures(report: Report): readonly string[] {
  const { overSockets, overHttp, unanswered, rebalances, verdict } = report;
  const { lost, resurrected, unread, deleted, examples } = verdict;
  const acked = overSockets.acked + overHttp.acked;
  const idle = rebalances.filter(({ moved, planned }) => moved < planned || planned === 0);
  const uneven = rebalances.filter(({ moved, least }) => moved !== least);
  const checks: readonly (readonly [failed: boolean, why: string])[] = [
    [refusals(overSockets) + refusals(overHttp) > 0, "writes were refused"],
    [unanswered > 0, "writes were never acknowledged"],
    [lost > 0, `acknowledged writes are lost: ${examples.join("; ")}`],
    [resurrected > 0, `deleted entries are back: ${examples.join("; ")}`],
    [unread > 0, `owners do not answer for their keys: ${examples.join("; ")}`],
    [acked < ACKED_MIN, `only ${acked} writes were acknowledged, ${ACKED_MIN} mean something`],
    [overHttp.acked === 0 || deleted === 0, "nothing was written over HTTP, or nothing deleted"],
    [!overSockets.cutOff.has(GONE), `no node that left closed a socket with ${GONE}`],
    ...idle.map(({ title }) => [true, `${title}: fewer moves than planned`] as const),
    ...uneven.map(
      ({ title, moved, least }) =>
        [true, `${title}: ${moved} moves, ${least} are the least possible`] as const,
    ),
  ];
  return checks.flatMap(([failed, why]) => (failed ? [why] : []));
}
