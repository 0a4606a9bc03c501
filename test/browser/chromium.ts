// Chromium by Playwright: finds an installed one, opens it, and pages of `pages/` in it. Owns all of that and ends it in close(). No tests in here.
import { type Browser, type Page, chromium as playwright } from "playwright-core";
import { PATIENCE_MS } from "../patience.ts";
import { type Engine, without } from "./driven.ts";
import { installed } from "./installed.ts";
import { isReady, servePage } from "./served-page.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge"];
/** Nothing but our pages, and no dialogs. */
const ARGUMENTS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

/** The browser's program: CHROMIUM_PATH, or the first of the known names on the PATH. */
export const findChromium = (): string | undefined => installed("CHROMIUM_PATH", NAMES);

export const chromium: Engine = {
  name: "Chromium",
  missing: findChromium() ? undefined : "no Chromium found; install one (Debian: apt-get install chromium) or set CHROMIUM_PATH",
  launch: async () => {
    const browser = await launchChromium();
    const close = (): Promise<void> => browser.close();
    return { version: browser.version(), newTab: () => browser.newPage(), close, [Symbol.asyncDispose]: close };
  },
};

/** Says what is left out for want of Chromium, and whether it is. */
export const withoutChromium = (what: string): boolean => without(chromium, what);

export interface Opened extends AsyncDisposable {
  readonly page: Page;
  readonly version: string;
  close(): Promise<void>;
}

interface PageOptions {
  /** With the headers under which a page has SharedArrayBuffer. */
  isolated: boolean;
  /** Settings of the engine that people's browsers do not have. */
  v8Flags?: readonly string[];
}

/**
 * Opens `pages/NAME.ts` in a browser of its own and waits until it has run.
 * @throws what the page throws while it loads
 */
export async function openPage(name: string, { isolated, v8Flags = [] }: PageOptions): Promise<Opened> {
  const served = await servePage(name, isolated);
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    await served.close();
  };
  try {
    browser = await launchChromium(v8Flags);
    const page = await browser.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") console.error(`in the page: ${message.text()}`);
    });
    await page.goto(served.url);
    await page.waitForFunction(isReady);
    return { page, version: browser.version(), close, [Symbol.asyncDispose]: close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/**
 * Its pages have patience (PATIENCE_MS).
 * @param v8Flags settings of the engine that people's browsers do not have
 * @param more of its command line
 */
export async function launchChromium(v8Flags: readonly string[] = [], more: readonly string[] = []): Promise<Browser> {
  const browser = await playwright.launch({
    executablePath: findChromium() ?? "",
    args: [
      ...ARGUMENTS,
      ...more,
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...(v8Flags.length > 0 ? [`--js-flags=${v8Flags.join(" ")}`] : []),
    ],
  });
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (options) => {
    const context = await newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  };
  return browser;
}
