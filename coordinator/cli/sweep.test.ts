// Sweeps and job files by the real command against a real coordinator and two real agents.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { readJobFile } from "../protocol/index.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "nightshift-sweep-"));
const env = { ...process.env, NIGHTSHIFT_HOME: join(scratch, "home"), NIGHTSHIFT_COORDINATOR: "" };

interface Ended {
  status: number;
  stdout: string;
  stderr: string;
}

const nightshift = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { env, cwd: scratch }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end();
  });
const json = async (...args: string[]): Promise<never> => JSON.parse((await nightshift(...args, "--json")).stdout) as never;
const file = (name: string, text: string): string => {
  writeFileSync(join(scratch, name), text);
  return name;
};
const read = (...names: string[]): string => readFileSync(join(scratch, ...names), "utf8");

/** Prints its arguments, writes a file, fails when it is told to and nobody has put a file in its way. */
const PROGRAM = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int c, char **v) {
  for (int at = 1; at < c; at++) printf(at > 1 ? " %s" : "%s", v[at]);
  printf("\\n");
  FILE *out = fopen("result.txt", "w");
  fprintf(out, "%s", v[1]);
  fclose(out);
  if (c > 2 && strcmp(v[2], v[1]) == 0) { fprintf(stderr, "not this one\\n"); return 3; }
  return 0;
}`;

/** Prints the first words of the files that it is told of, and how many there are at all. */
const CAT = `#include <stdio.h>
#include <dirent.h>
int main(int c, char **v) {
  char text[100];
  for (int at = 1; at < c; at++) {
    FILE *in = fopen(v[at], "r");
    printf("%s, ", in && fgets(text, 100, in) ? text : "nothing");
  }
  int files = 0;
  const char *folders[] = { ".", "scenes" };
  for (int at = 0; at < 2; at++) {
    DIR *dir = opendir(folders[at]);
    struct dirent *entry;
    while (dir && (entry = readdir(dir))) if (entry->d_type == DT_REG) files++;
  }
  printf("%d files\\n", files);
  return 0;
}`;

const up = spawn(process.execPath, [MAIN, "up", "--port", "0", "--agents", "2", "--json"], { env, cwd: scratch });
beforeAll(async () => {
  file("show.c", PROGRAM);
  await new Promise<void>((resolve) => up.stdout.on("data", (text) => String(text).includes("joinLink") && resolve()));
});
afterAll(async () => {
  const ended = new Promise((resolve) => up.once("close", resolve));
  up.kill("SIGINT");
  await ended;
  rmSync(scratch, { recursive: true, force: true });
});

describe("a sweep on the command line", () => {
  it("runs the program for every combination, and prints in the order of the parts", async () => {
    const { status, stdout, stderr } = await nightshift(
      "run",
      "--sweep",
      "n=1..6",
      "--sweep",
      "c=a,b",
      "show.c",
      "{n:02}{c}",
      "{{",
    );
    const lines = [1, 2, 3, 4, 5, 6].flatMap((n) => [`0${n}a {`, `0${n}b {`]);
    expect({ status, lines: stdout.trimEnd().split("\n") }).toEqual({ status: 0, lines });
    expect(stderr).toMatch(/12 files; `nightshift results j\d+ DIR` fetches them/);
  });

  it("gives each part a folder; one that fails stops no other, is told, and its status is the job's", async () => {
    const { status, stderr } = await nightshift("run", "--sweep", "n=1..10", "--out", "out", "show.c", "{n}", "4");
    expect(status).toBe(3);
    expect(stderr).toMatch(/part j\d+\.4: exit 3\n.*1 of 10 parts failed; `nightshift retry j\d+`/);
    expect(readdirSync(join(scratch, "out")).sort()).toEqual(
      Array.from({ length: 10 }, (_, at) => String(at + 1).padStart(2, "0")),
    );
    expect([read("out", "07", "stdout"), read("out", "07", "result.txt")]).toEqual(["7 4\n", "7"]);
    expect([read("out", "04", "stderr"), existsSync(join(scratch, "out", "04", "result.txt"))]).toEqual(["not this one\n", true]);
  });

  it("is known by its parts to ps, logs, cancel, retry and results", async () => {
    const started = await nightshift("run", "-d", "--sweep", "n=1..3", "show.c", "{n}", "2");
    const job = /Job (j\d+) started with 3 parts/.exec(started.stdout)?.[1] ?? "";
    expect((await nightshift("logs", "-f", job)).stdout).toBe("1 2\n2 2\n3 2\n");
    expect((await nightshift("logs", `${job}.2`)).stdout).toBe("2 2\n");
    const states = async () =>
      ((await json("ps", "--parts", job)) as { state: string; tries: number }[]).map(({ state, tries }) => [state, tries]);
    expect(await states()).toEqual([
      ["done", 1],
      ["failed", 1],
      ["done", 1],
    ]);
    expect((await nightshift("ps", "--parts", job)).stdout).toMatch(
      /j\d+\.2 .*failed: exit 3 .*\n2 of 3 parts succeeded, 1 failed, 0 to go/s,
    );
    expect((await nightshift("ps", "--all", "--job", job)).stdout).toMatch(new RegExp(`${job}\\.3 `));
    expect((await nightshift("retry", `${job}.1`)).stderr).toMatch(/NS_NOTHING_TO_RETRY: part 1 of job \d+ has succeeded/);
    expect((await nightshift("retry", job)).stdout).toMatch(/1 part of job j\d+ begins anew/);
    expect((await nightshift("logs", "-f", job)).stdout).toBe("1 2\n2 2\n3 2\n");
    expect(await states()).toEqual([
      ["done", 1],
      ["failed", 2],
      ["done", 1],
    ]);
    expect((await nightshift("cancel", `${job}.2`)).stderr).toMatch(/NS_NOT_RUNNING: part 2 of job \d+ has ended already/);
    expect((await nightshift("logs", `${job}.9`)).stderr).toMatch(/NS_NO_SUCH_PART: job \d+ has no part 9, only 1 to 3/);
    expect(await json("results", job, "fetched")).toMatchObject({ parts: 3, of: 3, folder: join(scratch, "fetched") });
    expect(read("fetched", "3", "stdout")).toBe("3 2\n");
  });
});

describe("a job file", () => {
  it("says everything: program, arguments, parameters, files; options count over it", async () => {
    mkdirSync(join(scratch, "work", "in"), { recursive: true });
    file(
      "work/cat.c",
      '#include <stdio.h>\n#include <stdlib.h>\nint main(int c, char **v) { char b[9]; fgets(b, 9, fopen(v[1], "r")); printf("%s%s%s\\n", b, v[2], getenv("MODE")); }',
    );
    file("work/in/a", "A");
    file("work/in/b", "B");
    const job = {
      ...{ program: "cat.c", name: "cats", args: ["{file}", "{n}"], env: { MODE: "-{n}" } },
      ...{ sets: [{ file: "a" }, { file: "b" }], parameters: { n: "1..2" }, files: "in", memoryMiB: 64, seed: 1 },
    };
    file("work/job.json", JSON.stringify(job));
    expect((await nightshift("run", "work/job.json")).stdout).toBe("A1-1\nA2-2\nB1-1\nB2-2\n");
    expect((await nightshift("run", "--sweep", "n=7", "-e", "MODE=x", "work/job.json")).stdout).toBe("A7x\nB7x\n");
  });

  it.each([
    ["a program that is not there", { program: "none.c" }, /NS_BAD_JOB: bad\.json: program: there is no file none\.c/],
    ["a field that is none", { program: "show.c", argz: [] }, /NS_BAD_JOB: bad\.json: .*argz/],
    ["a host that is none", { program: "show.c", hosts: ["nowhere"] }, /NS_NO_SUCH_HOST: there is no host "nowhere"/],
    ["a file that is not there", { program: "show.c", files: { a: "none" } }, /NS_BAD_FILE: Cannot read .*none/],
  ])("refused with what and where: %s", async (_, job, message) => {
    file("bad.json", JSON.stringify(job));
    const { status, stderr } = await nightshift("run", "bad.json");
    expect(stderr).toMatch(message);
    expect(status).toBe(125);
  });

  it("cannot be given arguments", async () => {
    file("good.json", '{ "program": "show.c" }');
    expect((await nightshift("run", "good.json", "x")).stderr).toMatch(/NS_USAGE: a job file has the program's arguments in it/);
  });
});

describe("a sweep over files", () => {
  beforeAll(() => {
    for (const name of ["a", "b", "c"]) {
      mkdirSync(join(scratch, "scenes"), { recursive: true });
      file(`scenes/${name}.txt`, `scene ${name}`);
    }
    file("scenes/.hidden.txt", "hidden");
    file("palette.txt", "palette");
    file("cat.c", CAT);
  });

  test("each part gets its file by the name it has, and all get the common one", async () => {
    const { stdout, stderr, status } = await nightshift(
      ...["run", "--sweep-files", "scene=scenes/*.txt", "--file", "p=palette.txt", "cat.c", "{scene}", "p"],
    );
    expect([stdout, stderr, status]).toEqual([["a", "b", "c"].map((one) => `scene ${one}, palette, 2 files\n`).join(""), "", 0]);
  });

  test("or by another name, as a job file says, from its folder", async () => {
    mkdirSync(join(scratch, "far"));
    const job = {
      ...{ program: "../cat.c", args: ["in.txt", "copy {n}"], parameters: { n: ["c", "a"] } },
      files: { "in.txt": "../scenes/{n}.txt", "copy {n}": "../palette.txt" },
    };
    expect((await nightshift("run", file("far/job.json", JSON.stringify(job)))).stdout).toBe(
      "scene c, palette, 2 files\nscene a, palette, 2 files\n",
    );
  });

  test("what is wrong is told before anything is submitted", async () => {
    const refused = async (...args: string[]) => {
      const { stderr, status } = await nightshift("run", ...args);
      return `${status} ${stderr}`;
    };
    expect(await refused("--sweep-files", "s=scenes/*.png", "cat.c", "{s}")).toMatch(/^125 .*NS_BAD_JOB.*no file matches/s);
    expect(await refused("--sweep", "n=a,x", "--file", "in.txt=scenes/{n}.txt", "cat.c", "in.txt")).toMatch(
      /^125 .*NS_BAD_FILE.*scenes.x\.txt/s,
    );
    expect(await refused("--sweep", "n=a,b", "--file", "in.txt=scenes/{m}.txt", "cat.c", "{n}")).toMatch(
      /NS_BAD_JOB.*no parameter m/s,
    );
    expect(await refused("--sweep-files", "s=../*/cat.c", "cat.c", "{s}")).toMatch(
      /NS_BAD_JOB.*is no name for a file in the part/s,
    );
    expect(await refused("--file", "in.txt", "cat.c")).toMatch(/NS_USAGE/);
  });
});

test("the examples of the manual are job files", () => {
  const manual = readFileSync(fileURLToPath(new URL("../../docs/JOBS.md", import.meta.url)), "utf8");
  const examples = [...manual.matchAll(/```json\n(.*?)```/gs)].map(([, text = ""]) => text);
  expect(examples).toHaveLength(2);
  for (const text of examples) expect(readJobFile(text, "the manual").sweep).toBeDefined();
});
