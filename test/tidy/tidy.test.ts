import { expect, it } from "vitest";
import { untidy } from "./untidy.ts";

it("is tidy", () => {
  const { files, offences } = untidy(process.cwd());
  expect(files).toBeGreaterThan(20);
  expect(offences).toEqual([]);
});
