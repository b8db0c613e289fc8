/**
 * The last commands of an actor and the numbers of their entries. A longer list shares what it was made from, as a `Queue`
 * does: to copy a thousand ids for each command would cost more than the command.
 */
import { COMMAND_IDS_MAX } from "../../protocol/limits.ts";

type Id = readonly [commandId: string, sequence: number];

export class CommandIds {
  readonly #items: Id[];
  readonly #places: Map<string, number>;
  readonly #end: number;

  private constructor(items: Id[], places: Map<string, number>, end: number) {
    this.#items = items;
    this.#places = places;
    this.#end = end;
  }

  static of(items: readonly Id[]): CommandIds {
    const kept = items.slice(-COMMAND_IDS_MAX);
    return new CommandIds(kept, new Map(kept.map(([id], i) => [id, i])), kept.length);
  }

  /** The number of its entry; undefined: not among the last `COMMAND_IDS_MAX`. */
  find(commandId: string): number | undefined {
    const place = this.#places.get(commandId);
    if (place === undefined) return undefined;
    const isMine = place < this.#end && place >= this.#from;
    const found = isMine ? this.#items[place] : this.#own().find(([id]) => id === commandId);
    return found?.[1];
  }

  with(commandId: string, sequence: number): CommandIds {
    // Somebody else has made another list from this one, or half of it is over.
    const isShared = this.#items.length !== this.#end;
    if (isShared || this.#end >= 2 * COMMAND_IDS_MAX)
      return CommandIds.of([...this.#own(), [commandId, sequence]]);
    this.#places.set(commandId, this.#items.push([commandId, sequence]) - 1);
    return new CommandIds(this.#items, this.#places, this.#items.length);
  }

  list(): readonly Id[] {
    return this.#own();
  }

  get #from(): number {
    return Math.max(0, this.#end - COMMAND_IDS_MAX);
  }

  #own(): Id[] {
    return this.#items.slice(this.#from, this.#end);
  }
}
