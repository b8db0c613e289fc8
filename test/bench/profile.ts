/** A CPU profile of everything that a Miniflare runs, by the inspector's protocol. */
import type { Miniflare } from "miniflare";

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly lineNumber: number };
  readonly hitCount?: number;
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
}

/** The functions that took most, by the share of all samples in themselves. */
export async function profile(
  miniflare: Miniflare,
  run: () => Promise<unknown>,
): Promise<{ readonly name: string; readonly share: number }[]> {
  const inspector = await Inspector.open(await miniflare.getInspectorURL());
  await inspector.ask("Profiler.enable");
  await inspector.ask("Profiler.start");
  await run();
  const { profile: taken } = await inspector.ask<{ profile: Profile }>("Profiler.stop");
  inspector.close();
  const hits = new Map<string, number>();
  let all = 0;
  for (const { callFrame, hitCount = 0 } of taken.nodes) {
    const name = `${callFrame.functionName || "(anonymous)"}:${callFrame.lineNumber}`;
    hits.set(name, (hits.get(name) ?? 0) + hitCount);
    all += hitCount;
  }
  return [...hits]
    .map(([name, count]) => ({ name, share: count / all }))
    .toSorted((a, b) => b.share - a.share);
}

class Inspector {
  readonly #socket: WebSocket;
  #next = 1;
  readonly #waiting = new Map<number, (result: unknown) => void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the inspector's protocol
      const { id, result } = JSON.parse(String(data)) as { id?: number; result: unknown };
      if (id !== undefined) this.#waiting.get(id)?.(result);
    });
  }

  static async open(base: URL): Promise<Inspector> {
    const list = await fetch(new URL("/json", base.href.replace(/^ws/, "http")));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the inspector's protocol
    const targets = (await list.json()) as { id: string; webSocketDebuggerUrl: string }[];
    const target = targets.find(({ id }) => id.includes("godwit")) ?? targets[0];
    if (!target) throw new Error("nothing to inspect");
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error("no inspector")));
    });
    return new Inspector(socket);
  }

  ask<T>(method: string): Promise<T> {
    const id = this.#next++;
    this.#socket.send(JSON.stringify({ id, method }));
    return new Promise((resolve) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the inspector's protocol
      this.#waiting.set(id, (result) => resolve(result as T));
    });
  }

  close(): void {
    this.#socket.close();
  }
}
