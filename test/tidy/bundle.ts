/** What a browser loads of the client: bundled as Vite does, minified, compressed. What is imported when it is needed is a file of its own. */
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

export interface Bundle {
  /** What a page loads at once. */
  readonly gzipBytes: number;
  /** What may follow, by name of its file. */
  readonly laterGzipBytes: Readonly<Record<string, number>>;
  /** Bytes of what is loaded at once before compression, by file, the largest first. */
  readonly parts: readonly (readonly [file: string, bytes: number])[];
}

/** What a page may have to load for it. */
export const CLIENT_GZIP_BYTES_MAX = 20_480;

export async function bundleOf(entry: string): Promise<Bundle> {
  const build = await rolldown({
    input: entry,
    platform: "browser",
    preserveEntrySignatures: "allow-extension",
  });
  const { output } = await build.generate({
    format: "esm",
    minify: true,
    chunkFileNames: "[name].js",
  });
  const chunks = output.filter((file) => file.type === "chunk");
  const [first, ...later] = chunks;
  if (!first || first.imports.length > 0) throw new Error("a page loads one file at once");
  const parts = Object.entries(first.modules).map(
    ([name, { renderedLength }]) =>
      [name.replace(`${process.cwd()}/`, ""), renderedLength] as const,
  );
  return {
    gzipBytes: gzipped(first.code),
    laterGzipBytes: Object.fromEntries(later.map(({ name, code }) => [name, gzipped(code)])),
    parts: parts.toSorted((a, b) => b[1] - a[1]),
  };
}

const gzipped = (code: string): number => gzipSync(code, { level: 9 }).length;
