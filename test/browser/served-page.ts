// Bundles a page of `pages/` with Vite and serves it on loopback, with or without cross-origin isolation. No tests in here.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const PAGES = fileURLToPath(new URL("./pages/", import.meta.url));
const TYPES: Readonly<Record<string, string>> = { ".js": "text/javascript", ".wasm": "application/wasm" };
/** Like those of a page that may share memory. */
const ISOLATION = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" };
/** What goes wrong before the page is ready stands in `failed`. */
const HTML = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">
<script>
  addEventListener("error", ({ message }) => (globalThis.failed ??= message));
  addEventListener("unhandledrejection", ({ reason }) => (globalThis.failed ??= String(reason)));
</script>
<script type="module" src="/page.js"></script>`;

export interface Served extends AsyncDisposable {
  url: string;
  close(): Promise<void>;
}

/** @param isolated with the headers under which a page has SharedArrayBuffer */
export async function servePage(name: string, isolated: boolean): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), "nightshift-page-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await bundle(name, folder);
    const server = await serve(folder, isolated ? ISOLATION : {});
    const close = (): Promise<void> => {
      server.close();
      return remove();
    };
    return { url: server.url, close, [Symbol.asyncDispose]: close };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

/** Has the page run? @throws what went wrong; runs in the page */
export function isReady(): boolean {
  const page = globalThis as { failed?: string };
  if (page.failed !== undefined) throw new Error(page.failed);
  return "ready" in page;
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
      response.writeHead(200, { ...headers, "Content-Type": "text/html" }).end(HTML);
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
