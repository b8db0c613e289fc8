/** What an application may be told instead of what it asked for. */
import type { Result } from "../data/result.ts";
import { borderError } from "../protocol/border-errors.ts";
import type { ErrorCode, ErrorInfo } from "../protocol/errors.ts";

/** A node's codes, and those that only a client knows. */
export type GridErrorCode = ErrorCode | "OUTBOX_FULL" | "CLOSED" | "UNREACHABLE" | "STORAGE";

/** `retry` "never": the same again fails again. "later": it may not. */
export interface GridErrorInfo extends Omit<ErrorInfo, "code"> {
  readonly code: GridErrorCode;
}

export class GridError extends Error implements GridErrorInfo {
  readonly code: GridErrorCode;
  readonly retry: GridErrorInfo["retry"];
  readonly data: GridErrorInfo["data"];

  constructor({ code, message, retry, data }: GridErrorInfo) {
    super(message);
    this.name = "GridError";
    this.code = code;
    this.retry = retry;
    this.data = data;
  }
}

/** Goes on only where nothing is wrong. */
export function refuse(problem: GridErrorInfo | null | undefined): void {
  if (problem) throw new GridError(problem);
}

export function valueOf<T>(result: Result<T, GridErrorInfo>): T {
  if (!result.ok) throw new GridError(result.error);
  return result.value;
}

const info = (
  code: GridErrorCode,
  retry: GridErrorInfo["retry"],
  message: string,
  data: GridErrorInfo["data"] = {},
): GridErrorInfo => ({ code, message, retry, data });

export const outboxFull = (max: number): GridErrorInfo =>
  info("OUTBOX_FULL", "later", `at most ${max} may wait`, {
    max,
  });

export const closed = (what = "client"): GridErrorInfo =>
  info("CLOSED", "never", `the ${what} was closed`);

/** A part of the client's code that is loaded when it is needed. */
export const loaded = async <Code>(code: Promise<Code>): Promise<Code> =>
  code.catch((error: unknown) => {
    throw new GridError(info("UNREACHABLE", "later", `could not load code: ${String(error)}`));
  });

export const notReached = (url: string, ms: number): GridErrorInfo =>
  info("UNREACHABLE", "later", `no node of ${url} has answered within ${ms} ms`, { url, ms });

export const countedTooMuch = (): GridErrorInfo =>
  borderError("OUT_OF_BOUNDS", {
    field: "what was counted",
    value: Infinity,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  });

export const unanswered = (): GridErrorInfo =>
  info("INTERNAL", "later", "an answer lacks a result");
