/** What a rate is made of: a frame that was answered with anything but what it asked for makes its run fail. */
import { expect, it } from "vitest";
import { gets } from "./frames.ts";
import { Pipe } from "./pipe.ts";
import { filled } from "./rates.ts";
import { startBare } from "./worlds.ts";

it("a run fails when an entry is not there, and when its socket has closed, also before", async () => {
  const bare = await startBare();
  const some = Array.from({ length: 100 }, (_, i) => `some${i}`);
  const run = (pipe: Pipe, keys: readonly string[]): Promise<number> => {
    let frames = 5;
    return pipe
      .run(gets(keys, 10), { more: () => frames-- > 0, window: 2 })
      .then(({ latencies }) => latencies.length);
  };
  await expect(run(await Pipe.open(bare.url), some)).rejects.toThrow("not a value");
  const pipe = await Pipe.open(bare.url);
  await filled(pipe, some);
  await expect(run(pipe, some)).resolves.toBe(5);
  await expect(run(pipe, [...some.slice(0, 3), "never put"])).rejects.toThrow("not a value");

  const idle = await Pipe.open(bare.url);
  await bare.dispose();
  await expect
    .poll(() => run(idle, some).then(String, String), { timeout: 10_000 })
    .toContain("closed with 0 frames unanswered");
});
