/** What the pages of all examples need. */
import type { Grid } from "godwit/client";

const STATUS_MS = 500;

export function element<E extends Element>(selector: string, type: new () => E): E {
  const found = document.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${selector}`);
}

/** Connected or not, and how much is not saved by a node yet. */
export function showStatus(grid: Grid): void {
  const line = element("#status", HTMLElement);
  const show = (): void => {
    const { state, pending, saving } = grid.status();
    const kept = saving === "failed" ? " and not kept here" : "";
    line.textContent = pending === 0 ? state : `${state}, ${pending} not saved yet${kept}`;
  };
  setInterval(show, STATUS_MS);
  show();
}
