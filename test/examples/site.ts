/** The examples on a cluster of their own, and visitors with real browsers. */
import type { Page } from "playwright-core";
import { buildExamples, type Assets } from "../../src/cli/examples.ts";
import { Grid } from "../e2e/grid.ts";
import { Browser } from "./browser.ts";

export class Site {
  readonly grid: Grid;
  readonly browser: Browser;
  readonly #assets: Assets;

  private constructor(grid: Grid, browser: Browser, assets: Assets) {
    this.grid = grid;
    this.browser = browser;
    this.#assets = assets;
  }

  /** Three nodes, which may be killed. */
  static async open(): Promise<Site> {
    const assets = await buildExamples();
    const faults = { faults: true, preset: "fast", assets: assets.directory } as const;
    const [grid, browser] = await Promise.all([
      Grid.start({ nodes: 3, partitions: 8, backups: 1, ...faults }),
      Browser.launch(),
    ]);
    return new Site(grid, browser, assets);
  }

  /** `path`: "", "todo/", "cart/?cart=mine". */
  url(path: string): string {
    return new URL(`/examples/${path}`, this.grid.api.base).href;
  }

  visit(path: string): Promise<Page> {
    return this.browser.visit(this.url(path));
  }

  goOffline(page: Page): Promise<void> {
    return this.browser.goOffline(page, this.#assets.directory);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.grid.stop();
    await this.#assets.dispose();
  }
}
