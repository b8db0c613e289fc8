/** What may import what. src/README.md draws the same arrows. */
const layer = (name, mayImport) => ({
  name: `${name}-imports-only-${mayImport.join("-") || "itself"}`,
  severity: "error",
  from: { path: `^src/${name}/` },
  to: { path: "^src/", pathNot: `^src/(${[name, ...mayImport].join("|")})/` },
});

module.exports = {
  forbidden: [
    layer("data", []),
    layer("protocol", ["data"]),
    layer("core", ["data", "protocol"]),
    layer("objects", ["data", "protocol", "core"]),
    layer("worker", ["data", "protocol", "core/placement", "core/config.ts", "objects"]),
    {
      name: "only-objects-and-worker-know-cloudflare",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(objects|worker)/" },
      to: { path: "cloudflare:" },
    },
    {
      name: "only-cli-and-demo-know-node",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(cli|demo)/" },
      to: { path: "^node:", dependencyTypes: ["core"] },
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
