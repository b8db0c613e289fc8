/** Pauses between attempts. */
import { describe, expect, it } from "vitest";
import { backoffMs, DEFAULTS } from "../../src/core/config.ts";

describe("the pause before something is asked again", () => {
  it("grows with the attempts, to the longest that is configured and no further", () => {
    const pauses = [0, 1, 2, 5, 10, 100, 1_000].map((n) => backoffMs(DEFAULTS, n, 1));
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses[1]).toBe(2 * DEFAULTS.retryMsMin);
    expect(pauses.at(-1)).toBe(DEFAULTS.retryMsMax);
  });

  it("is drawn from the whole of it, and never none", () => {
    expect(backoffMs(DEFAULTS, 3, 0)).toBe(1);
    expect(backoffMs(DEFAULTS, 3, 0.5)).toBe(backoffMs(DEFAULTS, 3, 1) / 2);
  });
});
