/** One counter of a grid: a sum over all that everybody has added. */
import { checkKey, integerProblem } from "../protocol/checks.ts";
import { answerOf, writtenOf, type Asks } from "./desk.ts";
import { refuse } from "./errors.ts";
import type { Loader } from "./loader.ts";
import type { WriteOptions } from "./map.ts";
import { Subscription, type Following } from "./subscription.ts";

export class GridCounter {
  readonly name: string;
  readonly key: string;
  readonly #desk: Asks;
  readonly #loader: Pick<Loader, "following">;
  /** At the last answer, and what this client has added since. */
  #known = 0;
  #unsettled = 0;

  constructor(name: string, key: string, desk: Asks, loader: Pick<Loader, "following">) {
    this.name = name;
    this.key = key;
    this.#desk = desk;
    this.#loader = loader;
  }

  /**
   * Adds a whole number, which may be negative: once, however often it has to be sent. What is added while another sum is
   * under way goes out together. Resolves when it is durable; what is refused is taken back with what is added next.
   */
  async increment(by = 1, { ack = this.#desk.defaults.ack }: WriteOptions = {}): Promise<void> {
    const { name: map, key } = this;
    const most = Number.MAX_SAFE_INTEGER;
    refuse(checkKey(map, key) ?? integerProblem(by, -most, most)?.("by"));
    const { settled } = this.#desk.ask({ type: "count", map, key, by, ack });
    this.#unsettled += by;
    const last = await settled;
    this.#unsettled -= by;
    writtenOf(last);
    this.#known += by;
  }

  /** What the owner has, all that this client has added before in it, and what it has added since. */
  async value(): Promise<number> {
    const { name: map, key } = this;
    refuse(checkKey(map, key));
    const { settled } = this.#desk.ask({ type: "read", key: { type: "total", map, key } });
    const { inc, dec } = answerOf(await settled, "total");
    this.#known = inc - dec;
    return this.peek();
  }

  /** What was last read, 0 if nothing was, with what this client has added: at once, without asking anybody. */
  peek(): number {
    return this.#known + this.#unsettled;
  }

  /**
   * `listener` hears the total as soon as all is known, and from then on whenever it is another, whoever has added to it: what this
   * client adds at once, and taken back where it is refused. It goes on as a map's subscription does, until `close`.
   */
  subscribe(listener: (total: number) => void): Following {
    const { name: map, key } = this;
    return new Subscription(this.#loader.following("counter", { map, key }, listener));
  }
}
