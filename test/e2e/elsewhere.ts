/** Another process that reads: it shares nothing with who has written. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Answer, Question } from "./reader.ts";

const READER = fileURLToPath(new URL("reader.ts", import.meta.url));

export class Elsewhere {
  /** From when it is needed first: to start a process takes longer than to read most maps. */
  #reader: ChildProcess | null = null;

  /** All entries of a map. */
  async entries(url: URL, map: string): Promise<Map<string, unknown>> {
    const reader = (this.#reader ??= fork(READER));
    const question: Question = { url: url.href, map };
    reader.send(question);
    const [answer] = (await once(reader, "message")) as [Answer];
    if ("error" in answer) throw new Error(answer.error);
    return new Map(answer.entries);
  }

  stop(): void {
    this.#reader?.disconnect();
    this.#reader = null;
  }
}
