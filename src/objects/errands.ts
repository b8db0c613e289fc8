/**
 * What decisions of actors ask of the grid: as a client of this node would that has no socket, so whatever holds for
 * clients holds for them (bounds, routes, repeats), and nothing else is needed.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { CallError, type MapOfOthers, type Others } from "../core/actor/definition.ts";
import type { DecideEffect } from "../core/actor/effects.ts";
import { nameOf } from "../core/actor/refusals.ts";
import type { ClientFrame } from "../core/node/events.ts";
import { NO_FLOW } from "../core/node/flow.ts";
import type { Session, SocketId } from "../core/node/requests.ts";
import { CLOCK_ZERO, tick, type Clock, type Stamp } from "../data/hlc.ts";
import { Version } from "../data/ids.ts";
import type { Of } from "../data/row.ts";
import type { ClientWrite, ServerMessage } from "../protocol/client-messages.ts";
import { checkKey, integerProblem } from "../protocol/checks.ts";
import { makeError, type ErrorInfo } from "../protocol/errors.ts";
import { CALL_DEPTH_MAX, TTL_MS_MAX } from "../protocol/limits.ts";
import type { OpResult, ReadResult } from "../protocol/ops.ts";
import { decodeJson, encodeJson } from "../protocol/values.ts";

type Message = ClientFrame["message"];
type Result = OpResult | ReadResult;

/** As stamps name it, beside clients and nodes. */
const CLIENT_ID = "actors";
const SESSION: Session = {
  clientId: CLIENT_ID,
  forward: true,
  mapVersion: Version(0),
  viewVersion: Version(0),
};
const PREFIX = "errand ";
/** Of a hash of 32 bytes: enough that no two calls ever have one name. */
const ID_BYTES = 16;
const SEQ = 1;

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (error: CallError) => void;
}

export class Errands {
  readonly #submit: (frame: ClientFrame) => void;
  readonly #now: () => number;
  readonly #waiting = new Map<SocketId, Waiting>();
  #clock: Clock = CLOCK_ZERO;
  #count = 0;

  /** `submit`: as a frame of a client that has said HELLO, and not before this event is over. `now`: this node's clock. */
  constructor(submit: (frame: ClientFrame) => void, now: () => number) {
    this.#submit = submit;
    this.#now = now;
  }

  /** Nobody waits for anything. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** False: it is not for one of these. */
  hear(socket: SocketId, message: ServerMessage): boolean {
    if (!socket.startsWith(PREFIX)) return false;
    const waiting = this.#waiting.get(socket);
    const outcome = outcomeOf(message);
    if (!waiting || !outcome) return true;
    this.#waiting.delete(socket);
    if ("error" in outcome) waiting.reject(new CallError(outcome.error));
    else waiting.resolve(outcome.result);
    return true;
  }

  of(effect: DecideEffect<unknown>): Others {
    const { of, commandId, via } = effect;
    const chain = [...via, of];
    let calls = 0;
    return {
      call: async (actorType, actorId, command) => {
        const called = { map: actorType, key: actorId };
        if (commandId === null) throw withoutId(of);
        return this.#call(chain, called, command, idOf(of, commandId, calls++));
      },
      ask: async (actorType, actorId, question) =>
        this.#call(chain, { map: actorType, key: actorId }, question, null),
      map: (name) => this.#map(name, commandId === null ? of : null),
    };
  }

  async #call(chain: readonly Of[], called: Of, value: unknown, commandId: string | null) {
    check(checkKey(called.map, called.key) ?? notCallable(chain, called));
    const command = bytesOf(value, "command");
    const one = { ...called, commandId, expectedVersion: null, command, via: chain };
    const result = await this.#send({ type: "CALL", seq: SEQ, calls: [one] });
    return result.type === "reply" ? valueOf(result.value, "reply") : null;
  }

  /** `asking`: the actor that is asked a question, which changes nothing. */
  #map(map: string, asking: Of | null): MapOfOthers {
    const write = async (op: Omit<ClientWrite, "map" | "stamp">): Promise<void> => {
      if (asking) throw withoutId(asking);
      check(checkKey(map, op.key));
      await this.#send({ type: "OPS", seq: SEQ, ops: [{ map, stamp: this.#stamp(), ...op }] });
    };
    return {
      get: async (key) => {
        check(checkKey(map, key));
        const result = await this.#send({ type: "GET", seq: SEQ, keys: [{ map, key }] });
        const value = result.type === "value" ? result.value : null;
        return value ? valueOf(value, "value") : undefined;
      },
      set: async (key, value, { ttl } = {}) => {
        if (ttl !== undefined) check(integerProblem(ttl, 1, TTL_MS_MAX)?.("ttl"));
        const expiresAt = ttl === undefined ? null : this.#now() + ttl;
        await write({ key, value: bytesOf(value, "value"), expiresAt });
      },
      delete: (key) => write({ key, value: null, expiresAt: null }),
    };
  }

  #stamp(): Stamp {
    const [clock, stamp] = tick(this.#clock, this.#now(), CLIENT_ID);
    this.#clock = clock;
    return stamp;
  }

  async #send(message: Message): Promise<Result> {
    const socket = `${PREFIX}${this.#count++}`;
    return new Promise((resolve, reject) => {
      this.#waiting.set(socket, { resolve, reject });
      this.#submit({ socket, session: SESSION, flow: NO_FLOW, message });
    });
  }
}

/** Null: it is not the answer. */
function outcomeOf(
  message: ServerMessage,
): { readonly result: Result } | { readonly error: ErrorInfo } | null {
  switch (message.type) {
    case "REPLIES":
      return judged(message.replies[0]);
    case "VALUES":
      return judged(message.values[0]);
    case "ACK":
      return judged(message.exceptions[0]?.result ?? { type: "value", value: null, stamp: null });
    case "ERROR":
      return message.seq === SEQ ? { error: message.error } : null;
    case "NOT_OWNER": {
      const [owner] = message.owners;
      return message.applied || !owner ? null : { error: makeError("NOT_OWNER", owner) };
    }
    default:
      return null;
  }
}

function judged(result: Result | undefined): ReturnType<typeof outcomeOf> {
  if (!result) return null;
  return result.type === "refused" ? { error: result.error } : { result };
}

function check(error: ErrorInfo | null | undefined): void {
  if (error) throw new CallError(error);
}

function notCallable(chain: readonly Of[], { map, key }: Of): ErrorInfo | null {
  if (chain.some((one) => one.map === map && one.key === key)) {
    const names = chain.map((one) => `${one.map}/${one.key}`).join(", ");
    return makeError("CALL_CYCLE", { ...nameOf({ map, key }), chain: names });
  }
  if (chain.length <= CALL_DEPTH_MAX - 1) return null;
  const facts = { field: "via", value: chain.length + 1, max: CALL_DEPTH_MAX };
  return makeError("CALLS_TOO_DEEP", facts);
}

const withoutId = (of: Of): CallError =>
  new CallError(makeError("COMMAND_WITHOUT_ID", { ...nameOf(of), events: 0 }));

/** The same whenever that decision is made, and nobody else's. */
function idOf({ map, key }: Of, commandId: string, n: number): string {
  const name = JSON.stringify([map, key, commandId, n]);
  const hash = sha256(new TextEncoder().encode(name)).subarray(0, ID_BYTES);
  return `~${Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function bytesOf(value: unknown, field: string): Uint8Array {
  const bytes = encodeJson(value, field);
  if (!bytes.ok) throw new CallError(bytes.error);
  return bytes.value;
}

function valueOf(bytes: Uint8Array, field: string): unknown {
  const value = decodeJson(bytes, field);
  if (!value.ok) throw new CallError(value.error);
  return value.value;
}
