// exec and resume as people use them: the real command as a child process, without any coordinator.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { local, moduleOf, until } from "../cluster.ts";
import { large } from "../large.ts";
import { hoarding, unmovable } from "../unmovable.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAIN = join(ROOT, "coordinator/cli/main.ts");
const scratch = mkdtempSync(join(tmpdir(), "nightshift-exec-"));
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

function start(args: readonly string[], stdin?: Uint8Array | "open", cwd = scratch) {
  const env = { ...process.env, NIGHTSHIFT_HOME: join(cwd, "home") };
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd });
  children.add(child);
  const out: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (part: Buffer) => out.push(part));
  child.stderr.on("data", (part: Buffer) => {
    stderr += part.toString();
  });
  child.stdin.on("error", () => undefined);
  if (stdin !== "open") child.stdin.end(stdin ?? "");
  const ended = new Promise<{ status: number | null; stdout: Buffer; text: string; stderr: string }>((resolve) => {
    child.on("close", (status) => {
      children.delete(child);
      resolve({ status, stdout: Buffer.concat(out), text: Buffer.concat(out).toString(), stderr });
    });
  });
  const says = (pattern: RegExp): Promise<unknown> =>
    until(`it says ${pattern}`, () => pattern.test(Buffer.concat(out).toString()));
  return { child, ended, says };
}

const nightshift = (args: readonly string[], stdin?: Uint8Array) => start(args, stdin).ended;

function source(name: string, text: string): string {
  writeFileSync(join(scratch, name), text);
  return name;
}

/** Another computer, as far as files go: an empty folder with an empty home, and the checkpoint alone. */
function elsewhere(file: string): string {
  const folder = mkdtempSync(join(scratch, "elsewhere-"));
  copyFileSync(join(scratch, file), join(folder, file));
  return folder;
}

const COUNT = `#include <stdio.h>
int main(void) {
  for (int i = 0; i < 60; i++) { volatile unsigned long k = 0; while (k < 15000000) k++; printf("%d\\n", i); fflush(stdout); }
  return 3;
}`;
const COUNTED = Array.from({ length: 60 }, (_, i) => `${i}\n`).join("");

describe("exec", () => {
  it("passes arguments, environment, stdin, both outputs and the exit status", async () => {
    const file = source(
      "status.c",
      '#include <stdio.h>\n#include <stdlib.h>\nint main(int c, char **v) { char b[9]; fgets(b, 9, stdin); printf("%d %s %s %s", c, v[1], getenv("A"), b); fputs("oops", stderr); return 7; }',
    );
    const { status, text, stderr } = await nightshift(["exec", "--env", "A=b=c", file, "--json"], Buffer.from("in\n"));
    expect({ status, text, stderr }).toEqual({ status: 7, text: "2 --json b=c in\n", stderr: "oops" });
  });

  it("keeps every byte through a pipe, both ways, while processes move", async () => {
    const file = source(
      "copy.c",
      "#include <unistd.h>\nint main(void) { static char b[50000]; long n; while ((n = read(0, b, sizeof b)) > 0) for (long o = 0; o < n;) o += write(1, b + o, n - o); return 0; }",
    );
    const bytes = randomBytes(3_000_000);
    const { status, stdout } = await nightshift(["exec", "--migrate-every", "5", file], bytes);
    expect(status).toBe(0);
    expect(stdout.equals(bytes)).toBe(true);
  });

  it("a process that waits for input stays in its thread, whatever threads are idle", async () => {
    const file = source(
      "drain.c",
      "#include <unistd.h>\nint main(void) { static char b[50000]; while (read(0, b, sizeof b) > 0); return 0; }",
    );
    const { text } = await nightshift(["exec", "--json", file], randomBytes(3_000_000));
    expect(JSON.parse(text.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({ event: "ended", status: 0, moves: 0 });
  });

  it("streams: a line is answered before the next one comes", async () => {
    const file = source(
      "echo.c",
      '#include <stdio.h>\nint main(void) { char b[99]; while (fgets(b, 99, stdin)) { printf("got %s", b); fflush(stdout); } return 0; }',
    );
    const { child, ended, says } = start(["exec", file], "open");
    child.stdin.write("one\n");
    await says(/got one/);
    child.stdin.end("two\n");
    expect(await ended).toMatchObject({ status: 0, text: "got one\ngot two\n" });
  });

  it("runs 32 processes by fork() and moves them at random moments: the same output", async () => {
    const { out } = await local("fork-fibonacci", ["33", "5"]);
    const { status, text } = await nightshift(["exec", "--migrate-every", "30", "fork-fibonacci", "33", "5"]);
    expect({ status, text }).toEqual({ status: 0, text: out });
    const told = await nightshift(["exec", "--json", "--migrate-every", "30", "fork-fibonacci", "33", "5"]);
    const end = JSON.parse(told.text.trimEnd().split("\n").at(-1) ?? "");
    expect(end).toMatchObject({ event: "ended", status: 0, processes: 32 });
    expect(end.moves).toBeGreaterThan(5);
  });

  it("a process that is taken to an idle thread while its thread is left leaves it once", async () => {
    const file = source(
      "ring.c",
      `#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
enum { PROCESSES = 6, ROUNDS = 100 };
int main(void) {
  int pipes[PROCESSES][2], value = 0;
  for (int at = 0; at < PROCESSES; at++)
    if (pipe(pipes[at]) || (at % 2 == 0 && write(pipes[at][1], &value, sizeof value) < 0)) return 1;
  for (int at = 0; at < PROCESSES; at++)
    if (fork() == 0) {
      for (int round = 0; round < ROUNDS; round++) {
        if (read(pipes[at][0], &value, sizeof value) != sizeof value) _exit(1);
        for (volatile int turn = 0; turn < 200000 * (at % 3 + 1); turn++);
        value++;
        if (write(pipes[(at + 1) % PROCESSES][1], &value, sizeof value) < 0) _exit(1);
      }
      _exit(0);
    }
  while (wait(NULL) > 0);
  for (int at = 0; at < PROCESSES; at += 2) printf("%d\\n", read(pipes[at][0], &value, sizeof value) > 0 ? value : -1);
  return 0;
}`,
    );
    const ended = await nightshift(["exec", "--migrate-every", "5", file]);
    expect(ended).toMatchObject({ status: 0, text: "200\n200\n200\n", stderr: "" });
  });

  it("a process in a function that takes long to compile gets on however often it moves", async () => {
    writeFileSync(join(scratch, "large.wasm"), await large(15000));
    const plain = await nightshift(["exec", "large.wasm"]);
    // More often than its continuation can be compiled: stopped as soon as that has been done, it would never get on.
    const moved = await nightshift(["exec", "--json", "--timeout", "60s", "--migrate-every", "1", "large.wasm"]);
    expect(moved).toMatchObject({ stderr: "", status: plain.status });
    expect(JSON.parse(moved.text.trimEnd()).moves).toBeGreaterThan(0);
  });

  it("makes a module migratable once, keeps that, and makes it anew when it is damaged", async () => {
    const cwd = join(scratch, "kept");
    mkdirSync(cwd);
    writeFileSync(join(cwd, "plain.wasm"), await moduleOf("fibonacci"));
    const exec = () => start(["exec", "plain.wasm", "20"], undefined, cwd).ended;
    const first = await exec();
    const [name = "", ...others] = readdirSync(join(cwd, "home/cache"));
    expect(others).toEqual([]);
    const kept = join(cwd, "home/cache", name);
    const { ino } = statSync(kept); // another one when it is written anew
    expect((await exec()).text).toBe(first.text);
    expect(statSync(kept).ino).toBe(ino);

    truncateSync(kept, 1000);
    expect(await exec()).toMatchObject({ text: first.text, stderr: "", status: 0 });
    expect(statSync(kept).size).toBeGreaterThan(1000);
  });

  it("leaves 128 + signal after a trap", async () => {
    const trap = await nightshift(["exec", source("trap.c", "volatile int zero;\nint main(void) { return 100 / zero; }")]);
    expect(trap).toMatchObject({
      status: 136,
      stderr: expect.stringMatching(/^nightshift: NS_TRAP: .*divide by zero\n {2}at .*main/),
    });
  });

  it("leaves 128 + signal after too much time", async () => {
    const loop = source("loop.c", "int main(void) { for (volatile unsigned long i = 0;; i++); }");
    expect(await nightshift(["exec", "--timeout", "300ms", loop])).toMatchObject({
      status: 152,
      stderr: expect.stringContaining("NS_TIMEOUT"),
    });
  });

  it("leaves 128 + signal beyond its memory", async () => {
    const greedy = source(
      "greedy.c",
      "#include <stdlib.h>\nint main(void) { for (;;) { volatile char *p = malloc(1 << 20); if (!p) __builtin_trap(); *p = 1; } }",
    );
    expect(await nightshift(["exec", "--memory", "32MiB", greedy])).toMatchObject({
      status: 137,
      stderr: expect.stringContaining("NS_MEMORY_LIMIT"),
    });
  });

  it("leaves 128 + signal when it is told to end", async () => {
    const talker =
      '#include <stdio.h>\nint main(void) { puts("here"); fflush(stdout); for (volatile unsigned long i = 0;; i++); }';
    const running = start(["exec", source("talker.c", talker)]);
    await running.says(/here/);
    running.child.kill("SIGINT");
    expect((await running.ended).status).toBe(130);
  });

  it("ends quietly with SIGPIPE's status when the reader goes away", async () => {
    const running = start(["exec", source("flood.c", '#include <stdio.h>\nint main(void) { for (;;) puts("more"); }')]);
    await running.says(/more/);
    running.child.stdout?.destroy();
    expect(await running.ended).toMatchObject({ status: 141, stderr: "" });
  });

  it.skipIf(!existsSync("/dev/full"))("says that its output cannot be written, and ends", async () => {
    const flood = source("flood.c", '#include <stdio.h>\nint main(void) { for (;;) puts("more"); }');
    const args = ["-c", 'exec "$@" > /dev/full', "sh", process.execPath, MAIN, "exec", flood];
    const { status, stderr } = spawnSync("sh", args, { cwd: scratch, encoding: "utf8" });
    expect(stderr).toBe("nightshift: NS_BAD_FILE: Cannot write standard output: ENOSPC: no space left on device, write\n");
    expect(status).toBe(125);
  });

  it("brings back what the program wrote, at its place, and never through a link", async () => {
    const [data, out, outside] = ["data", "out", "outside"].map((name) => join(scratch, name));
    for (const folder of [data, out, outside]) mkdirSync(folder as string);
    writeFileSync(join(data as string, "in.txt"), "hello");
    symlinkSync(outside as string, join(out as string, "link"));
    const file = source(
      "files.c",
      `#include <stdio.h>
#include <sys/stat.h>
static void put(const char *path, const char *text) { FILE *f = fopen(path, "w"); if (f) { fputs(text, f); fclose(f); } }
int main(void) {
  char b[9]; fgets(b, 9, fopen("data/in.txt", "r"));
  mkdir("out", 0777); mkdir("out/deep", 0777); mkdir("out/link", 0777); mkdir("lost", 0777);
  put("out/deep/copy.txt", b); put("out/link/escaped", "x"); put("lost/file", "x");
  return 0;
}`,
    );
    const { status, stderr } = await nightshift(["exec", "--dir", "data::data", "--dir", "out::/out/", file]);
    expect(readFileSync(join(out as string, "deep", "copy.txt"), "utf8")).toBe("hello");
    expect(readdirSync(outside as string)).toEqual([]);
    expect(readdirSync(data as string)).toEqual(["in.txt"]);
    expect({ status, stderr }).toEqual({ status: 125, stderr: expect.stringMatching(/NS_BAD_FILE: .*link\/escaped/) });
    expect(existsSync(join(scratch, "lost"))).toBe(false);
  });
});

describe("checkpoint and resume", () => {
  it("SIGTSTP suspends to the file; resume goes on elsewhere, prints the rest and removes it", async () => {
    const file = source("count.c", COUNT);
    const running = start(["exec", "--checkpoint", "suspended.nscp", file]);
    await running.says(/^5\n/m);
    running.child.kill("SIGTSTP");
    const first = await running.ended;
    expect(first).toMatchObject({ status: 148, stderr: expect.stringMatching(/nightshift resume .*suspended\.nscp/) });
    const there = elsewhere("suspended.nscp");
    const second = await start(["resume", "suspended.nscp"], undefined, there).ended;
    expect(second).toMatchObject({ status: 3, stderr: "" });
    expect(second.text).not.toBe("");
    expect(first.text + second.text).toBe(COUNTED);
    expect(readdirSync(there)).toEqual([]);
  });

  it("after SIGKILL resume goes on from the last save", async () => {
    const running = start(["exec", "--checkpoint", "killed.nscp", "--every", "200ms", source("count.c", COUNT)]);
    await running.says(/^5\n/m);
    // The first save may be from before the first line.
    const seenAt = Date.now();
    const saved = () => statSync(join(scratch, "killed.nscp"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    await until("it was saved since", () => saved() > seenAt);
    running.child.kill("SIGKILL");
    const first = (await running.ended).text;
    const { status, text } = await start(["resume", "killed.nscp"], undefined, elsewhere("killed.nscp")).ended;
    expect(status).toBe(3);
    expect(COUNTED.endsWith(text)).toBe(true);
    // Some lines may come twice, none may be missing, and it did not begin anew.
    expect(first.length + text.length).toBeGreaterThanOrEqual(COUNTED.length);
    expect(text.length).toBeLessThan(COUNTED.length);
  });

  it("saves and resumes 32 processes and their pipe", async () => {
    const { out } = await local("fork-fibonacci", ["38", "5"]);
    const running = start(["exec", "--json", "--checkpoint", "forks.nscp", "--every", "500ms", "fork-fibonacci", "38", "5"]);
    await running.says(/"checkpoint"/);
    running.child.kill("SIGTERM");
    expect((await running.ended).status).toBe(143);
    const { status, text } = await start(["resume", "forks.nscp"], undefined, elsewhere("forks.nscp")).ended;
    expect({ status, text }).toEqual({ status: 0, text: out });
  });

  it("input that was read before is not lost, and what comes next follows it", async () => {
    const file = source(
      "lines.c",
      '#include <stdio.h>\nint main(void) { char b[99]; int n = 0; while (fgets(b, 99, stdin)) { printf("%d %s", ++n, b); fflush(stdout); } return n; }',
    );
    const running = start(["exec", "--checkpoint", "lines.nscp", file], "open");
    running.child.stdin.write("one\n");
    await running.says(/1 one/);
    running.child.kill("SIGTSTP");
    expect((await running.ended).status).toBe(148);
    const { status, text } = await start(["resume", "lines.nscp"], Buffer.from("two\nthree\n")).ended;
    expect({ status, text }).toEqual({ status: 3, text: "2 two\n3 three\n" });
  });

  it("a program that has ended leaves no checkpoint, and an existing one is never overwritten", async () => {
    expect((await nightshift(["exec", "--checkpoint", "gone.nscp", "--every", "10ms", "hello"])).status).toBe(0);
    expect(existsSync(join(scratch, "gone.nscp"))).toBe(false);
    writeFileSync(join(scratch, "mine.nscp"), "mine");
    expect(await nightshift(["exec", "--checkpoint", "mine.nscp", "hello"])).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("NS_BAD_FILE: mine.nscp exists already"),
    });
    expect(readFileSync(join(scratch, "mine.nscp"), "utf8")).toBe("mine");
  });
});

describe("inspect", () => {
  it("shows the processes of a checkpoint with their stacks, and an image's descriptors and waiting call", async () => {
    const file = source(
      "deep.c",
      `#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
__attribute__((noinline)) static void bottom(FILE *f) { fputs("x", f); fflush(f); puts("there"); fflush(stdout); char b; read(0, &b, 1); }
__attribute__((noinline)) static int deeper(FILE *f, int n) { if (n == 0) { bottom(f); return 1; } return deeper(f, n - 1) + 1; }
int main(void) { return open("/dev/null", O_RDWR) + open("/dev/fd", O_RDONLY) + deeper(fopen("notes.txt", "w"), 3); }`,
    );
    const running = start(["exec", "--checkpoint", "deep.nscp", file, "an argument"], "open");
    await running.says(/there/);
    running.child.kill("SIGTSTP");
    expect((await running.ended).status).toBe(148);
    const { status, text } = await nightshift(["inspect", "deep.nscp"]);
    expect(status).toBe(0);
    expect(text).toMatch(/^checkpoint of deep\.c, saved /);
    expect(text).toMatch(/ {2}stack +\S*read .*\n(.*\n)*? +deeper {2}call /);
    expect(text).toMatch(/waits in +wasi_snapshot_preview1\.fd_read\(0, /);
    expect(text).toMatch(/ device \/dev\/null\n.* directory \/dev\/fd\n.* file notes\.txt at 1\n/);
    const { checkpoint } = JSON.parse((await nightshift(["inspect", "--json", "deep.nscp"])).text);
    expect(checkpoint).toMatchObject({ name: "deep.c", args: ["deep.c", "an argument"], output: { stdout: 6, stderr: 0 } });
    expect(checkpoint.processes).toHaveLength(1);
    expect(checkpoint.processes[0].image.stack.at(-1)).toMatchObject({ function: "_start", kind: "call" });
  });

  it("shows what was done to a module, and why one cannot be moved", async () => {
    writeFileSync(join(scratch, "plain.wasm"), await moduleOf("fibonacci"));
    const { text } = await nightshift(["inspect", "plain.wasm"]);
    expect(text).toMatch(
      /^plain module, .*\nfunctions +\d+, \d+ can be left\nimports +wasi_.*\nsites .*\nmigratable .*\nmoves +yes\n$/,
    );
    const { program } = JSON.parse((await nightshift(["inspect", "--json", "plain.wasm"])).text);
    expect(program.migratable.codeBytes).toBeGreaterThan(program.codeBytes);
    // A module of nothing but its header.
    writeFileSync(join(scratch, "empty.wasm"), new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    expect((await nightshift(["inspect", "empty.wasm"])).text).toMatch(/moves +no: NS_BAD_MODULE: .*_start/);
  });

  it("refuses what is neither", async () => {
    expect(await nightshift(["inspect", source("text.txt", "no program at all")])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("NS_BAD_FILE: text.txt is no checkpoint"),
    });
    expect(await nightshift(["inspect", source("cut.nscp", "NSCP")])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/NS_BAD_CHECKPOINT: cut\.nscp: .*cut off/),
    });
  });
});

describe("wrong input is told with a code, what is wrong and what to do", () => {
  it.each([
    ["a file that is not there", ["exec", "absent.c"], /^nightshift: NS_SOURCE_NOT_FOUND: .*absent\.c/],
    ["a file that is no program", ["exec", "text.txt"], /^nightshift: NS_NOT_WASM: .*text\.txt/],
    ["a place out of the program's directory", ["exec", "--dir", ".::../up", "hello"], /^nightshift: NS_USAGE: --dir .*\.\.\/up/],
    ["two folders at one place", ["exec", "--dir", ".", "--dir", "home", "hello"], /^nightshift: NS_USAGE: two folders/],
    ["a folder that is not there", ["exec", "--dir", "nowhere", "hello"], /^nightshift: NS_BAD_FILE: .*nowhere/],
    ["a time that is none", ["exec", "--checkpoint", "x.nscp", "--every", "soon", "hello"], /^nightshift: NS_USAGE: 'soon'/],
    [
      "moves that are no number",
      ["exec", "--migrate-every", "often", "hello"],
      /^nightshift: NS_USAGE: --migrate-every .*'often'/,
    ],
    ["a checkpoint that is not there", ["resume", "absent.nscp"], /^nightshift: NS_BAD_FILE: .*absent\.nscp/],
    ["a file that is no checkpoint", ["resume", "text.txt"], /^nightshift: NS_BAD_CHECKPOINT: .*text\.txt.*NSCP/],
  ])("%s", async (_what, args, message) => {
    source("text.txt", "no program at all");
    const { status, text, stderr } = await nightshift(args);
    expect(stderr).toMatch(message);
    expect({ status, text }).toEqual({ status: 125, text: "" });
  });
});

describe("exec --pin", () => {
  const file = "unmovable.wasm";

  it("runs what cannot be moved, and nothing else may be asked of it", async () => {
    writeFileSync(join(scratch, file), unmovable(await moduleOf("read-and-compute.c")));
    const refused = await nightshift(["exec", file]);
    expect(refused).toMatchObject({
      status: 125,
      text: "",
      stderr: expect.stringMatching(/NS_NOT_MIGRATABLE.*externref.*--pin/s),
    });
    const input = Buffer.from("one\ntwo\n");
    const { out } = await local("read-and-compute.c", [], { stdin: input });
    expect(await nightshift(["exec", "--pin", file], input)).toMatchObject({ status: 0, text: out, stderr: "" });
    for (const more of [
      ["--checkpoint", "pinned.nscp"],
      ["--migrate-every", "50"],
    ]) {
      const asked = await nightshift(["exec", "--pin", ...more, file]);
      expect(asked).toMatchObject({ status: 125, text: "", stderr: expect.stringMatching(/neither saved nor moved/) });
    }
    // One that can be moved is, whatever is said.
    expect((await nightshift(["exec", "--pin", "--migrate-every", "50", "hello"])).status).toBe(0);
  });

  it("ends it when its processor time or its memory is over", async () => {
    const late = await nightshift(["exec", "--pin", "--timeout", "500ms", file, "1", "2000000"]);
    expect(late).toMatchObject({ status: 152, stderr: expect.stringMatching(/NS_TIMEOUT|0\.5 s of processor time/) });
    const large = await nightshift(["exec", "--pin", "--memory", "64KiB", file]);
    expect(large).toMatchObject({ status: 125, stderr: expect.stringMatching(/NS_MEMORY_LIMIT/) });
    writeFileSync(join(scratch, "hoarding.wasm"), hoarding());
    const hoards = await nightshift(["exec", "--pin", "--memory", "50MiB", "hoarding.wasm"]);
    expect(hoards).toMatchObject({ status: 125, stderr: expect.stringMatching(/NS_NOT_MIGRATABLE: .*garbage/) });
  });
});
