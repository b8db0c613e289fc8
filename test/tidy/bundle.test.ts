import { expect, it } from "vitest";
import { bundleOf, CLIENT_GZIP_BYTES_MAX } from "./bundle.ts";

it("a browser loads the client in no more than 20 KiB, and nothing of what only objects need", async () => {
  const { gzipBytes, laterGzipBytes, parts } = await bundleOf("src/client/index.ts");
  expect(gzipBytes).toBeLessThanOrEqual(CLIENT_GZIP_BYTES_MAX);
  expect(gzipBytes, "not vacuous").toBeGreaterThan(5_000);
  const later = { alarm: 512, caller: 4_096, hub: 12_288, persistence: 5_120 };
  expect(Object.keys(laterGzipBytes).toSorted()).toEqual(Object.keys(later));
  for (const [name, most] of Object.entries(later))
    expect(laterGzipBytes[name], name).toBeLessThanOrEqual(most);
  const files = parts.map(([file]) => file);
  const foreign =
    /src\/(objects|worker|cli|core\/(?!machine)[a-z]+)\/|schema-(moves|cluster|membership)|protocol\/errors/;
  expect(files.filter((file) => foreign.test(file))).toEqual([]);
});
