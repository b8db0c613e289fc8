/**
 * A cart that several devices fill: of each product a counter, so that what two add while they do not hear of each other adds up;
 * and a set of what is in it, so that who puts something in wins over who takes it out at the same time.
 */
import { connect, type GridCounter } from "godwit/client";
import { element, showStatus } from "../page.ts";

const PRODUCTS = ["Apples", "Bread", "Coffee"];
const LOOK_MS = 1_000;

const name = new URLSearchParams(location.search).get("cart") ?? "mine";
const grid = await connect(location.origin, { persist: true });
const inside = grid.set<string>("carts", name);
const list = element("ul", HTMLUListElement);
const rows = PRODUCTS.map((product) => rowOf(product));

function rowOf(product: string): () => void {
  const count = grid.counter("carts", `${name}/${product}`);
  const item = document.createElement("li");
  const text = document.createElement("span");
  text.className = "text";
  const show = (): void => {
    const isInside = inside.peek().includes(product);
    text.textContent = `${product}: ${isInside ? Math.max(0, count.peek()) : 0}`;
  };
  item.append(text);
  for (const by of [1, -1])
    item.append(buttonOf(by > 0 ? "+" : "−", () => change(product, count, by)));
  item.append(buttonOf("None", () => empty(product, count)));
  list.append(item);
  item.addEventListener("click", show);
  return () => void count.value().then(show);
}

async function change(product: string, count: GridCounter, by: number): Promise<void> {
  await Promise.all([count.increment(by), by > 0 && inside.add(product)]);
}

async function empty(product: string, count: GridCounter): Promise<void> {
  await Promise.all([count.increment(-Math.max(0, count.peek())), inside.delete(product)]);
}

function buttonOf(label: string, act: () => Promise<unknown>): HTMLButtonElement {
  const button = document.createElement("button");
  button.textContent = label;
  button.addEventListener("click", () => void act());
  return button;
}

/** What other devices have done is looked for. */
async function look(): Promise<void> {
  await inside.values();
  for (const row of rows) row();
  setTimeout(() => void look(), LOOK_MS);
}

void look();
showStatus(grid);
