import { expect, it } from "vitest";
import { SteadyClock } from "../../src/client/steady-clock.ts";

it("a clock that is set back is read as if it had gone on", () => {
  const clock = new SteadyClock();
  const read = [
    clock.read(1_000_000, 10),
    clock.read(1_000_500, 510.25),
    // By ten minutes; half a second later.
    clock.read(401_000, 1_010.5),
    clock.read(401_200, 1_210.5),
    clock.read(401_199, 1_211.5),
  ];
  expect(read).toEqual([1_000_000, 1_000_500, 1_001_000, 1_001_200, 1_001_201]);
});

it("a clock that is set ahead is ahead: nobody can tell that from a machine that has slept", () => {
  const clock = new SteadyClock();
  expect([clock.read(1_000, 0), clock.read(3_601_000, 1)]).toEqual([1_000, 3_601_000]);
});
