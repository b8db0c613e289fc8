/** HTTP as it is on the wire: `fetch` has opinions about hosts, about 421, about what a body may be. */
import { request } from "node:http";

export interface Asked {
  readonly method: string;
  /** Taken as it is, with nothing escaped or folded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Told {
  readonly status: number;
  readonly text: string;
}

export function ask(
  { hostname, port }: URL,
  { method, path, headers, body }: Asked,
): Promise<Told> {
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, text });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
