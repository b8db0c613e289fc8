/** Where everybody points: one entry for each, which expires soon after its page is gone. */
import { connect } from "godwit/client";
import { element, showStatus } from "../page.ts";

interface Cursor {
  /** Of the field, 0 to 1. */
  readonly x: number;
  readonly y: number;
  readonly hue: number;
}

const LIFETIME_MS = 5_000;
const SEND_MS = 50;

const grid = await connect(location.origin);
const cursors = grid.map<Cursor>("cursors");
const field = element("#field", HTMLElement);
const me = grid.status().clientId;
const hue = Math.floor(Math.random() * 360);
const dots = new Map<string, HTMLElement>();
let mine: Cursor = { x: 0.5, y: 0.5, hue };
let isSent = false;

cursors.subscribe((changes) => {
  for (const { key, value } of changes) {
    if (value) place(dots.get(key) ?? dotOf(key), value);
    else {
      dots.get(key)?.remove();
      dots.delete(key);
    }
  }
});

field.addEventListener("pointermove", ({ clientX, clientY }) => {
  const { left, top, width, height } = field.getBoundingClientRect();
  mine = { x: (clientX - left) / width, y: (clientY - top) / height, hue };
  isSent = false;
});

// Where it points now is enough; and once in a while that it is still here.
setInterval(() => {
  if (!isSent) send();
}, SEND_MS);
setInterval(send, LIFETIME_MS / 2);
send();
showStatus(grid);

function send(): void {
  isSent = true;
  void cursors.set(me, mine, { ttl: LIFETIME_MS });
}

function dotOf(key: string): HTMLElement {
  const dot = document.createElement("div");
  dot.className = "cursor";
  dot.title = key;
  dots.set(key, dot);
  field.append(dot);
  return dot;
}

function place(dot: HTMLElement, cursor: Cursor): void {
  dot.style.left = `${cursor.x * 100}%`;
  dot.style.top = `${cursor.y * 100}%`;
  dot.style.background = `hsl(${cursor.hue} 80% 50%)`;
}
