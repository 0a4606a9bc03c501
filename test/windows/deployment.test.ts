// docs/DEPLOYMENT.md taken at its word: the packages come from its own command, and every line for Windows in it is run as it stands there, by
// an administrator who has nothing else. Only the join link, the names of files of a stand-in, and what wine keeps for itself are put in its place.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildDesktop } from "@nightshift/agent-app/desktop/testing";
import { compileForWindows, makeStandIn, packageForWindows } from "@nightshift/installer/testing";
import { must } from "@nightshift/wasm-kernels/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster } from "../cluster.ts";
import { differences, type Snapshot, WINDOWS_INSTALLER, Wine, withoutWindows } from "./wine.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/DEPLOYMENT.md"), "utf8");
/** Lines of blocks, without what is said of them behind, and code within sentences and tables. */
const CODE = [
  ...[...PAGE.matchAll(/^```\w*\n(.*?)^```/gms)].flatMap(([, block = ""]) =>
    block.split("\n").map((line) => line.split(/ {3,}/)[0] ?? ""),
  ),
  ...[...PAGE.replaceAll(/^```.*?^```/gms, "").matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code),
];
const FOR_WINDOWS = /^(Nightshift-Setup-\S+ |msiexec |copy "|"?%TEMP%\\|"C:\\Program Files\\.*" |reg query |cmd \/c )/;
const INSTALLED = "C:\\Program Files\\Nightshift";
/** The uninstaller's copy goes when Windows starts the next time. */
const LATER = "HKLM\\System\\CurrentControlSet\\Control\\Session Manager";

const waiting = new Set(CODE.filter((line) => FOR_WINDOWS.test(line)));
/** The only line of the page's for Windows that is like this; it counts as run. */
function line(like: RegExp): string {
  const found = [...waiting].filter((one) => like.test(one));
  expect(found, String(like)).toHaveLength(1);
  waiting.delete(found[0] ?? "");
  return found[0] ?? "";
}

describe.skipIf(withoutWindows("docs/DEPLOYMENT.md's lines"))("docs/DEPLOYMENT.md", () => {
  const folder = mkdtempSync(join(tmpdir(), "ns-deployment-"));
  let wine: Wine;
  let cluster: Cluster;
  let link = "";
  let bare: Snapshot;

  /** The page's links stand for the real one. @returns exit codes, in the folder with the packages */
  const run = (...lines: string[]): Promise<number[]> =>
    wine
      .codes(
        ["cd /d C:\\packages", ...lines].map((one) =>
          // A batch file wants % twice before the name of a loop.
          one.replaceAll(/nightshift:\/\/[\w.:/#]+/g, link).replaceAll(" %i ", " %%i "),
        ),
      )
      .then((codes) => codes.slice(1));
  /** What Intune's detection rule looks for, as a command. */
  const detect = (): string => {
    const [, key = "", value = ""] = /^\| detection rule \| registry, `([^`]+)`, value `([^`]+)`/m.exec(PAGE) ?? [];
    return `reg query ${key} /v ${value} /reg:64`;
  };
  const expectNothing = async (): Promise<void> => {
    const left = differences(bare, await wine.snapshot()).filter((one) => !WINDOWS_INSTALLER.test(one));
    expect(left.filter((one) => one !== `+ ${LATER} PendingFileRenameOperations`)).toEqual([]);
    await wine.run([`reg delete "${LATER}" /v PendingFileRenameOperations /f`]);
  };
  const parameters = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await wine.snapshot()).registry.get("HKLM\\Software\\Nightshift") ?? []);
  const dist = (...more: string[]): string =>
    execFileSync(process.execPath, [join(ROOT, "installer/dist.ts"), ...more, "--output", join(folder, "0.1.0")], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });

  beforeAll(async () => {
    const starting = Wine.start();
    starting.catch(() => undefined); // told below
    const pack = async (): Promise<void> => {
      const stand = must(
        CODE.find((one) => /^npm run dist -- --win --stand-in$/.test(one)),
        "the command that builds with a stand-in",
      );
      expect(dist(...stand.split(" ").slice(4))).toMatch(/Unsigned: .*stand-in/s);
      // A newer version, which the command would only make of newer sources.
      const app = join(folder, "app");
      await buildDesktop(app);
      const description = join(app, "package.json");
      writeFileSync(description, JSON.stringify({ ...JSON.parse(readFileSync(description, "utf8")), version: "0.2.0" }));
      const electron = await makeStandIn(join(folder, "electron"));
      await packageForWindows({ app, electron, electronVersion: "45.4.1", output: join(folder, "0.2.0") });
    };
    await pack().finally(async () => {
      wine = await starting;
    });
    cluster = await Cluster.start();
    mkdirSync(join(wine.drive, "packages"));
    compileForWindows(join(import.meta.dirname, "transform"), join(wine.drive, "transform.exe"));
    for (const version of ["0.1.0", "0.2.0"])
      for (const name of readdirSync(join(folder, version)).filter((one) => /\.(exe|msi)$/.test(one)))
        writeFileSync(join(wine.drive, "packages", name.replace("-stand-in", "")), readFileSync(join(folder, version, name)));
    // What wine makes the first time it is needed.
    await run(
      "reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall /f",
      "Nightshift-Setup-0.1.0.exe /S /NOTHING",
    );
    await run("reg add HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Run /v Other /d other.exe /f");
    await run("msiexec /i Nightshift-0.1.0.msi /qn MODE=nothing");
    bare = await wine.snapshot();
  }, 600_000);
  afterAll(async () => {
    wine?.close();
    await cluster?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("it says what it takes, all that is on the page", () => {
    const help = dist("--help");
    const options = new Set(
      CODE.filter((one) => one.startsWith("npm run dist")).flatMap((one) => one.match(/--\w[\w-]*/g) ?? []),
    );
    expect(options.size).toBeGreaterThan(8);
    expect([...options].filter((option) => !help.includes(option))).toEqual([]);
  });

  test("a build for release wants Electron itself", () => {
    expect(CODE).toContain("npm run dist -- --win --release");
    expect(() => dist("--win", "--release", "--stand-in")).toThrow(/NS_CANNOT_PACKAGE: a release is built with Electron/);
  });

  test("the link for the rollout is made as it says", () => {
    const create = must(
      CODE.find((one) => one.startsWith("nightshift token create --scope")),
      "the command",
    );
    const main = join(ROOT, "coordinator/cli/main.ts");
    const env = { ...process.env, NIGHTSHIFT_HOME: cluster.home, NIGHTSHIFT_COORDINATOR: "" };
    const told = execFileSync(process.execPath, [main, ...create.split(" ").slice(1)], {
      encoding: "utf8",
      env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    link = /nightshifts?:\/\/\S+/.exec(told)?.[0] ?? "";
    expect(link).toMatch(/#[\w-]{43}\.[\w-]+$/);
  });

  test("Setup.exe's own lines", async () => {
    const setup = line(/^Nightshift-Setup-0\.1\.0\.exe \/S \/JOIN=.* \/D=/);
    const where = /\/D=(.*)$/.exec(setup)?.[1] ?? "";
    expect(await run(setup, line(/^reg query /))).toEqual([0, 0]);
    expect(await parameters()).toMatchObject({
      InstallLocation: where,
      Join: link,
      Pool: "floor-2",
      Mode: "screensaver",
      Tray: "0",
    });
    const there = (one: string): string => one.replaceAll(INSTALLED, where);
    const blanks = ['md "C:\\Jane Doe"', "set TEMP=C:\\Jane Doe"];
    expect(await run(...blanks, there(line(/^copy "/)), there(line(/^"?%TEMP%/)))).toEqual([0, 0, 0, 0]);
    rmSync(join(wine.drive, "Jane Doe"), { recursive: true });
    await expectNothing();

    const again = [":again", "ping -n 2 127.0.0.1 >nul", `if exist "${INSTALLED}" goto again`];
    await run("Nightshift-Setup-0.1.0.exe /S", line(/^"C:\\Program Files\\Nightshift\\Uninstall/), ...again);
    await expectNothing();
  });

  test("Intune's: what its detection rule sees is there when the one has ended, and gone when the other has", async () => {
    const install = line(/^Nightshift-Setup-0\.1\.0\.exe \/S \/ALLUSERS/);
    expect(await run(detect(), install, detect())).toEqual([1, 0, 0]);
    expect(await parameters()).toMatchObject({ Version: "0.1.0", Join: link, Pool: "floor-2" });
    const app = `start "" "${INSTALLED}\\Nightshift.exe" --hidden`;
    expect((await run(app, line(/^cmd \/c ""C:\\Program Files/), detect())).slice(1)).toEqual([0, 1]);
    await expectNothing();
  });

  test("the MSI's", async () => {
    expect(await run(line(/^msiexec \/i Nightshift-0\.1\.0\.msi/))).toEqual([0]);
    const told = { Join: link, Pool: "floor-2", Mode: "screensaver", Tray: "0" };
    expect(await parameters()).toMatchObject({ ...told, Version: "0.1.0" });
    expect(await run(line(/^msiexec \/i Nightshift-0\.2\.0\.msi \/qn$/))).toEqual([0]);
    expect(await parameters()).toMatchObject({ ...told, Version: "0.2.0" });
    rmSync(join(wine.drive, "Program Files/Nightshift/resources/app.asar"));
    expect(await run(line(/REINSTALLMODE/))).toEqual([0]);
    expect(existsSync(join(wine.drive, "Program Files/Nightshift/resources/app.asar"))).toBe(true);
    expect(await run(line(/^msiexec \/x/))).toEqual([0]);
    await expectNothing();

    // Configuration Manager's.
    expect(await run(line(/^msiexec \/i "/))).toEqual([0]);
    expect(await parameters()).toMatchObject({ Version: "0.1.0", Join: link, Pool: "floor-2" });
    expect(await run("msiexec /x Nightshift-0.1.0.msi /qn")).toEqual([0]);
    await expectNothing();
  });

  test("a transform gives the MSI's properties, as Group Policy has them; the next version keeps them; a wrong one installs nothing", async () => {
    const behind = must(
      CODE.find((one) => one.startsWith("TRANSFORMS=")),
      "how a transform is named",
    );
    const make = (...properties: string[]): string => `C:\\transform.exe rollout.mst ${properties.join(" ")}`;
    const install = `msiexec /i Nightshift-0.1.0.msi /qn ${behind}`;
    expect(await run(make("MODE", "sometimes"), install)).toEqual([0, 1603]);
    rmSync(join(wine.drive, "packages", "rollout.mst"));
    await expectNothing();
    expect(await run(make("JOIN", "nightshift://...", "POOL", "floor-2", "TRAY", "0"), install)).toEqual([0, 0]);
    expect(await parameters()).toMatchObject({ Version: "0.1.0", Join: link, Pool: "floor-2", Tray: "0" });
    expect(await run("msiexec /i Nightshift-0.2.0.msi /qn")).toEqual([0]);
    expect(await parameters()).toMatchObject({ Version: "0.2.0", Join: link, Pool: "floor-2", Tray: "0" });
    expect(await run("msiexec /x Nightshift-0.2.0.msi /qn")).toEqual([0]);
    rmSync(join(wine.drive, "packages", "rollout.mst"));
    await expectNothing();
  });

  test("no line is left that was not run", () => expect([...waiting]).toEqual([]));
});
