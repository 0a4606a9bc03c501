// A real Chromium for tests and benchmarks: finds an installed one, bundles a page of `pages/` with Vite, serves it on loopback, with or
// without cross-origin isolation, and opens it. Owns all of that and ends it in close(). No tests in here.
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";

const PAGES = fileURLToPath(new URL("./pages/", import.meta.url));
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "msedge"];
const SUFFIXES = process.platform === "win32" ? [".exe"] : [""];
const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".wasm": "application/wasm" };
/** Like those of a page that may share memory. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
/** Nothing but our pages, and no dialogs. */
const ARGUMENTS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];

/** The browser's program: CHROMIUM_PATH, or the first of the known names on the PATH. */
export function findChromium(): string | undefined {
  const { CHROMIUM_PATH, PATH = "" } = process.env;
  if (CHROMIUM_PATH) return CHROMIUM_PATH;
  const folders = PATH.split(delimiter).filter(Boolean);
  return NAMES.flatMap((name) => folders.flatMap((folder) => SUFFIXES.map((suffix) => join(folder, name + suffix)))).find(
    existsSync,
  );
}

/** Says what is left out for want of a browser, and whether it is; where CI is set nothing may be left out. */
export function withoutChromium(what: string): boolean {
  if (findChromium()) return false;
  const why = `${what}: no Chromium found; install one (Debian: apt-get install chromium) or set CHROMIUM_PATH`;
  if (process.env.CI) throw new Error(why);
  console.warn(`SKIPPED ${why}`);
  return true;
}

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
  const folder = await mkdtemp(join(tmpdir(), "nightshift-page-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  let server: Awaited<ReturnType<typeof serve>> | undefined;
  let browser: Browser | undefined;
  const close = async (): Promise<void> => {
    await browser?.close();
    server?.close();
    await remove();
  };
  try {
    await bundle(name, folder);
    server = await serve(folder, isolated ? ISOLATION : {});
    browser = await launchChromium(v8Flags);
    const page = await browser.newPage();
    const failed = new Promise<never>((_, reject) => {
      page.on("pageerror", reject);
    });
    failed.catch(() => undefined);
    page.on("console", (message) => {
      if (message.type() === "error") console.error(`in the page: ${message.text()}`);
    });
    await page.goto(server.url);
    await Promise.race([page.waitForFunction(() => "ready" in globalThis), failed]);
    return { page, version: browser.version(), close, [Symbol.asyncDispose]: close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/**
 * @param v8Flags settings of the engine that people's browsers do not have
 * @param more of its command line
 */
export function launchChromium(v8Flags: readonly string[] = [], more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium() ?? "",
    args: [
      ...ARGUMENTS,
      ...more,
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ...(v8Flags.length > 0 ? [`--js-flags=${v8Flags.join(" ")}`] : []),
    ],
  });
}

async function bundle(name: string, folder: string): Promise<void> {
  await build({
    configFile: false,
    root: PAGES,
    logLevel: "warn",
    worker: { format: "es" },
    build: {
      outDir: folder,
      emptyOutDir: true,
      target: "esnext",
      minify: false,
      modulePreload: false,
      rolldownOptions: { input: join(PAGES, `${name}.ts`), output: { entryFileNames: "page.js" } },
    },
  });
}

async function serve(folder: string, headers: Readonly<Record<string, string>>): Promise<{ url: string; close(): void }> {
  const server = createServer(async ({ url = "/" }, response) => {
    const { pathname } = new URL(url, "http://localhost");
    if (pathname === "/") {
      const html =
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';
      response.writeHead(200, { ...headers, "Content-Type": "text/html" }).end(html);
      return;
    }
    // The URL's path is normalised: it cannot lead out of the folder.
    const bytes = await readFile(join(folder, pathname)).catch(() => undefined);
    if (!bytes) response.writeHead(404).end();
    else
      response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(pathname)] ?? "application/octet-stream" }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
