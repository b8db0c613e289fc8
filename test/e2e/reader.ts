/** Reads maps over HTTP in a process of its own, and knows nothing of who wrote them. Asked over its channel. */
import { Api } from "./api.ts";

export interface Question {
  readonly url: string;
  readonly map: string;
}

export type Answer =
  | { readonly entries: readonly (readonly [key: string, value: unknown])[] }
  | { readonly error: string };

async function answer({ url, map }: Question): Promise<Answer> {
  try {
    return { entries: [...(await new Api(new URL(url)).entries(map))] };
  } catch (error) {
    return { error: String(error) };
  }
}

process.on("message", (question: Question) => {
  void answer(question).then((said) => process.send?.(said));
});
