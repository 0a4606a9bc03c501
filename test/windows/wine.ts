// A Windows for tests: wine with a prefix of its own in a temporary folder. Commands run as batch files, many to a start, as a start is slow;
// what they left is every file on the disk and the whole registry. Owns the prefix and its server, and ends both.
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { findProgram, makeAgentProgram, WINE_NODE, windowsNode } from "@nightshift/installer/testing";

const TOOLS = {
  wine: "wine wine64",
  makensis: "nsis",
  wixl: "wixl",
  msibuild: "msitools",
  "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64",
  "7za": "p7zip-full",
  osslsigncode: "osslsigncode",
  openssl: "openssl",
};
/** Of a batch file: far more than any takes. */
const BATCH_MS = 120_000;
/** wine's own housekeeping, which says nothing of what was installed. */
const OWN_KEYS =
  /^HKLM\\(System\\CurrentControlSet\\(Control\\(Class|DeviceClasses|ServiceCurrent|Video)|Enum)|Software\\.*\\NetworkCards)(\\|$)/;
/** Keys of Windows Installer itself, without anything in them. */
export const WINDOWS_INSTALLER =
  /^\+ HKLM\\Software\\(Classes|Microsoft\\Windows\\CurrentVersion)\\Installer(\\(Features|Products|UpgradeCodes|UserData(\\S-1-5-18(\\(Components|Products))?)?))?$/;
const PASSING = [/^windows\/temp\//i, /^users\/[^/]+\/(AppData\/Local\/)?Temp\//i, /^batch\.bat$/];

/** Says what is left out for want of which tools, and whether it is; where CI is set nothing may be left out. */
export function withoutWindows(what: string): boolean {
  const missing = Object.entries(TOOLS).flatMap(([program, packages]) => (findProgram(program) ? [] : [packages]));
  if (missing.length === 0 && process.arch === "x64") return false;
  const why = `${what}: it needs wine and what builds installers (Debian on amd64: apt-get install ${missing.join(" ")})`;
  if (process.env.CI) throw new Error(why);
  console.warn(`SKIPPED ${why}`);
  return true;
}

export interface Snapshot {
  /** Path below C:\ with slashes -> hash of its bytes, "" for a folder. */
  files: Map<string, string>;
  /** HKLM\Key or HKCU\Key -> name -> value, texts as they are, others as regedit writes them; "@" is the key's own. */
  registry: Map<string, Map<string, string>>;
}

export class Wine {
  private readonly folder = mkdtempSync(join(tmpdir(), "ns-wine-"));
  readonly drive: string = join(this.folder, "prefix", "drive_c");
  private readonly env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: makeFolder(join(this.folder, "home")),
    WINEPREFIX: join(this.folder, "prefix"),
    WINEDEBUG: "-all",
    // No browser, no .NET, and nothing on the host's desktop.
    WINEDLLOVERRIDES: "mscoree,mshtml,winemenubuilder.exe=",
  };

  /** @param env what else its programs find */
  static async start(env: NodeJS.ProcessEnv = {}): Promise<Wine> {
    const wine = new Wine();
    Object.assign(wine.env, env);
    mkdirSync(join(wine.folder, "prefix"));
    // The server stays, so that the next start is quick.
    execFileSync("wineserver", ["-p"], { env: wine.env, stdio: "ignore" });
    // What sets it up may be said again: among others that start, winecfg has ended with 1 and without a word.
    for (const words of [
      ["wineboot", "-i"],
      ["winecfg", "-v", "win10"],
    ])
      await wine.wine(words, join(wine.folder, "output.txt"), {}, /^/);
    return wine;
  }

  /** A file for Windows. @returns its path there */
  put(name: string, content: string | Uint8Array): string {
    writeFileSync(join(this.drive, name), content);
    return `C:\\${name}`;
  }

  /** The headless agent as a single file, of the Node that runs there, and that Node; what is put into it is written by that Node itself. */
  async putAgent(): Promise<{ node: string; agent: string }> {
    const node = this.put("node.exe", readFileSync(windowsNode(WINE_NODE)));
    const work = join(this.drive, "agent");
    await makeAgentProgram({
      ...{ node: windowsNode(WINE_NODE), to: join(this.drive, "nightshift-agent.exe"), work },
      prepare: async (_, configuration) => {
        await this.run(["cd /d C:\\agent", `${node} --experimental-sea-config ${configuration}`]);
      },
    });
    rmSync(work, { recursive: true });
    return { node, agent: "C:\\nightshift-agent.exe" };
  }

  /** Runs lines of a batch file. @returns what they printed */
  async run(lines: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const batch = this.put("batch.bat", ["@echo off", ...lines, "exit /b 0", ""].join("\r\n"));
    const output = join(this.folder, "output.txt");
    await this.wine(["cmd", "/c", batch], output, env);
    return readFileSync(output, "utf8").replaceAll("\r\n", "\n");
  }

  /**
   * Until the program itself has ended: what it has started may hold its output much longer.
   * @param again what it says when the same may be tried again
   */
  private async wine(
    words: readonly string[],
    output: string,
    env: NodeJS.ProcessEnv = {},
    // Now and then wine cannot start a program at all, right after others have ended; then nothing has happened yet.
    again = /^Application could not be started/,
    tries = 3,
  ): Promise<void> {
    const handle = openSync(output, "w");
    const child = spawn("wine", words, { env: { ...this.env, ...env }, stdio: ["ignore", handle, "ignore"], timeout: BATCH_MS });
    try {
      const [code, signal] = await once(child, "exit");
      const said = readFileSync(output, "utf8");
      if (code !== 0 && tries > 1 && again.test(said)) return this.wine(words, output, env, again, tries - 1);
      if (code !== 0) throw new Error(`wine ${words.join(" ")} ended with ${code ?? signal}: ${said}`);
    } finally {
      closeSync(handle);
    }
  }

  /** Starts a program that stays; close() ends it at the latest. @param output a file of the host's that gets what it prints */
  startProgram(words: readonly string[], output: string): void {
    const handle = openSync(output, "w");
    spawn("wine", words, { env: this.env, stdio: ["ignore", handle, handle] }).once("error", () => undefined);
    closeSync(handle);
  }

  /** A script of the host's that is the program on Windows, its input and output too. Its process's id stands in a file beside it, with .pid. */
  script(program: string): string {
    const path = join(this.folder, `${basename(program.replaceAll("\\", "/"))}.sh`);
    const set = Object.entries(this.env).flatMap(([name, value]) => (value === undefined ? [] : [`export ${name}='${value}'`]));
    writeFileSync(path, ["#!/bin/sh", ...set, `echo $$ > '${path}.pid'`, `exec wine '${program}' "$@"`, ""].join("\n"), {
      mode: 0o755,
    });
    return path;
  }

  /** Runs each command. @returns their exit codes */
  async codes(commands: readonly string[]): Promise<number[]> {
    const text = await this.run(commands.flatMap((command) => [command, "echo code %ERRORLEVEL%"]));
    return [...text.matchAll(/^code (-?\d+)$/gm)].map((found) => Number(found[1]));
  }

  async snapshot(): Promise<Snapshot> {
    const exports = Object.keys(ROOTS).map((root) => [root, `C:\\windows\\temp\\${root}.reg`] as const);
    await this.run(exports.map(([root, path]) => `regedit /E ${path} ${root}`));
    const registry = new Map(
      exports.flatMap(([, path]) => parseReg(readFileSync(join(this.drive, path.slice(3).replaceAll("\\", "/"))))),
    );
    const files = new Map<string, string>();
    const walk = (folder: string): void => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);
        const name = relative(this.drive, path);
        if (entry.isSymbolicLink() || PASSING.some((passing) => passing.test(name))) continue;
        // What came with wine does not change under its name.
        const ofWine = name.startsWith("windows/") && !/nightshift/i.test(name);
        files.set(name, entry.isFile() ? (ofWine ? "wine" : sha256(readFileSync(path))) : "");
        if (entry.isDirectory()) walk(path);
      }
    };
    walk(this.drive);
    return { files, registry };
  }

  /** Ends everything that runs there. */
  close(): void {
    try {
      for (const what of ["-k", "-w"]) execFileSync("wineserver", [what], { env: this.env, stdio: "ignore" });
    } catch {
      // It has ended by itself.
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const ROOTS: Readonly<Record<string, string>> = { HKEY_LOCAL_MACHINE: "HKLM", HKEY_CURRENT_USER: "HKCU" };

/** What regedit exports: keys in brackets, values below, long ones over several lines. */
function parseReg(bytes: Uint8Array): [string, Map<string, string>][] {
  const text = Buffer.from(bytes).toString("utf16le").replaceAll("\r\n", "\n").replaceAll("\\\n  ", "");
  return text
    .split(/\n(?=\[)/)
    .slice(1)
    .flatMap((part): [string, Map<string, string>][] => {
      const [head = "", ...lines] = part.split("\n");
      const key = head.slice(1, -1).replace(/^\w+/, (root) => ROOTS[root] ?? root);
      if (OWN_KEYS.test(key)) return [];
      const values = lines.flatMap((line) => {
        const found = /^(?:@|"((?:[^"\\]|\\.)*)")=(.*)$/.exec(line);
        return found ? [[plain(found[1] ?? "@"), registryValue(found[2] ?? "")] as const] : [];
      });
      return [[key, new Map(values)]];
    });
}

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const plain = (text: string): string => text.replaceAll(/\\(.)/g, "$1");
const registryValue = (text: string): string => {
  const string = /^"(.*)"$/.exec(text);
  return string ? plain(string[1] ?? "") : text;
};

/** What is in one and not in the other, or differs: "+ file x", "- HKLM\Key name". */
export function differences(before: Snapshot, after: Snapshot): string[] {
  const flat = ({ files, registry }: Snapshot): Map<string, string> =>
    new Map([
      ...[...files].map(([path, hash]) => [`file ${path}`, hash] as const),
      ...[...registry].flatMap(([key, values]) => [
        [key, ""] as const,
        ...[...values].map(([name, value]) => [`${key} ${name}`, value] as const),
      ]),
    ]);
  const [was, is] = [flat(before), flat(after)];
  return [
    ...[...was].flatMap(([name, value]) => (is.has(name) ? (is.get(name) === value ? [] : [`! ${name}`]) : [`- ${name}`])),
    ...[...is.keys()].filter((name) => !was.has(name)).map((name) => `+ ${name}`),
  ];
}

function makeFolder(path: string): string {
  mkdirSync(path);
  return path;
}
