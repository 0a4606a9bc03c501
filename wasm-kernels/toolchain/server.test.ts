// The compile server as commands meet it: started by whoever asks first, killed, spoken to in nonsense, abandoned.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { compileObject } from "./objects.ts";
import { socketIn, useCompileServer } from "./tools.ts";

const home = mkdtempSync(join(tmpdir(), "cc-"));
const folder = join(home, "compiler");
const socket = socketIn(folder);
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Those of this folder. */
const servers = (): number[] =>
  execFileSync("ps", ["-eo", "pid=,args="], { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.includes(socket))
    .map((line) => Number.parseInt(line, 10));

/** The one that runs. */
const server = (): number => {
  const [pid, ...more] = servers();
  if (pid === undefined || more.length > 0) throw new Error(`one server should run, not ${more.length + (pid ? 1 : 0)}`);
  return pid;
};

let count = 0;
/** Something that no cache has. */
function source(text = ""): string {
  const path = join(home, `source-${++count}.c`);
  writeFileSync(path, `int number(void) { return ${count}; }\n${text}`);
  return path;
}
const object = async (path: string): Promise<Buffer> => Buffer.from((await compileObject({ sources: [path] })).object);

describe.skipIf(process.platform === "win32")("the compile server", () => {
  test("it is started once, and what it makes is what this process makes itself", async () => {
    const path = source();
    const here = await object(path);
    expect(existsSync(socket)).toBe(false);
    useCompileServer(folder);
    const there = await Promise.all([object(path), object(path), object(source())]);
    expect(there[0]?.equals(here)).toBe(true);
    expect(there[1]?.equals(here)).toBe(true);
    expect(there[2]?.equals(here)).toBe(false);
    await expect.poll(servers).toHaveLength(1);
  });

  test("what does not compile is said as ever", async () => {
    await expect(object(source("int broken("))).rejects.toMatchObject({
      code: "NS_COMPILE_FAILED",
      details: { diagnostics: expect.stringMatching(/source-\d+\.c:2:12: error/) },
    });
  });

  test("nonsense harms nobody else", async () => {
    const speaker = createConnection(socket);
    const closed = new Promise((resolve) => speaker.once("close", resolve));
    speaker.on("error", () => undefined);
    speaker.write(Buffer.from([255, 255, 255, 255, 0]));
    await closed;
    const before = server();
    await object(source());
    expect(server()).toBe(before);
  });

  test("killed in the middle, the work is done nevertheless, and the next finds another", async () => {
    const before = server();
    const working = object(source("#include <stdio.h>\n"));
    await delay(50); // it has been asked by then, or is about to be
    process.kill(before, "SIGKILL");
    expect((await working).length).toBeGreaterThan(100);
    await object(source());
    expect(server()).not.toBe(before);
  });

  test("a folder that others may enter is not used", async () => {
    chmodSync(folder, 0o755);
    process.kill(server(), "SIGKILL");
    await object(source());
    await expect.poll(servers).toEqual([]);
    chmodSync(folder, 0o700);
  });

  test("it ends when its socket has gone", async () => {
    await object(source());
    await expect.poll(servers).toHaveLength(1);
    rmSync(socket);
    await expect.poll(servers, { timeout: 30_000 }).toEqual([]);
  });
});
