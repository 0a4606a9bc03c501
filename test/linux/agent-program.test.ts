// The headless agent as one file, built and run for real: alone in a folder, it joins a coordinator, computes, and gives a running process away.
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatLink } from "@nightshift/coordinator/protocol";
import { makeAgentProgram } from "@nightshift/installer/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Cluster, local, until } from "../cluster.ts";

const folder = mkdtempSync(join(tmpdir(), "ns-agent-program-"));
const program = join(folder, "alone", "nightshift-agent");
beforeAll(async () => {
  await makeAgentProgram({ node: process.execPath, to: program, work: join(folder, "work") });
  rmSync(join(folder, "work"), { recursive: true });
});
let agent: ChildProcess | undefined;
afterAll(() => {
  agent?.kill("SIGKILL"); // where a test has run out of time
  rmSync(folder, { recursive: true, force: true });
});
/** Nothing of this repository is found from there. */
const alone = { cwd: join(folder, "alone"), env: { PATH: process.env.PATH, HOME: join(folder, "home") } };

test("it says its version and what it takes; without a link it says what is missing", () => {
  const ask = (option: string): string => execFileSync(program, [option], { ...alone, encoding: "utf8" });
  expect(ask("--version")).toBe("0.1.0\n");
  expect(ask("--help")).toMatch(/^nightshift-agent 0\.1\.0: .*\n\n {2}--join LINK/);
  expect(() => execFileSync(program, [], { ...alone, stdio: "pipe" })).toThrow(/NS_USAGE: the agent needs --join LINK/);
});

test("wrong parameters and what keeps it from starting have their exit codes; a coordinator that is not there has none", async () => {
  const key = { coordinatorKey: new Uint8Array(32).fill(7), token: new Uint8Array(32).fill(9) };
  // Nobody answers at this port.
  const link = formatLink({ host: "127.0.0.1", port: 9, tls: false, ...key });
  const ends = (...words: string[]): number | null => spawnSync(program, words, { ...alone, stdio: "ignore" }).status;
  expect([
    ends("--jion", link),
    ends("--join", link, "--slots", "0"),
    ends("--join", link.slice(0, -30)),
    ends("--join", link, "--mode", "sometimes"),
  ]).toEqual([2, 2, 1, 1]);
  agent = spawn(program, ["--join", link, "--name", "alone", "--json"], { ...alone, stdio: ["ignore", "pipe", "ignore"] });
  let said = "";
  agent.stdout?.on("data", (bytes) => (said += String(bytes)));
  await until("it has tried more than once", () => said.split("No coordinator answers").length > 3);
  expect(agent.exitCode).toBe(null);
  agent.kill();
  await once(agent, "exit");
  rmSync(join(folder, "home"), { recursive: true });
});

test("it joins a coordinator, computes, takes a running process over and gives it away", async () => {
  await using cluster = await Cluster.start();
  agent = spawn(program, ["--join", cluster.hostLink, "--name", "alone", "--slots", "2", "--no-signals", "--json"], {
    ...alone,
    stdio: "ignore",
  });
  const ended = once(agent, "exit");
  try {
    const row = async () => (await cluster.client.request("hosts", {}))[0];
    await until("it has joined", async () => (await row())?.online);
    expect(await row()).toMatchObject({ name: "alone", version: "0.1.0", outOfDate: false });
    const { out } = await local("fork-fibonacci", ["20"]);
    expect(await cluster.run("fork-fibonacci", ["20"])).toMatchObject({ stdout: out, report: { kind: "exit", code: 0 } });
    await cluster.startAgent("other");
    const job = await cluster.submit("steady-lines.c", ["400", "1000"], { startOn: "other", stay: true });
    for (const to of ["alone", "other"]) {
      await until(`it runs elsewhere than on ${to}`, async () => {
        const [process] = await cluster.ps(job.job);
        return process?.state === "running" && process.host !== to;
      });
      await cluster.client.request("migrate", { pid: job.pid, host: to });
    }
    expect((await cluster.end(job)).stdout).toBe((await local("steady-lines.c", ["400", "1000"])).out);
  } finally {
    agent.kill();
    await ended;
  }
  expect(readdirSync(join(folder, "alone"))).toEqual(["nightshift-agent"]);
  expect(readdirSync(join(folder, "home", ".nightshift", "agents"))).toEqual(["alone"]);
});

/** The least that is a program of macOS and says that it can hold another one, as Node does. */
function emptyMachO(): Buffer {
  const u32 = (...values: number[]): Buffer => Buffer.from(new Uint32Array(values).buffer);
  const u64 = (...values: number[]): Buffer => Buffer.from(new BigUint64Array(values.map(BigInt)).buffer);
  const name = (text: string): Buffer => Buffer.alloc(16, text.padEnd(16, "\0"));
  const [header64, arm64, executable, segment64] = [0xfeedfacf, 0x0100000c, 2, 0x19];
  const [base, page] = [0x1_0000_0000, 0x4000];
  const section = [name("__text"), name("__TEXT"), u64(base + page, page), u32(page, 0, 0, 0, 0, 0, 0, 0)];
  const text = [name("__TEXT"), u64(base, 2 * page, 0, 2 * page), u32(5, 5, 1, 0), ...section];
  const linkEdit = [name("__LINKEDIT"), u64(base + 2 * page, page, 2 * page, page), u32(1, 1, 0, 0)];
  const commands = [text, linkEdit].map((command) => {
    const bytes = Buffer.concat(command);
    return Buffer.concat([u32(segment64, 8 + bytes.length), bytes]);
  });
  const file = Buffer.alloc(3 * page);
  Buffer.concat([u32(header64, arm64, 0, executable, 2, Buffer.concat(commands).length, 0, 0), ...commands]).copy(file);
  file.write("NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0", page, "latin1");
  return file;
}

test("for macOS it lies where Node looks for it there, and is signed anew, as nothing unsigned starts", async () => {
  const tools = join(folder, "mac");
  mkdirSync(tools);
  writeFileSync(join(tools, "node"), emptyMachO());
  const told = join(tools, "told.txt");
  // Says whether the program was inside already.
  const codesign = `#!/bin/sh\neval "last=\\$$#"\necho "$@" $(grep -c NODE_SEA_BLOB "$last") >> '${told}'\n`;
  writeFileSync(join(tools, "codesign"), codesign, { mode: 0o755 });
  const { PATH } = process.env;
  process.env.PATH = `${tools}:${PATH}`;
  const to = join(tools, "nightshift-agent");
  await makeAgentProgram({
    ...{ node: join(tools, "node"), to, work: join(tools, "work"), platform: "darwin" },
    prepare: (work) => writeFileSync(join(work, "agent.blob"), "the agent"),
  }).finally(() => (process.env.PATH = PATH));
  const made = readFileSync(to);
  // A segment's command: its kind, its length, its name; its first section has its own name and that of the segment.
  const segment = made.indexOf("NODE_SEA\0");
  expect([made.readUInt32LE(segment - 8), made.toString("latin1", segment + 64, segment + 79)]).toEqual([
    0x19,
    "__NODE_SEA_BLOB",
  ]);
  expect(made.includes("the agent")).toBe(true);
  expect(readFileSync(told, "utf8")).toBe(`--remove-signature ${to} 0\n--sign - ${to} 1\n`);
});
