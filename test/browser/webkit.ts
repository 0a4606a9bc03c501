// WebKit, Safari's engine, as WebKitGTK has it: its MiniBrowser by W3C WebDriver (https://www.w3.org/TR/webdriver2/), on an X server without a screen.
import { type ChildProcess, spawn } from "node:child_process";
import { globSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { PATIENCE_MS } from "../patience.ts";
import { type Driven, type Engine, endWithUs, evaluating, fromJson, type Tab, toJson } from "./driven.ts";
import { installed } from "./installed.ts";

/** A script may take so long. */
const SCRIPT_MS = 300_000;

const driver = installed("WEBKIT_DRIVER_PATH", ["WebKitWebDriver"]);
const display = installed("XVFB_PATH", ["Xvfb"]);
const [miniBrowser] = globSync("/usr/lib/*/webkit2gtk-4.*/MiniBrowser");

export const webkit: Engine = {
  name: "WebKit",
  missing:
    driver && display && miniBrowser ? undefined : "no WebKit found; install it (Debian: apt-get install webkit2gtk-driver xvfb)",
  launch: launchWebkit,
};

async function launchWebkit(): Promise<Driven> {
  const children: ChildProcess[] = [];
  const close = async (): Promise<void> => {
    for (const child of children.reverse()) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      if (child.kill()) await ended;
    }
  };
  try {
    const screen = spawn(display ?? "Xvfb", ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    children.push(endWithUs(screen));
    const number = await new Promise<string>((resolve) => screen.stdio[3]?.once("data", (data) => resolve(String(data).trim())));
    const port = await freePort();
    const env = {
      ...process.env,
      DISPLAY: `:${number}`,
      LC_ALL: "C.UTF-8", // as on a system that has set no language
      // Its sandbox wants rights that a container or root has not; the pages are our own.
      WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1",
    };
    children.push(endWithUs(spawn(driver ?? "WebKitWebDriver", [`--port=${port}`], { env, stdio: "ignore" })));
    const ask = asker(`http://127.0.0.1:${port}`);
    await started(ask);
    const capabilities = { "webkitgtk:browserOptions": { binary: miniBrowser, args: ["--automation"] } };
    const { sessionId, capabilities: got } = await ask<{ sessionId: string; capabilities: { browserVersion: string } }>(
      "POST",
      "/session",
      { capabilities: { alwaysMatch: capabilities } },
    );
    const inSession: Ask = (method, path, body) => ask(method, `/session/${sessionId}${path}`, body);
    await inSession("POST", "/timeouts", { script: SCRIPT_MS });
    const end = async (): Promise<void> => {
      await inSession("DELETE", "").catch(() => undefined);
      await close();
    };
    return { version: got.browserVersion, newTab: () => newTab(inSession), close: end, [Symbol.asyncDispose]: end };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

type Ask = <T>(method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<T>;

const asker =
  (origin: string): Ask =>
  async <T>(method: string, path: string, body?: object) => {
    const response = await fetch(origin + path, { method, ...(body && { body: JSON.stringify(body) }) });
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };

async function started(ask: Ask): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const status = await ask<{ ready: boolean }>("GET", "/status").catch((thrown: Error) => thrown);
    if (!(status instanceof Error)) return;
    if (performance.now() > deadline) throw status;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function newTab(ask: Ask): Promise<Tab> {
  const { handle } = await ask<{ handle: string }>("POST", "/window/new", { type: "window" });
  // A session looks at one window at a time.
  let before: Promise<unknown> = Promise.resolve();
  const here = <T>(work: () => Promise<T>): Promise<T> => {
    const done = before.then(async () => {
      await ask("POST", "/window", { handle });
      return work();
    });
    before = done.catch(() => undefined);
    return done;
  };
  return {
    goto: (url) => here(() => ask("POST", "/url", { url })),
    evaluate: <R, A>(work: (arg: A) => R | Promise<R>, arg?: A) =>
      here(async () => {
        const script = `const told = arguments[1];
          (${evaluating(work)})(arguments[0]).then((json) => told({ json }), (thrown) => told({ failed: String(thrown) }));`;
        const told = await ask<{ json: string } | { failed: string }>("POST", "/execute/async", { script, args: [toJson(arg)] });
        if ("failed" in told) throw new Error(told.failed);
        return fromJson(told.json) as R;
      }),
    screenshot: () => here(async () => Buffer.from(await ask<string>("GET", "/screenshot"), "base64")),
    close: () => here(async () => void (await ask("DELETE", "/window"))),
  };
}
