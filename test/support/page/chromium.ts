import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium, type Browser, type BrowserContext, type Page, type ViewportSize } from "playwright-core";
import { afterAll, beforeAll, onTestFinished } from "vitest";

export const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
export const HAS_CHROMIUM = existsSync(CHROMIUM);

/** Chromium has no sandbox for root. Without the rest it looks for updates, and for hosts that a test machine lacks. */
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

interface PageOptions {
  readonly viewport?: ViewportSize;
  readonly colorScheme?: "light" | "dark";
  /** With nothing that a test before has left: for one that needs cookies, or a clock of its own. */
  readonly isNew?: boolean;
}

const VIEWPORT = { width: 1_100, height: 900 };

/**
 * A browser for the tests of a `describe`. Call it there. Its pages are empty ones that tests use one after the other: to
 * make one costs a browser's window.
 */
export function usePages({ offline = false } = {}) {
  let browser: Browser;
  let context: BrowserContext;
  const idle: Page[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
    context = await browser.newContext({ offline });
  });

  afterAll(async () => {
    await browser.close();
  });

  async function usedAgain(): Promise<Page> {
    const page = idle.pop() ?? (await context.newPage());
    onTestFinished(async () => {
      page.removeAllListeners();
      await page.unrouteAll({ behavior: "ignoreErrors" });
      try {
        await page.goto("about:blank");
        await page.mouse.move(0, 0);
        await page.emulateMedia({ media: null, colorScheme: null });
        idle.push(page);
      } catch {
        // It was about to go elsewhere by itself.
        await page.close();
      }
    });
    return page;
  }

  async function ofItsOwn(): Promise<Page> {
    const own = await browser.newContext({ offline });
    onTestFinished(() => own.close());
    return own.newPage();
  }

  return async function emptyPage({ viewport = VIEWPORT, colorScheme, isNew = false }: PageOptions = {}) {
    const page = isNew ? await ofItsOwn() : await usedAgain();
    await page.setViewportSize(viewport);
    if (colorScheme) await page.emulateMedia({ colorScheme });
    return page;
  };
}

/** Opens pages in a browser for the tests of a `describe`. Call it there. */
export function useChromium() {
  const emptyPage = usePages();

  return async function opened(url: string, options: PageOptions = {}): Promise<OpenedPage> {
    const page = await emptyPage(options);
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
