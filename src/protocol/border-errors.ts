/** What may be wrong with a message or a value itself: all that a client can say, too, without having been told. */
import { errorBy, rule, type ErrorData, type ErrorInfo, type ErrorRules } from "./error-data.ts";

export type BorderCode =
  | "UNKNOWN_MESSAGE"
  | "MALFORMED"
  | "FRAME_TOO_LARGE"
  | "OUT_OF_BOUNDS"
  | "BAD_TEXT"
  | "PROTOCOL_VERSION_MISMATCH";

export const BORDER_ERRORS: ErrorRules<BorderCode> = {
  UNKNOWN_MESSAGE: rule(
    400,
    "never",
    ({ type }) => `there is no message of type ${JSON.stringify(type)}`,
  ),
  MALFORMED: rule(400, "never", mustBe),
  FRAME_TOO_LARGE: rule(
    413,
    "never",
    ({ bytes, bytesMax }) => `${bytes} bytes, at most ${bytesMax} are taken at once`,
  ),
  OUT_OF_BOUNDS: rule(422, "never", outOfBounds),
  BAD_TEXT: rule(400, "never", mustBe),
  PROTOCOL_VERSION_MISMATCH: rule(
    400,
    "never",
    ({ expected, got }) => `protocol version ${got} is not spoken here, ${expected} is`,
  ),
};

export const borderError = <Code extends BorderCode>(
  code: Code,
  data: ErrorData[Code],
): ErrorInfo => errorBy(BORDER_ERRORS[code], code, data);

function mustBe({ field, expected }: ErrorData["MALFORMED"]): string {
  return `${field} must be ${expected}`;
}

function outOfBounds({ field, value, min, max, unit }: ErrorData["OUT_OF_BOUNDS"]): string {
  const size = unit === undefined ? `${value}` : `${value} ${unit}`;
  if (max === Number.MAX_SAFE_INTEGER) return `${field} is ${size}, must be at least ${min}`;
  return `${field} is ${size}, must be ${min} to ${max}`;
}
