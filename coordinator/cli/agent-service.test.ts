import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createTask, deleteTask, systemdUnit, unitName, windowsTask, windowsWord } from "./agent-service.ts";

const AWKWARD = ['with "quotes"', "100 %h", "$HOME $$", "back\\slash\\", 'before\\"quote', "a'b;c|d&e<f>"];
const COMMAND = [process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", ...AWKWARD];

const noVerify = spawnSync("systemd-analyze", ["--version"], { stdio: "ignore" }).status !== 0;
if (noVerify) console.log("SKIPPED, whether systemd accepts the unit: systemd-analyze is missing (Debian: systemd)");

test.skipIf(noVerify && !process.env.CI)(
  "systemd accepts the unit, for a desktop and for a server, and complains of a wrong one",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "ns-unit-"));
    const verify = (text: string): string => {
      const file = join(folder, unitName("amun"));
      writeFileSync(file, text);
      const { status, stderr } = spawnSync("systemd-analyze", ["--user", "--man=no", "verify", file], {
        encoding: "utf8",
        env: { ...process.env, XDG_RUNTIME_DIR: folder },
      });
      return `${status} ${stderr
        .split("\n")
        .filter((line) => line.includes("nightshift-amun"))
        .join("\n")}`;
    };
    for (const desktop of [true, false]) expect(verify(systemdUnit({ name: "amun", command: COMMAND, desktop }))).toBe("0 ");
    const wrong = systemdUnit({ name: "amun", command: ["/nowhere/at all"], desktop: false });
    expect(verify(wrong)).toMatch(/not executable|No such file/);
  },
);

test("a word reaches the program through the unit as it was", () => {
  const unit = systemdUnit({ name: "amun", command: ["x", ...AWKWARD], desktop: true });
  const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? "";
  expect(line.replaceAll("%%", "").replaceAll("$$", "")).not.toMatch(/[%$]/);
  // The rules of systemd.syntax(7), backwards.
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = ""]) =>
    word.replaceAll(/\\(.)/g, "$1").replaceAll("%%", "%").replaceAll("$$", "$"),
  );
  expect(words).toEqual(["x", ...AWKWARD]);
  expect(unit).toContain("WantedBy=graphical-session.target");
});

/** CommandLineToArgvW. */
function split(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"\\]|\\+(?!\\*")|\\*"(?:[^"\\]|\\(?:\\\\)*"|\\\\|\\(?!\\*"))*")+/g)].map(([word]) =>
    word.replaceAll(/(\\*)("?)/g, (_, slashes: string, quote: string) =>
      quote === ""
        ? slashes
        : slashes.length % 2 === 1
          ? `${"\\".repeat((slashes.length - 1) / 2)}"`
          : "\\".repeat(slashes.length / 2),
    ),
  );
}

test("the Windows task runs the command at log-in, without a window and without rights, and its words are as they were", () => {
  const task = windowsTask(
    { name: "amun", command: ["C:\\Program Files\\node.exe", ...AWKWARD], desktop: true },
    "OFFICE\\ann&bob",
  );
  expect(task).toContain("<LogonTrigger><Enabled>true</Enabled><UserId>OFFICE\\ann&amp;bob</UserId></LogonTrigger>");
  expect(task).toContain("<RunLevel>LeastPrivilege</RunLevel>");
  expect(task).toContain("<Command>conhost.exe</Command>");
  const args = (/<Arguments>(.*)<\/Arguments>/.exec(task)?.[1] ?? "")
    .replaceAll("&quot;", '"')
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
  expect(split(args)).toEqual(["--headless", "C:\\Program Files\\node.exe", ...AWKWARD]);
  expect(windowsWord("plain")).toBe("plain");
  expect(createTask("amun", "C:\\t.xml")).toEqual(["/Create", "/TN", "\\Nightshift\\amun", "/XML", "C:\\t.xml", "/F"]);
  expect(deleteTask("amun")).toEqual(["/Delete", "/TN", "\\Nightshift\\amun", "/F"]);
});

test.skipIf(process.platform !== "linux")(
  "where systemd does not answer, nothing stays installed, and the reason is told",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "ns-home-"));
    const link = `nightshift://127.0.0.1:7433/#${"A".repeat(43)}.${"A".repeat(43)}`;
    const nightshift = (...args: string[]) =>
      spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), "agent", ...args], {
        encoding: "utf8",
        env: { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: folder, NIGHTSHIFT_HOME: folder },
      });
    const installed = nightshift("install", "--name", "amun", "--join", link);
    expect([installed.status, installed.stderr]).toEqual([1, expect.stringContaining("systemctl --user daemon-reload")]);
    expect(readdirSync(join(folder, ".config/systemd/user"))).toEqual([]);
    const uninstalled = nightshift("uninstall", "--name", "amun");
    expect(uninstalled.stderr).toContain("NS_NOT_FOUND");
  },
);

/** A systemctl that notes what it was told, and fails while there is a file `broken`. */
function withSystemctl() {
  const folder = mkdtempSync(join(tmpdir(), "ns-home-"));
  const path = (name: string): string => join(folder, name);
  const script = `#!/bin/sh\necho "$@" >>'${path("told")}'\nif [ -e '${path("broken")}' ]; then echo broken >&2; exit 1; fi\n`;
  mkdirSync(path("bin"));
  writeFileSync(path("bin/systemctl"), script, { mode: 0o755 });
  const nightshift = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), "agent", ...args], {
      encoding: "utf8",
      env: { PATH: `${path("bin")}:${process.env.PATH}`, HOME: folder, NIGHTSHIFT_HOME: path("home") },
    });
  const read = (name: string): string => readFileSync(path(name), "utf8");
  return { path, nightshift, read, unit: ".config/systemd/user/nightshift-amun.service", link: "home/agents/amun/link" };
}
const linkOf = (letter: string): string => `nightshift://127.0.0.1:7433/#${"A".repeat(43)}.${letter.repeat(42)}A`;

test.skipIf(process.platform !== "linux")(
  "installed again, the agent runs as it was told last; uninstalled, the link is gone",
  () => {
    const { path, nightshift, read, unit, link } = withSystemctl();
    const install = (letter: string, ...more: string[]) =>
      nightshift("install", "--name", "amun", "--join", linkOf(letter), ...more);
    expect(install("A")).toMatchObject({ status: 0, stderr: "" });
    expect(install("B", "--slots", "2")).toMatchObject({ status: 0, stderr: "" });
    expect(read("told").split("\n")).toContain("--user restart nightshift-amun.service");
    expect([read(link), read(unit)]).toEqual([`${linkOf("B")}\n`, expect.stringContaining('"--slots" "2"')]);
    expect(nightshift("status").stderr).toContain("systemctl --user status nightshift-amun.service");
    writeFileSync(path("broken"), "");
    expect(install("C", "--slots", "3")).toMatchObject({ status: 1 });
    expect([read(link), read(unit)]).toEqual([`${linkOf("B")}\n`, expect.stringContaining('"--slots" "2"')]);
    rmSync(path("broken"));
    expect(nightshift("uninstall", "--name", "amun")).toMatchObject({ status: 0 });
    expect([existsSync(path(link)), existsSync(path(unit))]).toEqual([false, false]);
  },
);

test.skipIf(process.platform !== "linux")(
  "what cannot be installed leaves no link behind, and what the agent would refuse is not installed",
  () => {
    const { path, nightshift, link } = withSystemctl();
    const wrong = nightshift("install", "--name", "amun", "--join", linkOf("A"), "--mode", "sometimes");
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining("--mode")]);
    writeFileSync(path("broken"), "");
    expect(nightshift("install", "--name", "amun", "--join", linkOf("A")).stderr).toMatch(/broken\n {2}.*log in/s);
    expect(existsSync(path(link))).toBe(false);
  },
);

test("an agent that crashes is started again; one that is refused is not", () => {
  const main = join(import.meta.dirname, "../../agent-app/headless/main.ts");
  const home = mkdtempSync(join(tmpdir(), "ns-home-"));
  const crash = "data:text/javascript,setTimeout(()=>{throw new Error('crash')},1500)";
  const args = ["--import", crash, main, "--join", linkOf("A").replace("7433", "1"), "--home", home, "--no-signals"];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
  expect(stderr).toContain("Error: crash");
  const unit = systemdUnit({ name: "amun", command: COMMAND, desktop: false });
  const stays = /^RestartPreventExitStatus=(.*)$/m.exec(unit)?.[1]?.split(" ") ?? [];
  expect(stays).toEqual(["1", "2"]);
  expect(stays).not.toContain(String(status));
});

test("an agent whose control file was half written when the power went does not keep others from being asked", () => {
  const folder = mkdtempSync(join(tmpdir(), "ns-home-"));
  mkdirSync(join(folder, "agents/amun"), { recursive: true });
  writeFileSync(join(folder, "agents/amun/control.json"), '{"pa');
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), "agent", "status"], {
    encoding: "utf8",
    env: { PATH: process.env.PATH, NIGHTSHIFT_HOME: folder },
  });
  expect([status, stderr]).toEqual([1, expect.stringContaining("No agent runs on this computer")]);
});

test("an agent whose folder cannot be made says so", () => {
  const file = join(mkdtempSync(join(tmpdir(), "ns-home-")), "file");
  writeFileSync(file, "");
  const link = `nightshift://127.0.0.1:7433/#${"A".repeat(43)}.${"A".repeat(43)}`;
  const main = join(import.meta.dirname, "../../agent-app/headless/main.ts");
  const run = spawnSync(process.execPath, [main, "--join", link, "--home", file], { encoding: "utf8" });
  expect([run.status, run.stderr]).toEqual([1, expect.stringContaining(`NS_HOME_UNUSABLE: ${file}`)]);
});

test("the agent takes its link from a file, so that it is on no command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "ns-link-"));
  writeFileSync(join(folder, "link"), "nightshift://nowhere/#broken\n");
  const main = join(import.meta.dirname, "../../agent-app/headless/main.ts");
  const run = spawnSync(process.execPath, [main, "--join-file", join(folder, "link"), "--home", folder], { encoding: "utf8" });
  expect([run.status, run.stderr]).toEqual([1, expect.stringContaining("NS_BAD_LINK")]);
});
