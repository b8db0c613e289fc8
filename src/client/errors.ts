/** What an application may be told instead of what it asked for. */
import type { Result } from "../data/result.ts";
import { borderError } from "../protocol/border-errors.ts";
import type { ErrorCode, ErrorInfo } from "../protocol/errors.ts";

/** A node's codes, and those that only a client knows. */
export type GridErrorCode = ErrorCode | "OUTBOX_FULL" | "CLOSED" | "UNREACHABLE";

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

export const outboxFull = (max: number): GridErrorInfo => ({
  code: "OUTBOX_FULL",
  message: `${max} operations wait to be acknowledged, at most so many may`,
  retry: "later",
  data: { max },
});

export const closed = (): GridErrorInfo => ({
  code: "CLOSED",
  message: "the client was closed",
  retry: "never",
  data: {},
});

export const notReached = (url: string, ms: number): GridErrorInfo => ({
  code: "UNREACHABLE",
  message: `no node of ${url} has answered within ${ms} ms`,
  retry: "later",
  data: { url, ms },
});

export const countedTooMuch = (): GridErrorInfo =>
  borderError("OUT_OF_BOUNDS", {
    field: "what was counted",
    value: Infinity,
    min: 0,
    max: Number.MAX_SAFE_INTEGER,
  });

export const unanswered = (): GridErrorInfo => ({
  code: "INTERNAL",
  message: "a node's answer lacks a result",
  retry: "later",
  data: {},
});
