/** A client over HTTP: PUT and DELETE, one at a time, since the owner stamps what arrives. */
import * as v from "valibot";
import { MAP, textOf, type Change } from "./changes.ts";
import type { Ledger } from "./ledger.ts";
import type { Tally } from "./tally.ts";

/** The front answers within 15 s. Given up sooner, a write could arrive after its key's next. */
const ANSWER_TIMEOUT_MS = 20_000;

const ERROR = v.object({ error: v.object({ code: v.string() }) });

export class HttpWriter {
  readonly id: string;
  readonly #base: URL;
  readonly #ledger: Ledger;
  #n = 0;
  #underWay: { readonly key: string; readonly n: number } | null = null;

  constructor(base: URL, id: string, ledger: Ledger) {
    this.#base = base;
    this.id = id;
    this.#ledger = ledger;
  }

  /** Writes not acknowledged. */
  get unanswered(): number {
    return this.#underWay ? 1 : 0;
  }

  close(): void {
    if (this.#underWay) this.#ledger.doubtful(this.#underWay.key, this.#underWay.n);
  }

  /** Resolves when there are no more changes and every one is answered. */
  async write(changes: Iterable<Change>, tally: Tally): Promise<void> {
    let ackMs = performance.now();
    for (const change of changes) {
      const sentMs = performance.now();
      const n = this.#n++;
      this.#underWay = { key: change.key, n };
      const refusal = await this.#sendUntilAnswered(change, n, tally);
      this.#underWay = null;
      if (refusal !== null) {
        tally.refusedWith(refusal);
        this.#ledger.doubtful(change.key, n);
        continue;
      }
      const now = performance.now();
      this.#ledger.acked(change.key, n, change.deletes);
      tally.ackedAfter(now - sentMs, change.deletes);
      tally.gapsMs.push(now - ackMs);
      ackMs = now;
    }
  }

  /** Null, or the code of the error. */
  async #sendUntilAnswered(
    { key, deletes }: Change,
    n: number,
    tally: Tally,
  ): Promise<string | null> {
    const url = new URL(`/v1/maps/${MAP}/${encodeURIComponent(key)}`, this.#base);
    for (;;) {
      const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
      try {
        const response = deletes
          ? await fetch(url, { method: "DELETE", signal })
          : await fetch(url, { method: "PUT", body: JSON.stringify(textOf(n)), signal });
        const text = await response.text();
        return response.ok ? null : codeOf(text);
      } catch {
        tally.timedOut++;
      }
    }
  }
}

function codeOf(text: string): string {
  const error = v.safeParse(v.pipe(v.string(), v.parseJson(), ERROR), text);
  return error.success ? error.output.error.code : text;
}
