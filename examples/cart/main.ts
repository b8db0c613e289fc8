/**
 * A cart that several devices fill: of each product a counter, so that what two add while they do not hear of each other adds up;
 * and a set of what is in it, so that who puts something in wins over who takes it out at the same time. Both are followed: what
 * other devices do shows by itself, and what this one does at once.
 */
import { connect } from "godwit/client";
import { element, showStatus } from "../page.ts";

const PRODUCTS = ["Apples", "Bread", "Coffee"];

const name = new URLSearchParams(location.search).get("cart") ?? "mine";
const grid = await connect(location.origin, { persist: true });
const products = grid.set<string>("carts", name);
const inside = new Set<string>();
const list = element("ul", HTMLUListElement);
const rows = PRODUCTS.map((product) => rowOf(product));

/** Returns what shows it as it is. */
function rowOf(product: string): () => void {
  const counter = grid.counter("carts", `${name}/${product}`);
  const count = { total: 0 };
  const item = document.createElement("li");
  const text = document.createElement("span");
  text.className = "text";
  const show = (): void => {
    text.textContent = `${product}: ${inside.has(product) ? Math.max(0, count.total) : 0}`;
  };
  const change = (by: number): unknown =>
    Promise.all([counter.increment(by), by > 0 && products.add(product)]);
  const empty = (): unknown =>
    Promise.all([counter.increment(-Math.max(0, count.total)), products.delete(product)]);
  item.append(
    text,
    buttonOf("+", () => change(1)),
    buttonOf("−", () => change(-1)),
  );
  item.append(buttonOf("None", empty));
  list.append(item);
  counter.subscribe((total) => {
    count.total = total;
    show();
  });
  return show;
}

function buttonOf(label: string, act: () => unknown): HTMLButtonElement {
  const button = document.createElement("button");
  button.textContent = label;
  button.addEventListener("click", act);
  return button;
}

products.subscribe((changes) => {
  for (const { value, isThere } of changes)
    if (isThere) inside.add(value);
    else inside.delete(value);
  for (const show of rows) show();
});
for (const show of rows) show();
showStatus(grid);
