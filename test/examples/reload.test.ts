/** Pages that end before what they have written is saved: reloaded, closed, one of many. */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { shows } from "./browser.ts";
import { Site } from "./site.ts";

let site: Site;

beforeAll(async () => {
  site = await Site.open();
}, 60_000);
afterAll(() => site.close());

const texts = async (page: Page): Promise<readonly string[]> =>
  (await page.locator("li .text").allTextContents()).toSorted();
const status = async (page: Page): Promise<string> => page.locator("#status").innerText();
async function add(page: Page, text: string): Promise<void> {
  await page.fill("input[name=text]", text);
  await page.press("input[name=text]", "Enter");
}

/** Writers, operations and totals that are kept. */
const COUNTED = `(async () => {
  const [{ name }] = await indexedDB.databases();
  const db = await new Promise((resolve) => {
    const opening = indexedDB.open(name);
    opening.onsuccess = () => resolve(opening.result);
  });
  const tx = db.transaction(["writers", "asks", "counts"]);
  const counts = await Promise.all(["writers", "asks", "counts"].map((store) =>
    new Promise((resolve) => {
      const counting = tx.objectStore(store).count();
      counting.onsuccess = () => resolve(counting.result);
    })));
  db.close();
  return counts;
})()`;

it("keeps what was written offline, and what was told before, when the page is reloaded", async () => {
  const [a, b] = [await site.visit("todo/"), await site.visit("todo/")];
  await add(a, "milk");
  await shows(() => texts(b), ["milk"]);
  await site.goOffline(b);
  await shows(() => status(b), "offline");
  await add(b, "eggs");
  await add(b, "tea");
  await shows(() => status(b), "offline, 2 not saved yet");
  await b.reload();
  await shows(() => status(b), "offline, 2 not saved yet");
  await shows(() => texts(b), ["eggs", "milk", "tea"]);
  await b.context().setOffline(false);
  for (const page of [a, b]) await shows(() => texts(page), ["eggs", "milk", "tea"]);
  await shows(() => status(b), "live");
  expect(site.browser.errors).toEqual([]);
}, 60_000);

it("has nothing left in the browser when all is saved", async () => {
  const page = await site.visit("todo/");
  for (let i = 0; i < 3; i++) {
    await add(page, `saved ${i}`);
    await page.reload();
  }
  await shows(() => status(page), "live");
  await shows(async () => (await texts(page)).filter((text) => text.startsWith("saved")).length, 3);
  const left = (): Promise<readonly number[]> => page.evaluate(COUNTED);
  await shows(left, [1, 0, 0]);
  expect(site.browser.errors).toEqual([]);
}, 60_000);

it("loses nothing of what was written right before the page was reloaded", async () => {
  const page = await site.visit("todo/");
  await shows(() => status(page), "live");
  await site.goOffline(page);
  await shows(() => status(page), "offline");
  await page.evaluate(`
    const [form, input] = [document.querySelector("form"), document.querySelector("input[name=text]")];
    for (let i = 0; i < 100; i++) {
      input.value = "burst " + i;
      form.requestSubmit();
    }
    location.reload();
  `);
  await shows(() => status(page), "offline, 100 not saved yet");
  await shows(
    async () => (await texts(page)).filter((text) => text.startsWith("burst")).length,
    100,
  );
  await page.context().setOffline(false);
  await shows(() => status(page), "live");
  const other = await site.visit("todo/");
  await shows(
    async () => (await texts(other)).filter((text) => text.startsWith("burst")).length,
    100,
  );
  expect(site.browser.errors).toEqual([]);
}, 60_000);

it("counts once what was counted by a page that was reloaded", async () => {
  const [a, b] = [await site.visit("cart/"), await site.visit("cart/")];
  const count = async (page: Page): Promise<string> => page.locator("li .text").first().innerText();
  const more = async (page: Page): Promise<void> =>
    page.locator("li").first().getByText("+", { exact: true }).click();
  await more(a);
  await more(b);
  await shows(() => count(b), "Apples: 2");
  await site.goOffline(b);
  await shows(async () => (await status(b)).split(",")[0], "offline");
  await more(b);
  await more(b);
  await b.reload();
  await shows(() => count(b), "Apples: 4");
  await more(b);
  await shows(() => count(b), "Apples: 5");
  await b.reload();
  await shows(async () => /not saved yet/.test(await status(b)), true);
  await shows(() => count(b), "Apples: 5");
  await b.context().setOffline(false);
  for (const page of [a, b]) await shows(() => count(page), "Apples: 5");
  await b.reload();
  await shows(() => count(b), "Apples: 5");
  expect(site.browser.errors).toEqual([]);
}, 60_000);

it("takes out what was put in and taken out again before the page was reloaded", async () => {
  const page = await site.visit("cart/?cart=gone");
  const press = async (row: number, button: string): Promise<void> =>
    page.locator("li").nth(row).getByText(button, { exact: true }).click();
  const shown = (): Promise<readonly string[]> => page.locator("li .text").allTextContents();
  for (const row of [0, 1, 2]) await press(row, "+");
  await press(0, "None");
  await shows(shown, ["Apples: 0", "Bread: 1", "Coffee: 1"]);
  await shows(() => status(page), "live");
  await site.goOffline(page);
  await shows(async () => (await status(page)).split(",")[0], "offline");
  for (const row of [0, 1]) await press(row, "+");
  await press(0, "None");
  const expected = ["Apples: 0", "Bread: 2", "Coffee: 1"];
  await shows(shown, expected);
  await page.reload();
  await shows(() => status(page), "offline, 5 not saved yet");
  await shows(shown, expected);
  await page.context().setOffline(false);
  await shows(() => status(page), "live");
  await shows(shown, expected);
  const { body } = await site.grid.api.json<{ values: readonly string[] }>(
    "GET",
    "/v1/sets/carts/gone",
  );
  expect(body.values.toSorted()).toEqual(["Bread", "Coffee"]);
  expect(site.browser.errors).toEqual([]);
}, 60_000);

it("sends what another page of the same visitor has left", async () => {
  const first = await site.visit("todo/");
  await shows(() => status(first), "live");
  const second = await first.context().newPage();
  await second.routeWebSocket(/v1\/ws/, (socket) => socket.close());
  await second.goto(site.url("todo/"));
  await shows(() => status(second), "offline");
  await add(second, "salt");
  await add(second, "oil");
  await shows(() => status(second), "offline, 2 not saved yet");
  await second.close();
  await shows(
    async () => (await texts(first)).filter((text) => /salt|oil/.test(text)),
    ["oil", "salt"],
  );
  await shows(() => status(first), "live");
  const other = await site.visit("todo/");
  await shows(
    async () => (await texts(other)).filter((text) => /salt|oil/.test(text)),
    ["oil", "salt"],
  );
  expect(site.browser.errors).toEqual([]);
}, 60_000);

it("keeps it all again where somebody has deleted it", async () => {
  const page = await site.visit("todo/");
  await shows(() => status(page), "live");
  await site.goOffline(page);
  await shows(() => status(page), "offline");
  await add(page, "bread");
  await page.evaluate(`indexedDB.databases().then(([{ name }]) => {
    const deleting = indexedDB.deleteDatabase(name);
    return new Promise((resolve) => (deleting.onsuccess = resolve));
  })`);
  await add(page, "butter");
  await shows(() => page.evaluate<readonly number[]>(COUNTED), [1, 2, 0]);
  await page.reload();
  await shows(() => status(page), "offline, 2 not saved yet");
  await page.context().setOffline(false);
  await shows(() => status(page), "live");
  await shows(async () => (await texts(page)).filter((text) => text.startsWith("b")).length, 102);
  expect(site.browser.errors).toEqual([]);
}, 60_000);
