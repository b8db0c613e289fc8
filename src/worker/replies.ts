/** Answers as HTTP: JSON, and errors with the status of their table. */
import { ERRORS, type ErrorInfo } from "../protocol/errors.ts";

/** `text` is JSON already. */
export const jsonReply = (text: string, status = 200): Response =>
  new Response(text, {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store" },
  });

export const reply = (value: unknown, status = 200): Response =>
  jsonReply(JSON.stringify(value), status);

export function errorReply(error: ErrorInfo, more: object = {}): Response {
  // By a node that knows more of them.
  const { status } = Object.hasOwn(ERRORS, error.code) ? ERRORS[error.code] : ERRORS.INTERNAL;
  const response = reply({ error: { ...errorJson(error), ...more } }, status);
  if (error.code === "METHOD_NOT_ALLOWED")
    response.headers.set("allow", String(error.data["allowed"]));
  if (status === 503 && error.retry === "later") response.headers.set("retry-after", "1");
  return response;
}

/** The fixed fields win over data of the same name. */
export const errorJson = ({ code, message, retry, data }: ErrorInfo): object => ({
  ...data,
  code,
  message,
  retry,
});
