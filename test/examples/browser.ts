/** A real browser, from its npm package: each visitor has a profile of its own, as on a machine of its own. */
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { chromium as launcher, type Browser as Launched, type Page } from "playwright-core";
import { expect, vi } from "vitest";

export class Browser {
  readonly #launched: Launched;
  /** What went wrong in any page. */
  readonly errors: string[] = [];

  private constructor(launched: Launched) {
    this.#launched = launched;
  }

  static async launch(): Promise<Browser> {
    const executablePath = await chromium.executablePath();
    // All pages in one process would go down together.
    const args = chromium.args.filter((arg) => !["--single-process", "--no-zygote"].includes(arg));
    return new Browser(await launcher.launch({ executablePath, args }));
  }

  async visit(url: string): Promise<Page> {
    const context = await this.#launched.newContext({ viewport: { width: 900, height: 700 } });
    const page = await context.newPage();
    page.on("pageerror", (error) => this.errors.push(String(error)));
    await page.goto(url);
    return page;
  }

  /** Pages under `/examples/` still come, from there, as with a service worker: only the grid cannot be reached. */
  async goOffline(page: Page, directory: string): Promise<void> {
    const context = page.context();
    await context.route("**/examples/**", async (route) => {
      const { pathname } = new URL(route.request().url());
      const file = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
      await route.fulfill({ path: join(directory, file) });
    });
    await context.setOffline(true);
  }

  async close(): Promise<void> {
    await this.#launched.close();
  }
}

/** Waits until that is what the page shows. */
export async function shows<T>(what: () => Promise<T>, expected: T, ms = 20_000): Promise<void> {
  await vi.waitFor(async () => expect(await what()).toEqual(expected), {
    timeout: ms,
    interval: 50,
  });
}
