import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";

export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
export const HAS_CHROMIUM = existsSync(CHROMIUM);

const ARGUMENTS = [
  ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const SERIOUS = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => id + ": " + nodes.map(({ target }) => target.join(" ")).join(", ")))`;
const OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
const BACKGROUND = "getComputedStyle(document.body).backgroundColor";
const require = createRequire(import.meta.url);

export interface OpenedPage {
  readonly page: Page;
  /** What the console said, errors, and requests to other origins. */
  readonly trouble: readonly string[];
}

/** A browser for the tests of a `describe`. Call it there. */
export function useChromium() {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });

  afterAll(async () => {
    await browser.close();
  });

  /** A page in a context of its own. */
  return async function opened(url: string, options: BrowserContextOptions = {}): Promise<OpenedPage> {
    const context = await browser.newContext({ viewport: { width: 1_100, height: 900 }, ...options });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const trouble: string[] = [];
    page.on("console", (message) => trouble.push(message.text()));
    page.on("pageerror", (error) => trouble.push(error.message));
    page.on("request", (request) => {
      if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith("data:"))
        trouble.push(request.url());
    });
    await page.goto(url);
    return { page, trouble };
  };
}

/** Waits until an element with the text is visible. */
export async function says(page: Page, selector: string, text: RegExp | string): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).waitFor();
}

/** The serious barriers that axe-core finds. It runs past the page's own policy. */
export async function barriersOf(page: Page): Promise<readonly string[]> {
  await page.evaluate(await readFile(require.resolve("axe-core/axe.min.js"), "utf8"));
  return page.evaluate<readonly string[]>(SERIOUS);
}

/** By how many pixels the page is wider than the screen. */
export function overflowOf(page: Page): Promise<number> {
  return page.evaluate<number>(OVERFLOW);
}

export function backgroundOf(page: Page): Promise<string> {
  return page.evaluate<string>(BACKGROUND);
}

export const BACKGROUNDS = { light: "rgb(255, 255, 255)", dark: "rgb(20, 23, 27)" } as const;
