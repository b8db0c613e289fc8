/**
 * A check that cannot fail proves nothing: each is run on a clean little project, which it must
 * pass, and on a spoilt one, where it must fail for the stated reason.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Files, MiniTree } from "./mini-tree.ts";
import { joined, untidy } from "./untidy.ts";

interface Canary {
  readonly about: string;
  readonly script: string;
  readonly files: Files;
  /** Every one is found in what the tool prints. */
  readonly reasons: readonly RegExp[];
}

const TIMERS = `setTimeout(() => void fetch("http://localhost"), 1);

export const one = 1;
`;

const PURE = ["data", "protocol", "core", "client/machine"];

const platform: readonly Canary[] = PURE.map((layer) => ({
  about: `types: no platform in ${layer}`,
  script: "types",
  files: { [`src/${layer}/timers.ts`]: TIMERS },
  reasons: ["setTimeout", "fetch"].map(
    (name) => new RegExp(`src/${layer}/timers\\.ts.*TS2304: Cannot find name '${name}'`),
  ),
}));

const others: readonly Canary[] = [
  {
    about: "types: strict",
    script: "types",
    files: { "src/objects/first.ts": "export const first = (a: number[]): number => a[0];\n" },
    reasons: [/src\/objects\/first\.ts.*TS2322/],
  },
  {
    about: "lint: with types, time and chance from events",
    script: "lint",
    files: {
      "src/objects/floating.ts":
        "const later = async (): Promise<void> => {};\n\nexport const go = (): void => {\n  later();\n};\n",
      "src/core/now.ts":
        "export const now = (): number => Date.now();\n\nexport const dice = (): number => Math.random();\n",
      "src/objects/loud.ts": `export const loud = (): void => console.log("!");\n`,
    },
    reasons: [
      /no-floating-promises\)[^]{0,300}src\/objects\/floating\.ts/,
      /no-restricted-globals\)[^]{0,300}src\/core\/now\.ts/,
      /no-restricted-properties\)[^]{0,300}src\/core\/now\.ts/,
      /no-console\)[^]{0,300}src\/objects\/loud\.ts/,
    ],
  },
  {
    about: "format",
    script: "format",
    files: { "src/objects/wild.ts": "export const  wild = 'x'\n" },
    reasons: [/src\/objects\/wild\.ts/],
  },
  {
    about: "layers: arrows, platforms, packages, cycles, orphans",
    script: "layers",
    files: {
      "src/data/up.ts": `export { two } from "../protocol/two.ts";\n`,
      "src/worker/deep.ts": `export { five } from "../core/five.ts";\n`,
      "src/core/five.ts": `import { readFileSync } from "node:fs";\nimport * as v from "valibot";\n\nexport const five = [readFileSync, v];\n`,
      "src/core/platform.ts": `export { DurableObject } from "cloudflare:workers";\n`,
      "src/protocol/packages.ts": `export { test } from "vitest";\nexport { string } from "valibot";\n`,
      "src/objects/hen.ts": `import { egg } from "./egg.ts";\n\nexport const hen = (): unknown => egg;\n`,
      "src/objects/egg.ts": `import { hen } from "./hen.ts";\n\nexport const egg = (): unknown => hen;\n`,
      "src/objects/alone.ts": "export const alone = 1;\n",
      "src/helpers/help.ts": `export { one } from "../data/one.ts";\n`,
    },
    reasons: [
      /error data-imports-only-itself: src\/data\/up\.ts → src\/protocol\/two\.ts/,
      /error worker-imports-only-[^:]*: src\/worker\/deep\.ts → src\/core\/five\.ts/,
      /error only-cli-and-demo-know-node: src\/core\/five\.ts/,
      /error data-and-core-know-no-package: src\/core\/five\.ts → .*valibot/,
      /error only-objects-and-worker-know-cloudflare: src\/core\/platform\.ts/,
      /error protocol-knows-its-codec-packages-only: src\/protocol\/packages\.ts → .*vitest/,
      /error no-cycles: src\/objects\/(hen|egg)\.ts/,
      /error no-orphans: src\/objects\/alone\.ts/,
      /error every-folder-is-a-layer: src\/helpers\/help\.ts/,
    ],
  },
  {
    about: "an example that is for no browser",
    script: "types",
    files: { "examples/one/main.ts": "console.log(process.title);\n" },
    reasons: [/examples\/one\/main\.ts.*TS2\d+: Cannot find name 'process'/],
  },
  {
    about: "dead code: exports, types, files",
    script: "dead",
    files: {
      "src/data/one.ts":
        "export const one = 1;\nexport const unused = 2;\nexport type Unused = 3;\n",
      "src/data/forgotten.ts": "export const forgotten = 1;\n",
    },
    reasons: [
      /Unused exports[^]*\bunused\b.*src\/data\/one\.ts/,
      /Unused exported types[^]*\bUnused\b.*src\/data\/one\.ts/,
      /Unused files[^]*src\/data\/forgotten\.ts/,
    ],
  },
];

let tree: MiniTree;
beforeEach(() => {
  tree = new MiniTree();
});
afterEach(() => tree.remove());

describe("a clean project passes", () => {
  it.each(["types", "lint", "format", "layers", "dead"])("%s", async (script) => {
    const { code, output } = await tree.run(script);
    expect(code, output).toBe(0);
  });

  it("tidy", () => {
    expect(untidy(tree.root)).toMatchObject({
      files: expect.toSatisfy((n) => n > 10),
      offences: [],
    });
  });
});

describe("a spoilt project fails", () => {
  it.each([...platform, ...others])("$about", async ({ script, files, reasons }) => {
    tree.write(files);
    const { code, output } = await tree.run(script);
    expect(code, output).not.toBe(0);
    for (const reason of reasons) expect(output).toMatch(reason);
  });

  it.each([
    ["src/data/long.ts", "//\n".repeat(401), "401 lines, 400 at most"],
    ["src/data/any.ts", "export const x = 1 as a~ny;\n", "casts to any type"],
    ["src/data/off.ts", "// @ts-ign~ore\n", "switches a check off"],
    ["src/data/ticket.ts", "// see SP~EC-12\n", "names a ticket"],
    ["src/data/README.md", "FIX~ME\n", "says that it is unfinished"],
    ["test/path.txt", "cd /wo~rk/main\n", "names a path of one machine"],
    ["test/a.test.ts", `it.sk~ip("x");\n`, "has a test that does not always run"],
    ["package-lock.json", `"https://registry.npm~js.org/x"\n`, "names a package registry"],
    ["NOTES.md", "\n", "does not belong at the top level"],
  ])("tidy: %s", (path, text, offence) => {
    tree.write({ [path]: joined(text) });
    expect(untidy(tree.root).offences).toEqual([`${path}: ${offence}`]);
  });
});
