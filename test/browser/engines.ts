// The browsers that tests and benchmarks drive, and pages of `pages/` in any of them.
import { chromium } from "./chromium.ts";
import { type Driven, type Engine, inPage, type Tab } from "./driven.ts";
import { firefox } from "./firefox.ts";
import { isReady, servePage } from "./served-page.ts";
import { webkit } from "./webkit.ts";

export const ENGINES: readonly Engine[] = [chromium, firefox, webkit];

export interface OpenedIn extends AsyncDisposable {
  tab: Tab;
  browser: Driven;
  url: string;
  close(): Promise<void>;
}

/**
 * Opens `pages/NAME.ts` in a browser of its own and waits until it has run.
 * @param isolated with the headers under which a page has SharedArrayBuffer
 * @throws what the page throws while it loads
 */
export async function openIn(engine: Engine, name: string, isolated: boolean): Promise<OpenedIn> {
  const served = await servePage(name, isolated);
  let browser: Driven | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    await served.close();
  };
  try {
    browser = await engine.launch();
    const tab = await browser.newTab();
    await tab.goto(served.url);
    await inPage(tab, "the page has run", isReady, undefined);
    return { tab, browser, url: served.url, close, [Symbol.asyncDispose]: close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
