/** When something is asked again, and how often it was. */
export interface Retry {
  /** ms since the epoch. */
  readonly at: number;
  readonly attempt: number;
}
