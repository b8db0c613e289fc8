/** A room is an actor, which puts in order what is said, each thing once; what was said last is an entry that pages follow. */
import { connect } from "godwit/client";
import type { Said } from "../chat.ts";
import { element, showStatus } from "../page.ts";

const room = new URLSearchParams(location.search).get("room") ?? "main";
const grid = await connect(location.origin);
const actor = grid.actor("chat", room);
const list = element("ul", HTMLUListElement);
const form = element("form", HTMLFormElement);
const who = element("input[name=who]", HTMLInputElement);
const text = element("input[name=text]", HTMLInputElement);

grid.map<readonly Said[]>("rooms").subscribe(([change]) => show(change?.value ?? []), {
  keys: [room],
});

function show(said: readonly Said[]): void {
  list.replaceChildren(...said.map(itemOf));
}

function itemOf(said: Said): HTMLLIElement {
  const item = document.createElement("li");
  item.title = new Date(said.atMs).toLocaleString();
  const name = document.createElement("b");
  name.textContent = said.who;
  const words = document.createElement("span");
  words.className = "text";
  words.textContent = said.text;
  item.append(name, words);
  return item;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const said = { type: "say", who: who.value, text: text.value };
  text.value = "";
  actor.call(said).catch((error: Error) => {
    element("#status", HTMLElement).textContent = error.message;
  });
});

text.disabled = false;
showStatus(grid);
