// For tests of the HTTP side: a coordinator in this process, on loopback and in a home of its own, and people who ask it things by plain
// fetch. No tests in here.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setDefaultCACertificates } from "node:tls";
import { type CoordinatorOptions, type RunningCoordinator, startCoordinator } from "../index.ts";
import { authorityFile } from "../tls/authority-file.ts";
import type { Problem } from "./problems.ts";

export const PASSWORD = "correct horse battery";

export interface Reply {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers; tests look into it
  body: any;
  headers: Headers;
}

/** Somebody with a cookie, or a token, or nothing. */
export class Person {
  cookie = "";
  csrf = "";
  token = "";
  private readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const bytes = body instanceof Uint8Array;
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.cookie && { cookie: this.cookie }),
        ...(this.csrf && { "x-csrf-token": this.csrf }),
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { "content-type": bytes ? "application/octet-stream" : "application/json" }),
        ...headers,
      },
      ...(body !== undefined && { body: bytes ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const set = response.headers.getSetCookie().find((cookie) => /^(?:__Host-)?nightshift=/.test(cookie));
    if (set) this.cookie = set.split(";")[0] ?? "";
    const json = /\bjson\b/.test(response.headers.get("content-type") ?? "");
    const answer = json ? await response.json() : await response.text();
    if (json && typeof answer.csrf === "string") this.csrf = answer.csrf;
    return { status: response.status, body: answer, headers: response.headers };
  }

  get = (path: string): Promise<Reply> => this.ask("GET", path);
  post = (path: string, body: unknown = {}): Promise<Reply> => this.ask("POST", path, body);

  /** Uses a one-time link. */
  accept(link: string, name: string): Promise<Reply> {
    return this.post("/api/invitations/accept", { token: link.split("#")[1], name, password: PASSWORD });
  }
}

/** The code of what was refused, with its status. */
export const refused = ({ status, body }: Reply): [number, Problem["code"]] => [status, body.code];

export interface TestSite {
  running: RunningCoordinator;
  home: string;
  url: string;
  person(): Person;
  /** Signed in as a new user of that role, who is named after it. */
  signedIn(role: "viewer" | "submitter" | "administrator"): Promise<Person>;
  close(): Promise<void>;
}

/** With a local authority, this process believes it from then on. Its first administrator is called `first`. */
export async function startSite(options: Partial<CoordinatorOptions> = {}): Promise<TestSite & { first: Person }> {
  const home = mkdtempSync(join(tmpdir(), "nightshift-site-"));
  const running = await startCoordinator({ home, port: 0, ...options });
  const url = `${options.tls ? "https" : "http"}://127.0.0.1:${running.port}`;
  if (options.tls === "local-authority") setDefaultCACertificates([readFileSync(authorityFile(home), "utf8")]);
  const person = (): Person => new Person(url);
  const first = person();
  await first.accept(running.consoleUrl, "first");
  return {
    running,
    home,
    url,
    first,
    person,
    signedIn: async (role) => {
      const made = await first.post("/api/users", { role });
      const somebody = person();
      await somebody.accept(made.body.link, role);
      return somebody;
    },
    close: async () => {
      await running.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
