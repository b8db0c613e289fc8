/** The rules of `checks.ts`, for who reads bytes and says later what is wrong with them. */
import type { RowKind } from "../data/row.ts";
import {
  counterProblem,
  elementProblem,
  hashProblem,
  keyProblem,
  mapProblem,
  nodeProblem,
  totalProblem,
  valueProblem,
} from "./checks.ts";
import { expiryProblem, kindProblem, millisProblem, subProblem } from "./row-fields.ts";

export const isMap = (map: unknown): map is string => mapProblem(map) === null;
export const isKey = (key: unknown): key is string => keyProblem(key) === null;
export const isValue = (value: unknown): value is Uint8Array | null => valueProblem(value) === null;
export const isExpiry = (at: unknown): at is number | null => expiryProblem(at) === null;
export const isMillis = (millis: unknown): millis is number => millisProblem(millis) === null;
export const isCounter = (counter: unknown): counter is number => counterProblem(counter) === null;
export const isNode = (node: unknown): node is string => nodeProblem(node) === null;
export const isSub = (sub: unknown): sub is string => subProblem(sub) === null;
export const isElement = (value: unknown): value is Uint8Array => elementProblem(value) === null;
export const isTotal = (total: unknown): total is number => totalProblem(total) === null;
export const isHash = (hash: unknown): hash is string | null => hashProblem(hash) === null;
export const isKind = (kind: unknown): kind is RowKind => kindProblem(kind) === null;
