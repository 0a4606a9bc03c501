// Firefox by WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/), as people have it: with a profile of its own, without a window.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { PATIENCE_MS } from "../patience.ts";
import { type Driven, type Engine, endWithUs, evaluating, fromJson, type Tab, toJson } from "./driven.ts";
import { installed } from "./installed.ts";

/** Longer than anything takes that a page is asked to do here. */
const ANSWER_MS = 300_000;
/** It looks for no news, asks nothing at its start, and speaks English. */
const PREFERENCES: Readonly<Record<string, unknown>> = {
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.min_background_timeout_value": 4,
  "intl.accept_languages": "en-GB",
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "remote.active-protocols": 1,
  "services.settings.server": "data:,",
  "toolkit.telemetry.reportingpolicy.firstRun": false,
};

const program = installed("FIREFOX_PATH", ["firefox-esr", "firefox"]);

export const firefox: Engine = {
  name: "Firefox",
  missing: program ? undefined : "no Firefox found; install one (Debian: apt-get install firefox-esr) or set FIREFOX_PATH",
  launch: () => launchFirefox(),
};

/** @param preferences of about:config, beside those of every test */
export async function launchFirefox(preferences: Readonly<Record<string, unknown>> = {}): Promise<Driven> {
  const profile = await mkdtemp(join(tmpdir(), "nightshift-firefox-"));
  const lines = Object.entries({ ...PREFERENCES, ...preferences }).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
  );
  await writeFile(join(profile, "user.js"), lines.join(""));
  const args = ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile];
  const child = spawn(program ?? "firefox", args, { stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  endWithUs(child);
  let session: Session | undefined;
  const close = async (): Promise<void> => {
    // It writes into its profile until it has ended.
    await session?.ask("browser.close", {}).catch(() => undefined);
    session?.close();
    const late = setTimeout(() => child.kill("SIGKILL"), 5_000);
    if (!session) child.kill("SIGKILL");
    await ended;
    clearTimeout(late);
    await rm(profile, { recursive: true, force: true });
  };
  try {
    const address = await new Promise<string>((resolve, reject) => {
      const late = setTimeout(() => reject(new Error("Firefox does not say where it listens")), PATIENCE_MS);
      child.once("error", reject);
      createInterface(child.stderr).on("line", (line) => {
        const found = /WebDriver BiDi listening on (ws:\S+)/.exec(line);
        if (!found) return;
        clearTimeout(late);
        resolve(found[1]);
      });
    });
    session = await Session.open(`${address}/session`);
    const opened = session;
    const { capabilities } = await opened.ask<{ capabilities: { browserVersion: string } }>("session.new", { capabilities: {} });
    return {
      version: capabilities.browserVersion,
      newTab: () => newTab(opened),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Commands and their answers. */
class Session {
  private readonly socket: WebSocket;
  private readonly waiting = new Map<number, PromiseWithResolvers<never>>();
  private last = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data) => {
      const told = JSON.parse(String(data));
      const asked = this.waiting.get(told.id);
      this.waiting.delete(told.id);
      if (told.type === "error") asked?.reject(new Error(`${told.error}: ${told.message}`));
      else asked?.resolve(told.result as never);
    });
    socket.on("close", () => {
      for (const asked of this.waiting.values()) asked.reject(new Error("Firefox has ended"));
    });
  }

  static async open(address: string): Promise<Session> {
    const socket = new WebSocket(address, { perMessageDeflate: false, maxPayload: 2 ** 30 });
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    return new Session(socket);
  }

  ask<T>(method: string, params: object): Promise<T> {
    const asked = Promise.withResolvers<never>();
    const id = ++this.last;
    this.waiting.set(id, asked);
    this.socket.send(JSON.stringify({ id, method, params }));
    const late = setTimeout(() => asked.reject(new Error(`Firefox does not answer ${method}`)), ANSWER_MS);
    return asked.promise.finally(() => clearTimeout(late));
  }

  close(): void {
    this.socket.close();
  }
}

type Evaluated =
  | { type: "success"; result: { value: string } }
  | { type: "exception"; exceptionDetails: { text: string; exception: object } };

async function newTab(session: Session): Promise<Tab> {
  const { context } = await session.ask<{ context: string }>("browsingContext.create", { type: "window" });
  return {
    goto: (url) => session.ask("browsingContext.navigate", { context, url, wait: "complete" }),
    evaluate: async <R, A>(work: (arg: A) => R | Promise<R>, arg?: A) => {
      const evaluated = await session.ask<Evaluated>("script.callFunction", {
        functionDeclaration: evaluating(work),
        arguments: [{ type: "string", value: toJson(arg) }],
        target: { context },
        awaitPromise: true,
      });
      if (evaluated.type === "exception") throw new Error(evaluated.exceptionDetails.text);
      return fromJson(evaluated.result.value) as R;
    },
    screenshot: async () => {
      const { data } = await session.ask<{ data: string }>("browsingContext.captureScreenshot", { context });
      return Buffer.from(data, "base64");
    },
    close: async () => void (await session.ask("browsingContext.close", { context })),
  };
}
