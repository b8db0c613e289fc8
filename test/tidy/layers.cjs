/** What may import what. src/README.md draws the same arrows. */
const layers = {
  data: [],
  protocol: ["data"],
  core: ["data", "protocol"],
  objects: ["data", "protocol", "core"],
  worker: [
    "data",
    "protocol",
    "core/actor/definition.ts",
    "core/placement",
    "core/config.ts",
    "objects",
  ],
  client: ["data", "protocol", "core/machine"],
  dashboard: ["data", "protocol"],
  cli: ["data", "protocol", "core"],
  demo: ["data", "protocol", "core", "cli"],
};

const paths = (names) => `^src/(${names.join("|")})(/|$)`;

const layer = ([name, mayImport]) => ({
  name: `${name}-imports-only-${mayImport.join("-") || "itself"}`,
  severity: "error",
  from: { path: paths([name]) },
  to: { path: "^src/", pathNot: paths([name, ...mayImport]) },
});

const only = (who, what, names, to) => ({
  name: `only-${who}-know-${what}`,
  severity: "error",
  from: { path: "^src/", pathNot: paths(names) },
  to,
});

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(layer),
    only("objects-and-worker", "cloudflare", ["objects", "worker"], { path: "^cloudflare:" }),
    only("cli-and-demo", "node", ["cli", "demo"], { dependencyTypes: ["core"] }),
    {
      name: "data-and-core-know-no-package",
      severity: "error",
      from: { path: paths(["data", "core"]) },
      to: { path: "node_modules/" },
    },
    {
      name: "protocol-knows-its-codec-packages-only",
      severity: "error",
      from: { path: paths(["protocol"]) },
      to: { path: "node_modules/", pathNot: "node_modules/(@msgpack/msgpack|valibot)/" },
    },
    {
      name: "every-folder-is-a-layer",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: paths(Object.keys(layers)) },
      to: {},
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-orphans", severity: "error", from: { orphan: true, path: "^src/" }, to: {} },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
  },
};
