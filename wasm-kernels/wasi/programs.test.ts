// WASI preview1 by programs that call it directly: the same answers undisturbed, when moved to a fresh instance at every stop, and from
// another implementation of WASI on a real file system, save where that one is known to be different.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { instrument } from "../instrument/index.ts";
import { type LocalResult, type LocalRunOptions, Program, requestStop, runLocally } from "../process/index.ts";
import { compile } from "../toolchain/index.ts";
import { runPlain, sharedCacheDir } from "../toolchain/testing.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

async function built(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const source = fileURLToPath(new URL(`./programs/${name}.c`, import.meta.url));
  const { wasm } = await compile({ sources: [source], extraArgs: ["-Wall", "-Wextra", "-Werror"], cacheDir: sharedCacheDir });
  return new Uint8Array(wasm);
}

/** Stops at every line of output and every call that waits; when it moves, it goes through an image into a fresh instance there. */
function run(wasm: Uint8Array<ArrayBuffer>, moves: boolean, more: Partial<LocalRunOptions> = {}): LocalResult {
  const program = new Program("wasi", instrument(wasm).wasm);
  let control: SharedArrayBuffer | undefined;
  return runLocally({
    program,
    args: ["wasi"],
    now: () => 0,
    cpuNow: () => 0,
    beforeRun: (running) => {
      control = running;
    },
    onOutput: () => control && requestStop(control),
    moveAt: () => moves,
    ...more,
  });
}

/** Runs it here undisturbed and moved at every stop: every check must hold, the same way. */
function holds(wasm: Uint8Array<ArrayBuffer>): void {
  const undisturbed = run(wasm, false);
  const lines = text(undisturbed.stdout).trimEnd().split("\n");
  expect(lines.filter((line) => line.startsWith("WRONG"))).toEqual([]);
  expect(lines.length).toBeGreaterThan(40);
  expect(undisturbed.stop).toEqual({ kind: "exit", code: 0 });
  const moved = run(wasm, true);
  expect(moved.moves).toBeGreaterThanOrEqual(lines.length);
  expect(text(moved.stdout).split("\n")).toEqual(lines.concat(""));
}

/** Checks that do not hold under node:wasi, as the calls begin. */
const KNOWN: Record<string, string[]> = {
  // It works on the text of a path before it looks at what is there, keeps to the preopened directory and not to the one that is open,
  // follows a last link without being told to, and has readlink() fail where the specification has it cut off.
  paths: [
    'reaches(0, "dir/nested/file/."',
    'reaches(0, "dir/nested/../../../base/',
    'reaches(0, ""',
    'reaches(0, "missing/.."',
    'reaches(0, "dir/nested/file/.."',
    'reaches(0, "link"',
    'reaches(FOLLOW, "link", CREATE | EXCLUSIVE)',
    '__wasi_path_readlink(base, "link"',
    "used: 6",
    'link_to("", "link")',
    'link_to("../outside", "escape")',
    'reaches(FOLLOW, "escape',
    'unlinks("escape")',
    'rmdirs("dir/nested/',
  ],
  // A flag of the host's kernel shows.
  rights: ["root.fs_flags"],
  // It asks the host's event loop, which polls no plain file, lets stdin be written to, does not know sockets at all, and rings a little
  // early on a busy machine.
  streams: [
    "polls(output",
    "happened: ",
    "now_by(__WASI_CLOCKID_MONOTONIC) - before >= ",
    "events[",
    'writes(0, "x")',
    "__wasi_sock_shutdown(",
    "__wasi_fd_prestat_dir_name(ROOT, name, 0)",
  ],
};

test.each(Object.keys(KNOWN))("%s are as the specification says, wherever the process goes", async (name) => {
  const wasm = await built(name);
  holds(wasm);
  const elsewhere = (await runPlain(wasm)).stdout.split("\n").flatMap((line) => /^WRONG (.*)/.exec(line)?.[1] ?? []);
  expect(elsewhere.filter((line) => !KNOWN[name].some((known) => line.startsWith(known)))).toEqual([]);
});

// Not compared with node:wasi, whose listing of a directory that is being emptied does not come to an end.
test("contents are as the specification says, wherever the process goes", async () => holds(await built("contents")));

/** Runs it undisturbed and moved between any two lines: the same output and the same files. */
function samePosix(wasm: Uint8Array<ArrayBuffer>, files: LocalRunOptions["files"]): LocalResult {
  const more = { files, stdin: new TextEncoder().encode("stdin\n") };
  const undisturbed = run(wasm, false, more);
  expect(text(undisturbed.stdout).match(/^WRONG.*/gm)).toBeNull();
  expect(undisturbed.stop).toEqual({ kind: "exit", code: 0 });
  const moved = run(wasm, true, more);
  expect(moved.moves).toBeGreaterThan(40);
  expect(text(moved.stdout)).toBe(text(undisturbed.stdout));
  expect(moved.files).toEqual(undisturbed.files);
  return undisturbed;
}

test("the C library's files, pipes, polls and waits are as POSIX says, wherever the process goes", async () => {
  const files = new Map([["data/in.txt", new TextEncoder().encode("first\nsecond\n")]]);
  const ended = samePosix(await built("posix"), files);
  expect(text(ended.files.get("data/in.txt") ?? new Uint8Array(0))).toBe("first\nsecond\nlast\n");
  expect([...ended.files.keys()]).toEqual(["data/in.txt"]);
});

test("devices and /tmp are as on any Unix, wherever the process goes, and never among what it leaves", async () => {
  const ended = samePosix(await built("devices"), new Map());
  expect(text(ended.stdout).match(/^by .*/gm)).toEqual([0, 1, 2].flatMap((turn) => [`by /dev/stdout: ${turn}`, "by 1"]));
  expect(text(ended.stderr)).toBe("to stderr\n");
  expect(new Set(text(ended.stdout).match(/^[0-9a-f]{32}$/gm)).size).toBe(3);
  expect([...ended.files.keys()]).toEqual(["kept"]);
});
