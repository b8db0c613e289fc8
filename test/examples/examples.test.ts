/** The examples as their visitors meet them: real pages in a real browser, of a cluster that moves and loses nodes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { shows } from "./browser.ts";
import { Site } from "./site.ts";

let site: Site;

beforeAll(async () => {
  site = await Site.open();
}, 60_000);
afterAll(() => site.close());

it("has a page that leads to all of them", async () => {
  const page = await site.visit("");
  const links = await page.locator("a").evaluateAll((all) => all.map((a) => a.textContent));
  expect(links).toHaveLength(4);
  for (const link of await page.locator("a").all()) {
    const href = await link.getAttribute("href");
    const { status } = await fetch(new URL(href ?? "", site.grid.api.base));
    expect(status, href ?? "").toBe(200);
  }
});

describe("the to-do list", () => {
  const texts = async (page: Page): Promise<readonly string[]> =>
    page.locator("li .text").allTextContents();
  const done = async (page: Page): Promise<readonly string[]> =>
    page.locator("li.done .text").allTextContents();
  const status = async (page: Page): Promise<string> => page.locator("#status").innerText();
  async function add(page: Page, text: string): Promise<void> {
    await page.fill("input[name=text]", text);
    await page.press("input[name=text]", "Enter");
  }
  async function move(partition: number): Promise<void> {
    const owner = await site.grid.ownerOf(partition);
    const to = owner === "n1" ? "n3" : "n1";
    const { status: asked } = await site.grid.api.json("POST", "/v1/cluster/migrations", {
      partition,
      to,
    });
    expect(asked).toBe(202);
    await shows(() => site.grid.ownerOf(partition), to);
  }
  const item = (page: Page, text: string) => page.locator("li", { hasText: text });

  it("is the same for who was offline, and reloaded, while a node joined, another was lost and a partition moved", async () => {
    const [a, b] = [await site.visit("todo/"), await site.visit("todo/")];
    await add(a, "milk");
    await add(a, "bread");
    await shows(() => texts(b), ["milk", "bread"]);
    await item(b, "milk").locator("input").check();
    await shows(() => done(a), ["milk"]);

    await site.goOffline(b);
    await shows(() => status(b), "offline", 60_000);
    await add(b, "eggs");
    await item(b, "bread").getByText("Remove").click();
    await shows(() => texts(b), ["milk", "eggs"]);
    await shows(() => status(b), "offline, 2 not saved yet");
    await site.grid.api.json("POST", "/v1/cluster/nodes", { count: 1 });
    await add(a, "tea");
    await site.grid.killNode("n2");
    await add(a, "salt");
    await item(a, "milk").locator("input").uncheck();
    await shows(() => status(a), "live", 60_000);
    await b.reload();
    await shows(() => status(b), "offline, 2 not saved yet");
    await add(b, "rice");
    await move(0);

    await b.context().setOffline(false);
    await shows(() => status(b), "live", 60_000);
    const all = ["milk", "eggs", "tea", "salt", "rice"];
    for (const page of [a, b]) {
      await shows(async () => (await texts(page)).toSorted(), all.toSorted());
      await shows(() => done(page), []);
    }
    const later = await site.visit("todo/");
    await shows(async () => (await texts(later)).length, all.length);
    expect(site.browser.errors).toEqual([]);
  }, 180_000);
});

describe("the cart", () => {
  it("has all of what two devices put in while they did not hear of each other", async () => {
    const [a, b] = [await site.visit("cart/"), await site.visit("cart/")];
    const texts = async (page: Page): Promise<readonly string[]> =>
      page.locator("li .text").allTextContents();
    const press = async (page: Page, product: string, button: string): Promise<void> =>
      page.locator("li", { hasText: product }).getByText(button, { exact: true }).click();
    await shows(() => texts(a), ["Apples: 0", "Bread: 0", "Coffee: 0"]);
    await press(a, "Apples", "+");
    await press(a, "Bread", "+");
    await shows(() => texts(b), ["Apples: 1", "Bread: 1", "Coffee: 0"]);
    await b.context().setOffline(true);
    await shows(
      () =>
        b
          .locator("#status")
          .innerText()
          .then((text) => text.split(",")[0]),
      "offline",
    );
    for (let i = 0; i < 3; i++) await press(b, "Apples", "+");
    await press(b, "Bread", "None");
    await press(a, "Apples", "+");
    await press(a, "Coffee", "+");
    await shows(() => texts(a), ["Apples: 2", "Bread: 1", "Coffee: 1"]);
    await shows(() => texts(b), ["Apples: 4", "Bread: 0", "Coffee: 0"]);
    await b.context().setOffline(false);
    for (const page of [a, b])
      await shows(() => texts(page), ["Apples: 5", "Bread: 0", "Coffee: 1"]);
    expect(site.browser.errors).toEqual([]);
  }, 60_000);
});

describe("who is here", () => {
  it("shows where everybody points, and nobody who has gone", async () => {
    const [a, b] = [await site.visit("presence/"), await site.visit("presence/")];
    const cursors = (page: Page) => page.locator(".cursor");
    await shows(() => cursors(a).count(), 2);
    await shows(() => cursors(b).count(), 2);
    const box = await b.locator("#field").boundingBox();
    if (!box) throw new Error("there is no field");
    await b.mouse.move(box.x + box.width / 4, box.y + box.height / 4);
    const placed = (page: Page): Promise<readonly string[]> =>
      cursors(page).evaluateAll((all) =>
        all
          .map(
            (one) =>
              `${Math.round(parseFloat(one.style.left))} ${Math.round(parseFloat(one.style.top))}`,
          )
          .toSorted(),
      );
    await shows(() => placed(a), ["25 25", "50 50"]);
    await b.close();
    await shows(() => cursors(a).count(), 1);
    expect(site.browser.errors).toEqual([]);
  }, 60_000);
});

describe("the chat room", () => {
  const texts = async (page: Page): Promise<readonly string[]> =>
    page.locator("li").allInnerTexts();

  async function say(page: Page, text: string): Promise<void> {
    await page.fill("input[name=text]", text);
    await page.press("input[name=text]", "Enter");
  }

  it("has one order for everybody, also for who comes later", async () => {
    const [a, b] = [await site.visit("chat/?room=den"), await site.visit("chat/?room=den")];
    await a.fill("input[name=who]", "Ann");
    await b.fill("input[name=who]", "Bob");
    for (let n = 0; n < 5; n++) await Promise.all([say(a, `a${n}`), say(b, `b${n}`)]);
    await shows(async () => (await texts(a)).length, 10);
    const all = await texts(a);
    const of = (who: string) => all.filter((line) => line.startsWith(who));
    expect(of("Ann")).toEqual(
      [0, 1, 2, 3, 4].map((n) => expect.stringContaining(`a${n}`) as string),
    );
    expect(of("Bob")).toEqual(
      [0, 1, 2, 3, 4].map((n) => expect.stringContaining(`b${n}`) as string),
    );
    await shows(() => texts(b), all);
    const later = await site.visit("chat/?room=den");
    await shows(() => texts(later), all);
    const elsewhere = await site.visit("chat/?room=hall");
    expect(await texts(elsewhere)).toEqual([]);
    expect(site.browser.errors).toEqual([]);
  }, 60_000);
});
