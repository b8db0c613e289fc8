/** Requests on a connection that is kept, as of a client that has one at most. */
import { Agent, request } from "node:http";

export class OneConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #base: URL;
  constructor(base: URL) {
    this.#base = base;
  }

  put(path: string, body: string): Promise<{ status: number | undefined; reused: boolean }> {
    return new Promise((resolve, reject) => {
      const options = { method: "PUT", agent: this.#agent };
      const sent = request(new URL(path, this.#base), options, (response) => {
        response.resume();
        response.on("end", () =>
          resolve({ status: response.statusCode, reused: sent.reusedSocket }),
        );
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
