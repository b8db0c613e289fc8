/** One request's way into a cluster: asked again after what will pass, and all of it by one deadline. */
import { ClusterId, PartitionId, Term, Version, type NodeId } from "../data/ids.ts";
import { err, ok } from "../data/result.ts";
import type { Ruling } from "../data/ruling.ts";
import { nodeName } from "../objects/door.ts";
import { within } from "../objects/within.ts";
import type { Env } from "../objects/env.ts";
import type { ClusterMessage } from "../protocol/cluster-messages.ts";
import { decodeEnvelope, encodeEnvelope } from "../protocol/codec.ts";
import { makeError, type ErrorCode, type ErrorInfo } from "../protocol/errors.ts";
import { NAME_PATTERN, REASON_BYTES_MAX } from "../protocol/limits.ts";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import { learnMerged, learnRuling, learnTable, presentName, recall, type Known } from "./known.ts";
import type { Parsed } from "./routes.ts";

const DEADLINE_MS = 15_000;
/** An owner that does not answer for so long may be gone. */
const SILENCE_MS = 1_000;
/** A node that opens no socket within this leaves time to ask another. */
const HAND_MS_MAX = 5_000;
const PAUSE_MS_MIN = 50;
const PAUSE_MS_MAX = 2_000;
/** Of UTF-16: three bytes each at most. */
const REASON_CHARS_MAX = Math.floor(REASON_BYTES_MAX / 3);

/** What passes by itself. Other errors with `retry: "later"` are for the caller to wait out. */
const PASSING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "CLUSTER_FORMING",
  "NOT_A_MEMBER",
  "OWNER_UNREACHABLE",
  "OVERLOADED",
  "STALE_TERM",
  "NOT_OWNER",
]);

export type Target = NodeId | "coordinator";
type Message<Type extends ClusterMessage["type"]> = Extract<ClusterMessage, { type: Type }>;

/** An answer, or why there is none. `again`: asking once more may help. */
export type Answer =
  | { readonly type: "answered"; readonly message: ClusterMessage }
  | { readonly type: "failed"; readonly again: boolean; readonly reason: string };

export class Front {
  readonly #env: Env;
  #clusterId: ClusterId;
  readonly #deadline = Date.now() + DEADLINE_MS;

  constructor(env: Env, clusterId: ClusterId) {
    this.#env = env;
    this.#clusterId = presentName(clusterId);
  }

  /** Under the name of a cluster that was merged into another, that one. */
  get clusterId(): ClusterId {
    return this.#clusterId;
  }
  /** The way into a cluster that takes this one in. */
  into(clusterId: ClusterId): Front {
    return new Front(this.#env, clusterId);
  }

  // ---------------------------------------------------------------- coordinator

  /** The coordinator's answer of that type. `repeatable`: said twice it means the same. */
  async ask<Type extends ClusterMessage["type"]>(
    message: ClusterMessage,
    wanted: Type,
    { repeatable = true } = {},
  ): Promise<Parsed<Message<Type>>> {
    for (let attempt = 0; ; attempt++) {
      const asked = this.#clusterId;
      const answer = await this.call("coordinator", message);
      if (answer.type === "answered" && isOf(answer.message, wanted)) return ok(answer.message);
      const error = errorOf(answer, (reason) => makeError("INTERNAL", { reason }));
      if (this.#clusterId !== asked) continue; // it is a part of another by now
      const passing = answer.type === "failed" ? answer.again && repeatable : isPassing(error);
      if (!passing || !(await this.pause(attempt))) return err(error);
    }
  }

  /** What is known; asks for it only where nothing is. */
  async known(): Promise<Parsed<Known>> {
    const known = this.recalled();
    return known ? ok(known) : this.refetch();
  }
  recalled(): Known | null {
    return recall(this.clusterId);
  }

  async refetch(): Promise<Parsed<Known>> {
    const update = await this.ask({ type: "FETCH_PARTITION_TABLE" }, "PARTITION_TABLE_UPDATE");
    if (!update.ok) return update;
    const known = learnTable(this.clusterId, update.value);
    return known ? ok(known) : err(makeError("INTERNAL", { reason: "a table without members" }));
  }

  // ---------------------------------------------------------------- one call

  /** One attempt, with a fresh stub: one that failed once fails for ever. */
  async call(to: Target, message: ClusterMessage, timeoutMs = DEADLINE_MS): Promise<Answer> {
    const { clusterId } = this;
    const bytes = encodeEnvelope({
      clusterId,
      version: PROTOCOL_VERSION,
      term: Term(0),
      from: "front",
      message,
    });
    const left = Math.min(timeoutMs, this.#deadline - Date.now());
    try {
      const answer = decodeEnvelope(await within(left, this.#deliver(to, bytes)));
      if (answer.ok) return this.#answered(answer.value.message);
      // Who has lost all that it had answers as nobody's node: no better than silence.
      if (to !== "coordinator") this.#complain(to, answer.error.message);
      return { type: "failed", again: to !== "coordinator", reason: answer.error.message };
    } catch (error) {
      if (to !== "coordinator") this.#complain(to, String(error));
      return { type: "failed", again: isWorthAnother(error), reason: String(error) };
    }
  }

  /**
   * Who is silent is complained of, and waited for no longer once another one is owner: what it was asked may
   * have happened there, and is asked again.
   */
  async callOwner(owner: NodeId, message: Message<"OP_FORWARD">): Promise<Answer> {
    const answer = this.call(owner, message);
    for (let isFirst = true; ; isFirst = false) {
      const heard = await within(SILENCE_MS, answer).catch(() => null);
      if (heard) return heard;
      const ruling = this.#rulingOn(message.targetPartitionId ?? PartitionId(0));
      if (isFirst) this.#complain(owner, `no answer within ${SILENCE_MS} ms`);
      const next = await Promise.race([answer.then(() => null), ruling]);
      if (next === null || next.owner === owner) continue;
      learnRuling(this.clusterId, next);
      return { type: "failed", again: true, reason: `${owner} is not its owner any more` };
    }
  }

  async #rulingOn(partitionId: PartitionId): Promise<Ruling | null> {
    const answer = await this.call("coordinator", { type: "ASK_RULING", partitionId });
    if (answer.type !== "answered" || answer.message.type !== "RULING") return null;
    return answer.message.ruling;
  }

  #answered(message: ClusterMessage): Answer {
    const into = message.type === "ERROR" ? mergedInto(message.error, this.#clusterId) : null;
    if (into !== null) {
      learnMerged(this.#clusterId, into);
      this.#clusterId = presentName(this.#clusterId);
    }
    return { type: "answered", message };
  }

  /** Nobody waits for the answer: it makes the coordinator ask that node. */
  #complain(suspectId: NodeId, error: string): void {
    const reason = error.slice(0, REASON_CHARS_MAX);
    const masterViewVersion = this.recalled()?.view.version ?? Version(0);
    const message = { type: "EXPLICIT_SUSPICION", suspectId, reason, masterViewVersion } as const;
    void this.call("coordinator", message);
  }

  async #deliver(to: Target, bytes: Uint8Array): Promise<Uint8Array> {
    return to === "coordinator"
      ? this.#env.COORDINATOR.getByName(this.clusterId).deliver(bytes)
      : this.#env.NODES.getByName(nodeName(this.clusterId, to)).deliver(bytes);
  }

  /** Hands a request on to a node as it is; null when that cannot be reached. */
  async hand(to: NodeId, request: Request): Promise<Response | null> {
    for (let attempt = 0; ; attempt++) {
      const left = Math.min(HAND_MS_MAX, this.#deadline - Date.now());
      try {
        const node = this.#env.NODES.getByName(nodeName(this.clusterId, to));
        return await within(left, node.fetch(request));
      } catch (error) {
        if (isWorthAnother(error) && (await this.pause(attempt))) continue;
        this.#complain(to, String(error));
        return null;
      }
    }
  }

  /** Full jitter; false when the time is up. */
  async pause(attempt: number): Promise<boolean> {
    const ceiling = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 ** Math.min(attempt, 20));
    const ms = Math.random() * ceiling;
    if (Date.now() + ms >= this.#deadline) return false;
    await new Promise((resume) => setTimeout(resume, ms));
    return true;
  }
}

/** Not what is said of another cluster, which an operator has named. */
function mergedInto({ code, data }: ErrorInfo, clusterId: ClusterId): ClusterId | null {
  const { into } = data;
  const isThis = code === "CLUSTER_MERGED" && data["clusterId"] === clusterId;
  return isThis && typeof into === "string" && NAME_PATTERN.test(into) ? ClusterId(into) : null;
}

export const isPassing = ({ code }: ErrorInfo): boolean => PASSING.has(code);

function isOf<Type extends ClusterMessage["type"]>(
  message: ClusterMessage,
  type: Type,
): message is Message<Type> {
  return message.type === type;
}

export function errorOf(answer: Answer, unheard: (reason: string) => ErrorInfo): ErrorInfo {
  if (answer.type === "failed") return unheard(answer.reason);
  const { message } = answer;
  if (message.type === "ERROR") return message.error;
  return makeError("INTERNAL", { reason: `answered by ${message.type}` });
}

/** The platform's own advice, and a reset by `ctx.abort()`, which says nothing of retrying. */
function isWorthAnother(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  if ("overloaded" in error && error.overloaded === true) return false;
  return (
    ("retryable" in error && error.retryable === true) ||
    ("durableObjectReset" in error && error.durableObjectReset === true)
  );
}
