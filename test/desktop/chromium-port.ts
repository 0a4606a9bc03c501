// The tray app for tests: the real main process logic in this process, the built process that computes beside it, and its windows as pages of a
// real Chromium with the built files, headers and preload script. What the system tells (input, lock, power) is variables. No tests in here.
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FromAgentProcess } from "@nightshift/agent-app/desktop/agent";
import {
  type AgentHandle,
  type App,
  answerRequest,
  buildAgent,
  buildPreload,
  buildRenderer,
  fileFor,
  HEADERS,
  ORIGIN,
  VariablePort,
  type WindowKind,
} from "@nightshift/agent-app/desktop/testing";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { findChromium } from "../browser/chromium.ts";
import { PATIENCE_MS } from "../patience.ts";

/** Chromium opens no app:// without Electron; requests for this origin never leave the browser. */
const PAGE_ORIGIN = "https://nightshift";

export interface Look {
  colorScheme?: "light" | "dark";
  width?: number;
  height?: number;
}

/** Everything but the main process itself, which runs from its sources; once for a test run. */
export async function buildParts(folder: string): Promise<void> {
  await buildAgent(folder);
  await buildRenderer(join(folder, "renderer"));
  await buildPreload(folder);
}

export class ChromiumPort extends VariablePort {
  private readonly built: string;
  private readonly look: Look;
  private browser: Browser | undefined;
  private context: BrowserContext | undefined;
  private readonly opened = new Map<WindowKind, Promise<Page>>();
  private readonly children = new Set<ChildProcess>();
  private closing = false;
  app: App | undefined;
  /** What pages complained of: errors, and what the content security policy stopped. */
  readonly complaints: string[] = [];

  constructor(built: string, variables: ConstructorParameters<typeof VariablePort>[0] = {}, look: Look = {}) {
    super(variables);
    this.built = built;
    this.look = look;
  }

  private hangs = false;
  override readonly now = (): number => performance.now();
  override readonly wallNow = (): number => Date.now();
  override readonly after = (ms: number, work: () => void): (() => void) => {
    const timer = setTimeout(() => this.hangs || work(), ms);
    return () => clearTimeout(timer);
  };

  /** From now on the app's main process does nothing by itself, but hears. */
  hang(): void {
    this.hangs = true;
  }

  async launch(): Promise<void> {
    this.browser = await chromium.launch({
      executablePath: findChromium() ?? "",
      args: ["--disable-background-networking", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
    });
    const { colorScheme = "light", width = 960, height = 720 } = this.look;
    this.context = await this.browser.newContext({ colorScheme, viewport: { width, height } });
    this.context.setDefaultTimeout(PATIENCE_MS);
    const preload = readFileSync(join(this.built, "preload.cjs"), "utf8");
    await this.context.addInitScript({
      content: `{
        const listeners = [];
        globalThis.__tell = (state) => { for (const listener of listeners) listener({}, state); };
        const electron = {
          contextBridge: { exposeInMainWorld: (name, value) => { globalThis[name] = value; } },
          ipcRenderer: {
            invoke: (channel, name, value) => globalThis.__invoke(channel, name, value),
            on: (channel, listener) => listeners.push(listener),
          },
        };
        ((require) => { ${preload} })(() => electron);
      }`,
    });
    await this.context.exposeBinding("__invoke", ({ frame }, _channel: string, name: unknown, value: unknown) => {
      if (!this.app) throw new Error("no app");
      const url = frame.url().replace(PAGE_ORIGIN, ORIGIN);
      return answerRequest(this.app, { url, isTop: frame.parentFrame() === null }, name, value);
    });
    await this.context.route("**/*", async (route) => {
      const file = fileFor(route.request().url().replace(PAGE_ORIGIN, ORIGIN));
      if (!file) return route.abort();
      const body = readFileSync(join(this.built, "renderer", file.path));
      return route.fulfill({ body, headers: { ...HEADERS, "Content-Type": file.type } });
    });
  }

  /** The window, once it is open and shows something. */
  async pageOf(kind: WindowKind = "main"): Promise<Page> {
    const page = await this.opened.get(kind);
    if (!page) throw new Error(`no window ${kind} is open`);
    if (kind === "main")
      await page.waitForSelector("main").catch((thrown: unknown) => {
        throw new Error(`${String(thrown)}\n${this.complaints.join("\n")}`);
      });
    return page;
  }

  override readonly windows: VariablePort["windows"] = {
    open: (kind, at) => {
      const path = kind === "main" ? `index.html${at === null ? "" : `#${at}`}` : "screensaver.html";
      const before = this.opened.get(kind);
      if (before) {
        if (at !== null) void before.then((page) => page.goto(`${PAGE_ORIGIN}/${path}`));
        return;
      }
      this.opened.set(kind, this.openPage(path));
    },
    close: (kind) => {
      const page = this.opened.get(kind);
      this.opened.delete(kind);
      void page?.then((one) => one.close());
    },
    isOpen: (kind) => this.opened.has(kind),
    tell: (state) => {
      this.told = state;
      for (const page of this.opened.values())
        page
          .then((one) => one.evaluate((it) => (globalThis as unknown as { __tell?: (s: unknown) => void }).__tell?.(it), state))
          .catch(() => undefined); // closed, or still loading: it asks itself
    },
  };

  private async openPage(path: string): Promise<Page> {
    if (!this.context) throw new Error("not launched");
    const page = await this.context.newPage();
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
    await page.goto(`${PAGE_ORIGIN}/${path}`);
    return page;
  }

  /** The process that computes, as it really is. */
  override startAgent(on: Parameters<VariablePort["startAgent"]>[0]): AgentHandle {
    const child = fork(join(this.built, "agent.js"), [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      execArgv: [],
    });
    this.children.add(child);
    child.on("message", (message) => on.message(message as FromAgentProcess));
    child.once("exit", (code) => {
      this.children.delete(child);
      if (!this.closing) on.exited(code);
    });
    return {
      send: (message) => {
        if (child.connected) child.send(message, () => undefined);
      },
      kill: () => void child.kill("SIGKILL"),
    };
  }

  /** The computing process of now. */
  get agentPid(): number | undefined {
    return [...this.children].at(-1)?.pid;
  }

  async close(): Promise<void> {
    this.closing = true;
    this.app?.quit();
    for (const child of this.children) child.kill("SIGKILL");
    await this.browser?.close();
  }
}
