// The real command against a real coordinator and two real agents, on a free port with a state directory of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "nightshift-cli-"));
const env = { ...process.env, NIGHTSHIFT_HOME: join(scratch, "home"), NIGHTSHIFT_COORDINATOR: "" };

interface Ended {
  status: number | null;
  stdout: Buffer;
  stderr: string;
}

interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when stdout so far matches. */
  says(pattern: RegExp): Promise<string>;
}

function start(args: readonly string[], stdin?: Uint8Array | "open", home = env.NIGHTSHIFT_HOME): Running {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...env, NIGHTSHIFT_HOME: home }, cwd: scratch });
  const out: Buffer[] = [];
  const errors: Buffer[] = [];
  const text = (): string => Buffer.concat(out).toString();
  child.stdout.on("data", (part: Buffer) => out.push(part));
  child.stderr.on("data", (part: Buffer) => errors.push(part));
  child.stdin.on("error", () => undefined);
  if (stdin !== "open") child.stdin.end(stdin ?? "");
  const ended = new Promise<Ended>((resolve) => {
    child.on("close", (status) => resolve({ status, stdout: Buffer.concat(out), stderr: Buffer.concat(errors).toString() }));
  });
  const says = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = pattern.exec(text());
        if (found) resolve(found[0]);
      };
      look();
      child.stdout.on("data", look);
      void ended.then(({ stderr }) => reject(new Error(`it ended without saying ${pattern}: ${text()}\n${stderr}`)));
    });
  return { child, ended, says };
}

const nightshift = (args: readonly string[], stdin?: Uint8Array): Promise<Ended> => start(args, stdin).ended;
const json = async (...args: string[]): Promise<never> =>
  JSON.parse((await nightshift([...args, "--json"])).stdout.toString()) as never;

function source(name: string, text: string): string {
  writeFileSync(join(scratch, name), text);
  return name;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const LOOP = "int main(void) { for (volatile unsigned long i = 0;; i++); }";
let up: Running;

beforeAll(async () => {
  up = start(["up", "--port", "0", "--agents", "2", "--json"]);
  await up.says(/"joinLink"/);
  await until(
    async () => ((await json("hosts")) as { online: boolean }[]).filter((host) => host.online).length === 2 || undefined,
  );
});

afterAll(async () => {
  up.child.kill("SIGINT");
  expect((await up.ended).status).toBe(0);
  rmSync(scratch, { recursive: true, force: true });
});

describe("run", () => {
  it("passes arguments, stdin, both outputs and the exit status", async () => {
    const file = source(
      "status.c",
      '#include <stdio.h>\nint main(int c, char **v) { char b[9]; fgets(b, 9, stdin); printf("%d %s %s", c, v[1], b); fputs("oops", stderr); return 7; }',
    );
    const { status, stdout, stderr } = await nightshift(["run", file, "--json", "-x"], Buffer.from("in\n"));
    expect({ status, stdout: stdout.toString(), stderr }).toEqual({ status: 7, stdout: "3 --json in\n", stderr: "oops" });
  });

  it("keeps every byte through a pipe, both ways", async () => {
    const file = source(
      "copy.c",
      "#include <unistd.h>\nint main(void) { static char b[50000]; long n; while ((n = read(0, b, sizeof b)) > 0) for (long o = 0; o < n;) o += write(1, b + o, n - o); return 0; }",
    );
    const bytes = randomBytes(2_000_000);
    const { status, stdout } = await nightshift(["run", file], bytes);
    expect(status).toBe(0);
    expect(stdout.equals(bytes)).toBe(true);
  });

  it("ends quietly with SIGPIPE's status when the reader goes away", async () => {
    const file = source("flood.c", '#include <stdio.h>\nint main(void) { for (;;) puts("more"); }');
    const running = start(["run", file]);
    await running.says(/more/);
    running.child.stdout?.destroy();
    expect(await running.ended).toMatchObject({ status: 141, stderr: "" });
    expect(await until(async () => ((await json("ps")) as unknown[]).length === 0 || undefined)).toBe(true);
  });

  it("tells a trap with the program's stack, and ends with 128 + signal", async () => {
    const file = source("trap.c", "volatile int zero;\nint main(void) { return 100 / zero; }");
    const { status, stderr } = await nightshift(["run", file]);
    expect(status).toBe(136);
    expect(stderr).toMatch(/^nightshift: NS_TRAP: .*divide by zero\n {2}at .*main/);
  });

  it("ends a program that uses too much time or memory", async () => {
    expect(await nightshift(["run", "--timeout", "500ms", source("loop.c", LOOP)])).toMatchObject({
      status: 152,
      stderr: expect.stringContaining("NS_TIMEOUT"),
    });
    const greedy = source(
      "greedy.c",
      "#include <stdlib.h>\nint main(void) { for (;;) { volatile char *p = malloc(1 << 20); if (!p) __builtin_trap(); *p = 1; } }",
    );
    expect(await nightshift(["run", "--memory", "32MiB", greedy])).toMatchObject({
      status: 137,
      stderr: expect.stringContaining("NS_MEMORY_LIMIT"),
    });
  });

  it("brings back what the program wrote into its folder", async () => {
    mkdirSync(join(scratch, "work"));
    writeFileSync(join(scratch, "work", "in.txt"), "hello");
    const file = source(
      "files.c",
      '#include <stdio.h>\n#include <sys/stat.h>\nint main(void) { char b[9]; fgets(b, 9, fopen("in.txt", "r")); mkdir("out", 0777); FILE *f = fopen("out/copy.txt", "w"); fprintf(f, "%s!", b); return fclose(f); }',
    );
    expect(await nightshift(["run", "--dir", "work", file])).toMatchObject({ status: 0, stderr: "" });
    expect(readFileSync(join(scratch, "work", "out", "copy.txt"), "utf8")).toBe("hello!");
    expect(readFileSync(join(scratch, "work", "in.txt"), "utf8")).toBe("hello");
  });

  it("cancels the job on Ctrl-C", async () => {
    const running = start(["run", "--name", "victim", source("loop.c", LOOP)], "open");
    await until(async () => ((await json("ps")) as { name: string }[]).find(({ name }) => name === "victim"));
    running.child.kill("SIGINT");
    expect((await running.ended).status).toBe(130);
    expect(await json("ps")).toEqual([]);
  });

  it("says with --json what happened, one object a line", async () => {
    const { stdout } = await nightshift(["run", "--json", "hello"]);
    const events = stdout
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { event: string });
    expect(events[0]).toEqual({ event: "submitted", job: expect.any(Number), pid: expect.any(Number), parts: 1 });
    expect(events[1]).toMatchObject({ event: "output", stream: "stdout", text: expect.any(String) });
    expect(events.at(-1)).toEqual({ event: "ended", report: { kind: "exit", code: 0 }, status: 0 });
  });
});

describe("bad input is told with a code, what is wrong and what to do, and leaves 125 or 2", () => {
  it.each([
    [
      "a source that does not compile",
      () => ["run", source("bad.c", "int main(void) { return x; }")],
      125,
      /^nightshift: NS_COMPILE_FAILED: (.|\n)*bad\.c:1:25: error: .*'x'/,
    ],
    ["a file that is no program", () => ["run", source("text.txt", "hello")], 125, /^nightshift: NS_NOT_WASM: .*text\.txt/],
    ["a file that is not there", () => ["run", "absent.c"], 125, /^nightshift: NS_SOURCE_NOT_FOUND: .*absent\.c/],
    ["an unknown host", () => ["run", "--host", "nowhere", "hello"], 125, /^nightshift: NS_NO_SUCH_HOST: .*nowhere/],
    ["an unknown option", () => ["run", "--nonsense", "hello"], 125, /^nightshift: NS_USAGE: .*--nonsense/],
    ["a size that is none", () => ["run", "--memory", "lots", "hello"], 125, /^nightshift: NS_USAGE: 'lots'/],
    ["an unknown command", () => ["rnu"], 2, /^nightshift: NS_USAGE: unknown command 'rnu'/],
    ["a process that is none", () => ["migrate", "j1", "vm"], 2, /^nightshift: NS_USAGE: j1 is a job/],
    ["an unknown process", () => ["logs", "99999"], 1, /^nightshift: NS_NO_SUCH_PROCESS: .*99999.*\n {2}See `nightshift ps`/],
    ["an unknown job", () => ["cancel", "j99999"], 1, /^nightshift: NS_NO_SUCH_JOB: .*99999/],
    [
      "a link that was cut off",
      () => ["ps", "--coordinator", "nightshift://127.0.0.1:7433/#abc"],
      1,
      /^nightshift: NS_BAD_LINK: /,
    ],
    ["nobody at that address", () => ["ps", "--coordinator", "127.0.0.1:1"], 1, /^nightshift: NS_BAD_LINK: .*not joined/],
    ["an agent without a link", () => ["agent"], 2, /^nightshift: NS_USAGE: .*--join/],
    ["a pause of no time", () => ["agent", "pause", "--for", "ever"], 2, /^nightshift: NS_USAGE: 'ever' is not a duration/],
  ])("%s", async (_what, args, expected, message) => {
    const { status, stdout, stderr } = await nightshift(args());
    expect(stderr).toMatch(message);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: expected, stdout: "" });
  });

  it("no coordinator here", async () => {
    const { status, stderr } = await start(["ps"], undefined, join(scratch, "elsewhere")).ended;
    expect(status).toBe(1);
    expect(stderr).toMatch(/^nightshift: NS_UNREACHABLE: .*\n {2}Start one with `nightshift up`/);
  });

  it("a second coordinator over the same state", async () => {
    expect(await nightshift(["up", "--port", "0"])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^nightshift: NS_ALREADY_RUNNING: /),
    });
  });

  it("a port that is taken", async () => {
    const { port } = JSON.parse(readFileSync(join(env.NIGHTSHIFT_HOME, "coordinator", "endpoint.json"), "utf8")) as {
      port: number;
    };
    expect(await start(["up", "--port", String(port)], undefined, join(scratch, "other")).ended).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^nightshift: NS_PORT_TAKEN: /),
    });
  });
});

it("a detached job can be seen, moved, read and cancelled", async () => {
  const file = source(
    "chatty.c",
    '#include <stdio.h>\nint main(void) { puts("begun"); fflush(stdout); for (volatile unsigned long i = 0;; i++); }',
  );
  const { job, pid } = JSON.parse((await nightshift(["run", "-d", "--stay", "--json", file])).stdout.toString()) as {
    job: number;
    pid: number;
  };
  type Row = { pid: number; state: string; host: string; migrations: number };
  const row = async (): Promise<Row | undefined> =>
    ((await json("ps", "--job", `j${job}`)) as Row[]).find((process) => process.pid === pid);
  const before = await until(async () => {
    const found = await row();
    return found?.state === "running" ? found : undefined;
  });
  const hosts = (await json("hosts")) as { name: string; slots: number }[];
  const other = hosts.find(({ name }) => name !== before.host)?.name ?? "";
  expect(await json("migrate", String(pid), other)).toEqual({ pid, from: before.host, to: other });
  await until(async () => {
    const found = await row();
    return found?.host === other && found.state === "running" ? found : undefined;
  });
  await until(async () => (await nightshift(["logs", `j${job}`])).stdout.toString() === "begun\n" || undefined);
  expect((await nightshift(["ps"])).stdout.toString()).toMatch(new RegExp(`${pid} .*running +${other} .*chatty\\.c`));
  expect((await nightshift(["top", "--once"])).stdout.toString()).toMatch(new RegExp(`${other} .*1/\\d+ busy`));
  const following = start(["logs", "-f", String(pid)]);
  await following.says(/begun/);
  expect(await json("cancel", `j${job}`)).toEqual({ cancelled: 1 });
  expect(await following.ended).toMatchObject({ status: 0 });
  expect(((await json("ps", "--all", "--job", String(job))) as Row[])[0]?.state).toBe("cancelled");
});

it("compiles only, and runs what it compiled", async () => {
  const { status } = await nightshift([
    "cc",
    source("answer.c", "int main(void) { return ANSWER; }"),
    "-DANSWER=42",
    "-o",
    "answer.wasm",
  ]);
  expect(status).toBe(0);
  expect((await nightshift(["run", "answer.wasm"])).status).toBe(42);
});

it("pauses and resumes the agents of this computer", async () => {
  const paused = async (): Promise<(string | null)[]> =>
    ((await json("hosts")) as { paused: string | null }[]).map((host) => host.paused);
  expect((await nightshift(["agent", "pause", "--reason", "lunch"])).status).toBe(0);
  await until(async () => (await paused()).every((reason) => reason === "lunch") || undefined);
  expect((await nightshift(["agent", "resume"])).status).toBe(0);
  await until(async () => (await paused()).every((reason) => reason === null) || undefined);
  expect((await nightshift(["agent", "pause", "--for", "1h"])).stdout.toString()).toMatch(
    /: (Paused: until|已暂停：直到) .*; 0 running/,
  );
  expect((await nightshift(["agent", "resume"])).status).toBe(0);
});

it("changes settings of the agents of this computer, and says what is wrong with one", async () => {
  expect((await nightshift(["agent", "set", "mode=never"])).stdout.toString()).toMatch(/Paused: switched off|已暂停：已关闭/);
  const bad = await nightshift(["agent", "set", "mode=sometimes"]);
  expect(bad).toMatchObject({ status: 1, stderr: expect.stringMatching(/NS_BAD_POLICY: .*mode must be one of auto, idle/) });
  expect(await nightshift(["agent", "set", "mode"])).toMatchObject({ status: 2, stderr: expect.stringContaining("NS_USAGE") });
  expect((await nightshift(["agent", "set", "mode=auto"])).status).toBe(0);
});

it("a link for submitting lets another user in, for nothing more", async () => {
  const { link } = (await json("token", "create", "--scope", "submit", "--uses", "1")) as { link: string };
  const home = join(scratch, "colleague");
  const as = (...args: string[]): Promise<Ended> => start(args, undefined, home).ended;
  expect((await as("ps", "--coordinator", link)).status).toBe(0);
  // From now on the address suffices.
  const address = /\/\/([^/]+)/.exec(link)?.[1] ?? "";
  expect((await as("run", "--coordinator", address, "hello")).status).toBe(0);
  // What others submitted it sees, and leaves alone.
  const [pid, job] = [...(await nightshift(["run", "-d", "fibonacci", "45"])).stdout.toString().matchAll(/\d+/g)].map(String);
  for (const [command, ...more] of [
    ["cancel", pid],
    ["cancel", `j${job}`],
    ["retry", `j${job}`],
    ["migrate", pid, "amun"],
  ])
    expect(await as(command ?? "", "--coordinator", address, ...(more as string[]))).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/NS_FORBIDDEN.*somebody else's/),
    });
  expect((await nightshift(["cancel", `j${job}`])).status).toBe(0);
  expect(await as("token", "create", "--coordinator", address)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("NS_FORBIDDEN"),
  });
});

it("policy sets, previews, shows and undoes what hosts may do", async () => {
  const paused = async (): Promise<(string | null)[]> =>
    ((await json("hosts")) as { paused: string | null }[]).map((host) => host.paused);
  const file = source("policy.json", JSON.stringify({ version: 1, by: "IT", locked: { mode: "never" } }));
  const preview = await nightshift(["policy", "set", file, "--preview"]);
  expect(preview.stdout.toString()).toMatch(
    /^It would hold for 2 hosts and change 2 of them\.\n\S+: mode "auto" -> "never" \(locked\)\n/,
  );
  expect(await json("policy", "show")).toEqual([]);
  const set = await nightshift(["policy", "set", "-"], readFileSync(join(scratch, file)));
  expect(set.stdout.toString()).toBe("Version 1, for all: holds for 2 hosts\n");
  await until(async () => (await paused()).every((why) => why === "switched off (set by IT)") || undefined);
  expect((await nightshift(["policy", "show"])).stdout.toString()).toMatch(/^FOR .*\nall +1 .*mode="never"/);
  const shown = await nightshift(["policy", "show", "--for", "all"]);
  expect(JSON.parse(shown.stdout.toString())).toEqual({ version: 1, by: "IT", locked: { mode: "never" } });
  const undone = (await json("policy", "undo")) as { policy: { document: object }; hosts: number };
  expect(undone).toMatchObject({ hosts: 2, policy: { document: { version: 1 } } });
  await until(async () => (await paused()).every((why) => why === null) || undefined);
  const bad = await nightshift(["policy", "set", source("bad.json", '{"version":1,"locked":{"mode":1}}')]);
  expect([bad.status, bad.stderr]).toEqual([1, expect.stringMatching(/NS_BAD_POLICY: .*locked\.mode must be one of/)]);
});

it("overhead measures on two hosts, waits for the end, and keeps what it measured", async () => {
  const [first = "", second = ""] = ((await json("hosts")) as { name: string }[]).map(({ name }) => name);
  expect((await nightshift(["overhead", "list"])).stdout.toString()).toBe("There are no experiments yet.\n");
  const { status, stdout } = await nightshift(["overhead", "start", first, second, "--runs", "1", "--size", "20"]);
  expect(status).toBe(0);
  expect(stdout.toString()).toMatch(
    /^Experiment 1: done; 32 processes, fib\(20\)\nRUN .*\n1 +(\d+\.\d\d s +){3}-?\d+\.\d\d %\nmedian .*\nmean .*\npublished +436\.25 s +778\.75 s +285\.25 s +2\.01 % +native\n$/,
  );
  const shown = (await json("overhead", "show", "1")) as { figures: { runs: number } };
  expect(shown).toMatchObject({ state: "done", figures: { runs: 1 } });
  expect(await json("overhead", "list")).toEqual([shown]);
  const detached = (await json("overhead", "start", first, second, "--size", "46", "-d")) as { id: number };
  expect(detached).toMatchObject({ id: 2, state: "running" });
  expect((await nightshift(["overhead", "cancel", "2"])).stdout.toString()).toBe("Experiment 2 is cancelled\n");
  await until(async () => ((await json("overhead", "show", "2")) as { state: string }).state === "cancelled" || undefined);
  expect(await nightshift(["overhead", "start", first, first])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/NS_USAGE: .*two different hosts/),
  });
});

it("pending lists hosts that wait to be let in, and lets them in or turns them away", async () => {
  const { link } = (await json("token", "create", "--approval")) as { link: string };
  const agent = start(["agent", "--join", link, "--name", "library-3", "--json"]);
  await agent.says(/"event":"pending"/);
  const listed = (await nightshift(["pending", "list"])).stdout.toString();
  expect(listed).toMatch(/^ID +HOST .*\n[0-9a-f]{12} +library-3 .* connected /);
  expect((await nightshift(["agent", "status", "--name", "library-3"])).stdout.toString()).toMatch(
    /waits until an administrator lets it in/,
  );
  expect((await nightshift(["pending", "approve", "library-3"])).stdout.toString()).toBe("library-3 is let in\n");
  await agent.says(/"event":"connected"/);
  expect(await json("pending", "list")).toEqual([]);
  const says = async () => (await nightshift(["agent", "status", "--name", "library-3"])).stdout.toString();
  await until(async () => /^library-3: Ready to compute; 0 running, 0 ready/.test(await says()) || undefined);
  agent.child.kill("SIGINT");
  await agent.ended;
  expect(await nightshift(["pending", "refuse", "library-3"])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/NS_NO_SUCH_HOST/),
  });
  const admin = await nightshift(["token", "create", "--approval", "--scope", "submit"]);
  expect(admin).toMatchObject({ status: 2, stderr: expect.stringMatching(/NS_USAGE/) });
});

it("token lists the join links and makes one worthless, at once", async () => {
  const { id, link } = (await json("token", "create", "--uses", "3", "--approval")) as { id: string; link: string };
  const mine = async () => ((await json("token", "list")) as { id: string }[]).find((one) => one.id === id);
  expect(await mine()).toMatchObject({ scope: "host", uses: 3, approval: true, createdBy: expect.stringMatching(/^client /) });
  expect(JSON.stringify(await mine())).not.toContain("hash");
  const listed = (await nightshift(["token", "list"])).stdout.toString();
  expect(listed).toMatch(new RegExp(`^ID +FOR .*\\n(.*\\n)*${id} +host, with approval +3 `));
  expect((await nightshift(["token", "revoke", id])).stdout.toString()).toBe(`Nobody can join with ${id} any more.\n`);
  expect(await mine()).toBeUndefined();
  const late = start(["agent", "--join", link, "--name", "late", "--json"]);
  await late.says(/NS_BAD_TOKEN/);
  late.child.kill("SIGINT");
  await late.ended;
  expect(await nightshift(["token", "revoke", id])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/NS_NOT_FOUND: there is no join link/i),
  });
});

it("user and api-token say who may use the console and the HTTP API", async () => {
  expect((await nightshift(["user", "list"])).stdout.toString()).toMatch(/^There is no user yet\./);
  const invited = (await nightshift(["user", "invite", "--role", "administrator"])).stdout.toString().trim();
  const { origin, hash } = new URL(invited);
  const accept = (token: string, name: string) =>
    fetch(`${origin}/api/invitations/accept`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token, name, password: "correct horse battery" }),
    });
  expect((await accept(hash.slice(1), "ada")).status).toBe(200);
  expect((await nightshift(["user", "list"])).stdout.toString()).toMatch(/^NAME +ROLE .*\nada +administrator /);
  const last = { status: 2, stderr: expect.stringMatching(/NS_USAGE: ada is the only administrator/i) };
  expect(await nightshift(["user", "remove", "ada"])).toMatchObject(last);
  expect(await nightshift(["user", "role", "ada", "viewer"])).toMatchObject(last);
  expect(await nightshift(["user", "role", "ada", "king"])).toMatchObject({ status: 2 });
  expect(await nightshift(["console", "--user", "nobody"])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/NS_NOT_FOUND/),
  });

  const second = (await json("user", "invite", "grace", "--role", "submitter")) as { link: string };
  expect((await accept(new URL(second.link).hash.slice(1), "grace")).status).toBe(200);
  const made = await nightshift(["api-token", "create", "grace", "nightly", "--role", "submitter", "--days", "7"]);
  const authorization = `Bearer ${made.stdout.toString().trim()}`;
  const id = /^Token (\S+) of grace, submitter/.exec(made.stderr)?.[1] ?? "";
  const asked = async () => (await fetch(`${origin}/api/jobs`, { headers: { authorization } })).status;
  expect(await asked()).toBe(200);
  const [token] = (await json("api-token", "list")) as Record<string, unknown>[];
  expect(token).toMatchObject({ id, user: "grace", name: "nightly", role: "submitter" });
  expect(token).not.toHaveProperty("hash");
  expect((await nightshift(["api-token", "list"])).stdout.toString()).toMatch(new RegExp(`\\n${id} +grace +nightly +submitter `));
  expect(await nightshift(["api-token", "create", "grace", "more", "--role", "administrator"])).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/NS_FORBIDDEN: grace is a submitter, whose tokens cannot have the role administrator/i),
  });
  expect((await nightshift(["api-token", "revoke", id])).status).toBe(0);
  expect(await asked()).toBe(401);
  expect((await nightshift(["user", "role", "grace", "viewer"])).stdout.toString()).toBe("grace is viewer\n");
  expect((await nightshift(["user", "remove", "grace"])).stdout.toString()).toBe("grace has been removed.\n");
  expect(((await json("user", "list")) as { name: string }[]).map(({ name }) => name)).toEqual(["ada"]);
  const said = (await nightshift(["events", "--json"])).stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).what);
  expect(said).toEqual(
    expect.arrayContaining(["user-invited", "api-token-created", "api-token-removed", "user-changed", "user-removed"]),
  );
});

it("start runs the experiment on two hosts, checks every output and prints its figures", async () => {
  const home = join(scratch, "experiment");
  const { status, stdout, stderr } = await start(
    ["start", "--once", "--port", "0", "--runs", "1", "--size", "28", "--json"],
    undefined,
    home,
  ).ended;
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const figures = JSON.parse(stdout.toString()) as {
    tb: number;
    taPlainWasm: number;
    tiPlainWasm: number;
    overheadPlainWasm: number;
  };
  expect(figures).toMatchObject({
    runs: 1,
    processes: 32,
    n: 28,
    freezeMs: { median: expect.any(Number), max: expect.any(Number) },
  });
  const { tb, taPlainWasm, tiPlainWasm } = figures;
  expect(figures.overheadPlainWasm).toBeCloseTo(tb / taPlainWasm + tb / tiPlainWasm - 1);
});

const GROUPED = [
  ...["show", "set", "undo"].map((name) => ["policy", name]),
  ...["list", "approve", "refuse"].map((name) => ["pending", name]),
  ...["create", "list", "revoke"].flatMap((name) => [
    ["token", name],
    ["api-token", name],
  ]),
  ...["list", "invite", "role", "remove"].map((name) => ["user", name]),
];

it("every command has help with an example", async () => {
  const commands = [
    "start",
    "up",
    "agent",
    "run",
    "exec",
    "resume",
    "inspect",
    "ps",
    "hosts",
    "logs",
    "migrate",
    "cancel",
    "retry",
    "results",
    "top",
    "cc",
    "status",
    "bench",
  ];
  for (const command of [...commands.map((name) => [name]), ["agent", "pause"], ...GROUPED]) {
    const { status, stdout } = await nightshift([...command, "--help"]);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/Examples?:\n {2}\$ /);
    expect(stdout.toString()).toMatch(/--json/);
  }
});
