/** A list that many people write to, each of them at once, online or not: the entries of one map, by id. */
import { connect } from "godwit/client";
import { element, showStatus } from "../page.ts";

interface Todo {
  readonly text: string;
  readonly done: boolean;
  readonly createdAt: number;
}

const grid = await connect(location.origin, { persist: true });
const todos = grid.map<Todo>("todos");
const list = element("ul", HTMLUListElement);
const form = element("form", HTMLFormElement);
const input = element("input", HTMLInputElement);

const subscription = todos.subscribe(() => {
  const entries = subscription.entries().toSorted(([, a], [, b]) => a.createdAt - b.createdAt);
  list.replaceChildren(...entries.map(([id, todo]) => itemOf(id, todo)));
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const todo = { text: input.value, done: false, createdAt: Date.now() };
  void todos.set(crypto.randomUUID(), todo);
  input.value = "";
});

function itemOf(id: string, todo: Todo): HTMLLIElement {
  const item = document.createElement("li");
  item.classList.toggle("done", todo.done);
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = todo.done;
  box.addEventListener("change", () => void todos.set(id, { ...todo, done: box.checked }));
  const text = document.createElement("span");
  text.className = "text";
  text.textContent = todo.text;
  const remove = document.createElement("button");
  remove.textContent = "Remove";
  remove.addEventListener("click", () => void todos.delete(id));
  item.append(box, text, remove);
  return item;
}

input.disabled = false;
showStatus(grid);
