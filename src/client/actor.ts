/** One actor of a grid: it decides on one command after the other, at one place at a time. */
import { encodeJson } from "../protocol/values.ts";
import type { AskOptions, CallOptions, Replied } from "./called.ts";
import { valueOf } from "./errors.ts";
import type { Loader } from "./loader.ts";

export class GridActor<Command, Reply> {
  readonly type: string;
  readonly id: string;
  readonly #loader: Pick<Loader, "caller">;

  constructor(type: string, id: string, loader: Pick<Loader, "caller">) {
    this.type = type;
    this.id = id;
    this.#loader = loader;
  }

  /**
   * Is executed once, however often it has to be sent, and after what this client has called of this actor before. Resolves when the
   * events that it has made are at every copy; rejects with COMMAND_REFUSED if the actor refuses it, `data.refusal` says why.
   */
  async call(command: Command, options: CallOptions = {}): Promise<Replied<Reply>> {
    return this.#asked(command, options);
  }

  /** A command that may leave no event, which nobody need remember. It, too, waits for what was called before. */
  async ask(question: Command, options: AskOptions = {}): Promise<Replied<Reply>> {
    return this.#asked(question, { ...options, commandId: null });
  }

  async #asked(command: Command, options: object): Promise<Replied<Reply>> {
    const { type: map, id: key } = this;
    const asking = { map, key, command: valueOf(encodeJson(command, "command")) };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the application names what its actors reply
    return (await (await this.#loader.caller()).call(asking, options)) as Replied<Reply>;
  }
}
