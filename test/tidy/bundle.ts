/** What a browser loads of the client: bundled, minified, compressed. */
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

export interface Bundle {
  readonly gzipBytes: number;
  /** Bytes before compression, by file, the largest first. */
  readonly parts: readonly (readonly [file: string, bytes: number])[];
}

/** Everything in it for a page, compressed. */
export const CLIENT_GZIP_BYTES_MAX = 20_480;

export async function bundleOf(entry: string): Promise<Bundle> {
  const options = { bundle: true, minify: true, format: "esm", platform: "browser" } as const;
  const built = await build({ ...options, entryPoints: [entry], write: false, metafile: true });
  const [output] = Object.values(built.metafile.outputs);
  const [file] = built.outputFiles;
  if (!output || !file) throw new Error("nothing was built");
  const parts = Object.entries(output.inputs).map(
    ([name, { bytesInOutput }]) => [name, bytesInOutput] as const,
  );
  return {
    gzipBytes: gzipSync(file.contents, { level: 9 }).length,
    parts: parts.toSorted((a, b) => b[1] - a[1]),
  };
}
