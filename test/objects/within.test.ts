/** Nobody waits for ever for an object that is silent. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { within } from "../../src/objects/within.ts";
import { CALL_MS_MAX } from "../../src/protocol/limits.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it("ends a call that is never answered, and not before its time", async () => {
  let outcome = "";
  const ended = within(CALL_MS_MAX, new Promise(() => {})).catch((e: unknown) => {
    outcome = String(e);
  });
  await vi.advanceTimersByTimeAsync(CALL_MS_MAX - 1);
  expect(outcome).toBe("");
  await vi.advanceTimersByTimeAsync(1);
  await ended;
  expect(outcome).toContain(`no answer within ${CALL_MS_MAX} ms`);
});

it("passes on what comes in time, and leaves no timer behind", async () => {
  expect(await within(CALL_MS_MAX, Promise.resolve(7))).toBe(7);
  await expect(within(CALL_MS_MAX, Promise.reject(new Error("reset")))).rejects.toThrow("reset");
  expect(vi.getTimerCount()).toBe(0);
});

it("a failure that comes too late is nobody's", async () => {
  const { promise, reject } = Promise.withResolvers();
  const ended = within(10, promise).catch(String);
  await vi.advanceTimersByTimeAsync(10);
  reject(new Error("late"));
  expect(await ended).toContain("no answer within 10 ms");
});
