// Setup.exe and the MSI, built for real, installed under wine, changed, and removed; what counts is what is then on the disk and in the
// registry. A stand-in takes Electron's place.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildDesktop } from "@nightshift/agent-app/desktop/testing";
import { formatLink } from "@nightshift/coordinator/protocol";
import {
  compileForWindows,
  findProgram,
  isSigned,
  KEY_RIGHTS,
  makeStandIn,
  packageForWindows,
  productCode,
  REGISTRY,
  sign,
  type WindowsPackages,
} from "@nightshift/installer/testing";
import { must } from "@nightshift/wasm-kernels/errors";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cluster, local, Received, until } from "../cluster.ts";
import { differences, type Snapshot, WINDOWS_INSTALLER, Wine, withoutWindows } from "./wine.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const link = (host: string): string =>
  formatLink({ host, port: 7433, tls: false, coordinatorKey: new Uint8Array(32).fill(7), token: new Uint8Array(32).fill(9) });
const LINK = link("moon.example");
const OLD = "0.1.0";
const NEW = "0.2.0";
const PRODUCT = "Software\\Nightshift";
const RUN = "Software\\Microsoft\\Windows\\CurrentVersion\\Run";
const ENTRY = "Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Nightshift";
const PROGRAM_FILES = "C:\\Program Files\\Nightshift";

const POLICY = "Software\\Policies\\Nightshift";
/** As group policy would write them. */
const POLICIES = [
  "Windows Registry Editor Version 5.00",
  ...[`[HKEY_LOCAL_MACHINE\\${POLICY}]`, '"By"="信息部"', '"coresPercent"=dword:0000003c'],
  ...[`[HKEY_LOCAL_MACHINE\\${POLICY}\\hours]`, '"1"="mon-sun 00:00-24:00"'],
  ...[`[HKEY_CURRENT_USER\\${POLICY}]`, '"coresPercent"=dword:00000028', '"onMeteredNetwork"=dword:00000001'],
  ...[`[HKEY_CURRENT_USER\\${POLICY}\\Defaults]`, '"graceSeconds"=dword:00000007'],
].join("\r\n\r\n");

/** A path of Windows as one of a snapshot. */
const inSnapshot = (path: string): string => path.replace(/^C:\\/, "").replaceAll("\\", "/");
const firstLine = (text: string): string => text.split("\n")[0] ?? "";
const values = ({ registry }: Snapshot, key: string): Record<string, string> => Object.fromEntries(registry.get(key) ?? []);

/** @returns a program that signs the file it gets, as docs/DEPLOYMENT.md has it; its certificate is in signer.pem */
function makeSigner(folder: string): string {
  const [key, certificate, both, password] = ["signer.key", "signer.pem", "signer.p12", "signer.txt"].map((name) =>
    join(folder, name),
  );
  const openssl = (...words: (string | undefined)[]): void =>
    void execFileSync("openssl", words as string[], { stdio: ["ignore", "ignore", "pipe"] });
  writeFileSync(password ?? "", "pass word");
  const purpose = ["-addext", "extendedKeyUsage=codeSigning", "-subj", "/CN=Nightshift test"];
  openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate, ...purpose);
  openssl("pkcs12", "-export", "-inkey", key, "-in", certificate, "-out", both, "-passout", `file:${password}`);
  const program = join(folder, "sign.sh");
  const command = `osslsigncode sign -pkcs12 '${both}' -readpass '${password}' -h sha256 -n Nightshift -in "$1" -out "$1.signed"`;
  writeFileSync(program, `#!/bin/sh\nset -e\n${command}\nmv "$1.signed" "$1"\n`, { mode: 0o755 });
  return program;
}

describe.skipIf(withoutWindows("Setup.exe and the MSI"))("on Windows", () => {
  const folder = mkdtempSync(join(tmpdir(), "ns-installers-"));
  let wine: Wine;
  /** As it is without Nightshift, before and after every test. */
  let bare: Snapshot;
  /** Files of each version, as they were packed. */
  const packed = new Map<string, string>();
  const at = { setup: new Map<string, string>(), msi: new Map<string, string>(), portable: new Map<string, string>() };
  const setup = (version: string, more = ""): string => `${at.setup.get(version)} /S ${more}`;
  const msi = (version: string, how: string, more = ""): string => `msiexec ${how} ${at.msi.get(version)} /qn ${more}`;
  /** The app as it runs, and what it was started with. */
  const running = (where: string): string => `start "" "${where}\\Nightshift.exe" --hidden`;
  const uninstall = (where: string, more = ""): string[] => [
    `copy /y "${where}\\Uninstall Nightshift.exe" C:\\windows\\temp\\u.exe`,
    `C:\\windows\\temp\\u.exe /S ${more} _?=${where}`,
  ];
  const left = async (): Promise<string[]> =>
    differences(bare, await wine.snapshot()).filter((line) => !WINDOWS_INSTALLER.test(line));

  /** All files of a version are there with the right bytes, and no others but these. */
  function expectFiles({ files }: Snapshot, version: string, where: string, others: readonly string[]): void {
    const from = packed.get(version) ?? "";
    const there = [...files.keys()].filter((name) => name.startsWith(`${inSnapshot(where)}/`));
    const names = readdirSync(from, { recursive: true, encoding: "utf8" });
    expect(there.map((name) => name.slice(inSnapshot(where).length + 1)).sort()).toEqual([...names, ...others].sort());
    for (const name of ["Nightshift.exe", "Nightshift.scr", "resources/app.asar"])
      expect(readFileSync(join(wine.drive, inSnapshot(where), name)).equals(readFileSync(join(from, name))), name).toBe(true);
  }

  /** Every value of the table is there as it should be. */
  function expectRegistry(snapshot: Snapshot, root: string, where: string, version: string, by: string): void {
    for (const { key, name, value } of REGISTRY) {
      const wanted = value
        .replaceAll("[FOLDER]\\", `${where}\\`)
        .replaceAll("[FOLDER]", by === "msi" ? `${where}\\` : where)
        .replaceAll("[VERSION]", version)
        .replaceAll("[BY]", by);
      expect(values(snapshot, `${root}\\${key}`)[name === "" ? "@" : name], `${key} ${name}`).toBe(wanted);
    }
  }

  beforeAll(async () => {
    const pack = async (): Promise<WindowsPackages[]> => {
      const electron = await makeStandIn(join(folder, "electron"));
      const app = join(folder, "app");
      await buildDesktop(app);
      const description = join(app, "package.json");
      const made: WindowsPackages[] = [];
      for (const version of [OLD, NEW]) {
        writeFileSync(description, JSON.stringify({ ...JSON.parse(readFileSync(description, "utf8")), version }));
        const output = join(folder, version);
        // One as most build it, one signed, with a certificate of the test's own.
        const signing = version === NEW ? { signWith: makeSigner(folder) } : {};
        made.push(await packageForWindows({ app, electron, electronVersion: "45.4.1", output, ...signing }));
        packed.set(version, join(output, "work", "win-unpacked"));
      }
      return made;
    };
    const starting = Wine.start();
    starting.catch(() => undefined); // told below
    // Whatever happens it is known by then, so that it is ended.
    const made = await pack().finally(async () => {
      wine = await starting;
    });
    for (const [index, version] of [OLD, NEW].entries()) {
      at.setup.set(version, wine.put(`setup-${version}.exe`, readFileSync(made[index]?.setup ?? "")));
      at.portable.set(version, made[index]?.portable ?? "");
      at.msi.set(version, wine.put(`nightshift-${version}.msi`, readFileSync(made[index]?.msi ?? "")));
    }
    compileForWindows(join(import.meta.dirname, "probe"), join(wine.drive, "probe.exe"));
    mkdirSync(join(wine.drive, "notes"));
    // What every Windows has, and what wine makes the first time it is needed.
    const usual = ["Software\\Classes", "Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall"];
    const others = `reg add HKLM\\${RUN} /v Other /d other.exe /f`;
    await wine.run([
      ...usual.map((key) => `reg add HKCU\\${key} /f`),
      others,
      setup(OLD, "/NOTHING"),
      msi(OLD, "/i", "MODE=nothing"),
    ]);
    bare = await wine.snapshot();
  }, 600_000);
  afterAll(() => {
    wine?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("the packages are for 64-bit Windows and say that they hold no Electron", () => {
    const bytes = readFileSync(join(folder, OLD, `Nightshift-Setup-${OLD}-stand-in.exe`));
    expect(bytes.readUInt16LE(bytes.readUInt32LE(0x3c) + 4)).toBe(0x8664);
    expect(readFileSync(join(packed.get(OLD) ?? "", "Nightshift.exe"), "latin1")).toContain("not Nightshift but a stand-in");
    expect(existsSync(join(folder, OLD, `Nightshift-${OLD}-stand-in.msi`))).toBe(true);
    expect(readdirSync(join(folder, OLD, "policy"))).toEqual(["Nightshift.admx", "en-US", "zh-CN"]);
  });

  test("signed, every program that Windows runs has a signature that holds; unsigned, none has one", async () => {
    const programs = (version: string): string[] => [
      ...[`Nightshift-Setup-${version}-stand-in.exe`, `Nightshift-${version}-stand-in.msi`],
      ...["Nightshift.exe", "Nightshift.scr", "resources/leave.exe", "resources/owner.exe", "resources/purge.exe"].map(
        (name) => `work/win-unpacked/${name}`,
      ),
    ];
    for (const program of programs(NEW)) {
      const verified = execFileSync("osslsigncode", [
        "verify",
        "-CAfile",
        join(folder, "signer.pem"),
        "-in",
        join(folder, NEW, program),
      ]);
      expect(String(verified), program).toMatch(/Succeeded/);
    }
    for (const program of programs(OLD)) expect(await isSigned(join(folder, OLD, program)), program).toBe(false);
    const changed = join(folder, "changed.exe");
    writeFileSync(changed, readFileSync(join(folder, NEW, programs(NEW)[0] ?? "")).fill(1, 5000, 5001));
    expect(await isSigned(changed)).toBe(true);
    expect(() =>
      execFileSync("osslsigncode", ["verify", "-CAfile", join(folder, "signer.pem"), "-in", changed], { stdio: "pipe" }),
    ).toThrow();
    // One that only says that it has signed.
    await expect(sign("true", join(folder, OLD, programs(OLD)[0] ?? ""))).rejects.toMatchObject({ code: "NS_CANNOT_PACKAGE" });
  });

  test("the portable zip holds the same files, runs where it was unpacked, leaves when asked to, and leaves nothing elsewhere", async () => {
    const where = "C:\\stick 1\\Nightshift";
    const folder = join(wine.drive, inSnapshot(where));
    execFileSync(must(findProgram("7za"), "7za"), ["x", `-o${folder}`, at.portable.get(OLD) ?? ""], { stdio: "ignore" });
    expectFiles(await wine.snapshot(), OLD, where, []);
    const leave = `"${where}\\resources\\leave.exe" "${where}" 30`;
    const told = await wine.run([running(where), "ping -n 2 127.0.0.1 >nul", leave, "echo leaves %ERRORLEVEL%"], {
      STAND_IN_NOTES: "C:\\notes",
    });
    expect(told).toContain("leaves 0\n");
    const notebook = join(wine.drive, "notes");
    const notes = readdirSync(notebook).map((name) => readFileSync(join(notebook, name), "utf8").trim());
    for (const name of readdirSync(notebook)) rmSync(join(notebook, name));
    expect(notes).toEqual(["--hidden"]);
    rmSync(join(wine.drive, "stick 1"), { recursive: true });
    expect(await left()).toEqual([]);
  });

  test("wrong parameters have their exit code and install nothing", async () => {
    const occupied = "C:\\windows";
    const wrong = [
      '/JOIN="http://moon.example/#a.b"',
      `/JOIN="${LINK.slice(0, -25)}"`,
      `/JOIN="${LINK} x"`,
      '/POOL="second floor!"',
      "/POOL=_floor",
      `/POOL=${"x".repeat(33)}`,
      "/POOL=$(calc)",
      "/MODE=sometimes",
      "/POLL=floor-2",
      "/WAIT=-1",
      "/WAIT=9999",
      "NOTRAY",
      // What NSIS itself would pass over, installing where nobody asked for.
      "/D=relative",
      '/D="C:\\Program Files\\Night shift"',
      "/D=Q:\\nowhere",
      `${"/WAIT=5 ".repeat(130)}/POLL=floor-2`,
      `/D=${occupied}`,
    ];
    expect(await wine.codes(wrong.map((parameter) => setup(OLD, parameter)))).toEqual(wrong.map(() => 10));
    const wrongProperties = [
      ...["MODE=sometimes", "TRAY=2", `JOIN="${LINK.replace("#", "!")}"`, "JOIN=http://moon.example/#a.b"],
      ...[`JOIN="${LINK.slice(0, -25)}"`, `JOIN="${LINK} x"`, 'POOL="second floor!"', "POOL=-floor", `POOL=${"x".repeat(33)}`],
    ];
    expect(await wine.codes(wrongProperties.map((property) => msi(OLD, "/i", property)))).toEqual(
      wrongProperties.map(() => 1603),
    );
    expect(await left()).toEqual([]);
  });

  test("an installation that fails takes everything back", async () => {
    // The last thing of all cannot be written, as something else has its name.
    const shortcut = "ProgramData/Microsoft/Windows/Start Menu/Programs/Nightshift.lnk";
    mkdirSync(join(wine.drive, shortcut, "x"), { recursive: true });
    const [code] = await wine.codes([setup(OLD, `/JOIN="${LINK}"`)]);
    rmSync(join(wine.drive, shortcut), { recursive: true });
    expect([code, await left()]).toEqual([14, []]);
    // Nor does it leave the folders above its own.
    mkdirSync(join(wine.drive, shortcut, "x"), { recursive: true });
    expect(await wine.codes([setup(OLD, "/D=C:\\made\\for\\Night shift")])).toEqual([14]);
    rmSync(join(wine.drive, shortcut), { recursive: true });
    expect(await left()).toEqual([]);
  });

  test("somebody else's folder is not touched, whatever its name; one that an installation has left behind is made good", async () => {
    for (const name of ["tool", "tool.new", "tool.old", "downloads"]) {
      mkdirSync(join(wine.drive, name));
      writeFileSync(join(wine.drive, name, "mine.txt"), "mine");
    }
    writeFileSync(join(wine.drive, "downloads", "Nightshift.exe"), "");
    const before = await wine.snapshot();
    expect(await wine.codes([setup(OLD, "/D=C:\\tool"), setup(OLD, "/D=C:\\downloads")])).toEqual([10, 10]);
    expect(differences(before, await wine.snapshot())).toEqual([]);
    rmSync(join(wine.drive, "tool"), { recursive: true });
    expect(await wine.codes([setup(OLD, "/D=C:\\tool"), setup(OLD), ...uninstall("C:\\tool")])).toEqual([0, 0, 0, 0]);
    for (const name of ["tool.new", "tool.old", "downloads"]) {
      expect(readFileSync(join(wine.drive, name, "mine.txt"), "utf8")).toBe("mine");
      rmSync(join(wine.drive, name), { recursive: true });
    }
    expect(await left()).toEqual([]);

    // Without its registry; without its program, as virus scanners leave it; ended between two steps.
    const folder = join(wine.drive, inSnapshot(PROGRAM_FILES));
    expect(await wine.codes([setup(OLD), `reg delete HKLM\\${PRODUCT} /f /reg:64`, setup(OLD)])).toEqual([0, 0, 0]);
    rmSync(join(folder, "Nightshift.exe"));
    expect(await wine.codes([setup(OLD)])).toEqual([0]);
    expectFiles(await wine.snapshot(), OLD, PROGRAM_FILES, ["Uninstall Nightshift.exe"]);
    renameSync(folder, `${folder}.nightshift-old`);
    mkdirSync(`${folder}.nightshift-new`);
    expect(await wine.codes([setup(NEW)])).toEqual([0]);
    expectFiles(await wine.snapshot(), NEW, PROGRAM_FILES, ["Uninstall Nightshift.exe"]);
    expect(readdirSync(join(folder, "..")).filter((name) => /nightshift/i.test(name))).toEqual(["Nightshift"]);
    expect(await wine.codes(uninstall(PROGRAM_FILES))).toEqual([0, 0]);
    expect(await left()).toEqual([]);
  });

  test("folders above its own go with it, if it made them; written in small letters silence is silence", async () => {
    const where = "C:\\made\\for\\Night shift";
    const elsewhere = "C:\\made\\again\\Nightshift";
    const installed = await wine.codes([setup(OLD, `/D=${where}`).replace("/S", "/s"), setup(OLD, `/D=${elsewhere}`)]);
    expect([installed, readdirSync(join(wine.drive, "made"))]).toEqual([[0, 0], ["again"]]);
    const [copy = "", run = ""] = uninstall(elsewhere);
    expect(await wine.codes([copy, run.replace("/S", "/s")])).toEqual([0, 0]);
    expect(await left()).toEqual([]);
  });

  test("beside what all users have nobody gets one of his own", async () => {
    const beside = [setup(OLD, "/ALLUSERS"), setup(NEW, "/CURRENTUSER"), ...uninstall(PROGRAM_FILES)];
    expect(await wine.codes(beside)).toEqual([0, 17, 0, 0]);
    expect(await wine.codes([msi(OLD, "/i"), setup(NEW, "/CURRENTUSER"), msi(OLD, "/x")])).toEqual([0, 17, 0]);
    expect(await left()).toEqual([]);
  });

  test("for all users: installed silently with parameters, upgraded while it runs, repaired, removed with nothing left", async () => {
    const where = "C:\\Program Files\\Night shift";
    const given = `/JOIN="${LINK}" /POOL="floor 2" /MODE=screensaver /NOTRAY /D=${where}`;
    // Who may read the join link.
    expect(await wine.run([setup(OLD, given), "echo code %ERRORLEVEL%", "C:\\probe.exe Software\\Nightshift"])).toBe(
      `code 0\n${KEY_RIGHTS}\n`,
    );
    const installed = await wine.snapshot();
    expectFiles(installed, OLD, where, ["Uninstall Nightshift.exe"]);
    expectRegistry(installed, "HKLM", where, OLD, "setup");
    expect(values(installed, `HKLM\\${RUN}`).Nightshift).toBe(`"${where}\\Nightshift.exe" --hidden`);
    const parameters = { Join: LINK, Pool: "floor 2", Mode: "screensaver", Tray: "0" };
    expect(values(installed, `HKLM\\${PRODUCT}`)).toMatchObject(parameters);
    expect(values(installed, `HKLM\\${ENTRY}`)).toMatchObject({
      DisplayName: "Nightshift",
      DisplayVersion: OLD,
      QuietUninstallString: `"${where}\\Uninstall Nightshift.exe" /S`,
    });
    const screensaver = join(wine.drive, "windows/system32/Nightshift.scr");
    expect(readFileSync(screensaver).equals(readFileSync(join(packed.get(OLD) ?? "", "Nightshift.scr")))).toBe(true);
    expect(installed.files.has("ProgramData/Microsoft/Windows/Start Menu/Programs/Nightshift.lnk")).toBe(true);

    // One that will not leave keeps everything as it is; one that leaves is replaced.
    const notes = { STAND_IN_NOTES: "C:\\notes" };
    const told = await wine.run(
      [
        "C:\\windows\\system32\\Nightshift.scr /c",
        "C:\\windows\\system32\\Nightshift.scr",
        "start /b C:\\windows\\system32\\Nightshift.scr /s",
        "set STAND_IN_STAYS=1",
        running(where),
        `${setup(NEW, "/WAIT=1")}`,
        "echo stays %ERRORLEVEL%",
        `reg query HKLM\\${PRODUCT} /v Version /reg:64`,
        "taskkill /f /im Nightshift.exe",
        "taskkill /f /im Nightshift.scr",
        "set STAND_IN_STAYS=",
        running(where),
        setup(NEW),
        "echo leaves %ERRORLEVEL%",
      ],
      notes,
    );
    expect(told).toMatch(/stays 12\n/);
    expect(told).toMatch(/Version +REG_SZ +0\.1\.0/);
    expect(told).toMatch(/leaves 0\n/);
    const notebook = join(wine.drive, "notes");
    const written = readdirSync(notebook).map((name) => readFileSync(join(notebook, name), "utf8").trim());
    expect(written.flatMap((text) => text.split(/\s*\n/)).toSorted()).toEqual(["--hidden", "--hidden", "/c", "/c", "/s"]);
    for (const name of readdirSync(notebook)) rmSync(join(notebook, name));
    const upgraded = await wine.snapshot();
    expectFiles(upgraded, NEW, where, ["Uninstall Nightshift.exe"]);
    const uninstaller = join(wine.drive, inSnapshot(where), "Uninstall Nightshift.exe");
    const trusted = ["-CAfile", join(folder, "signer.pem")];
    expect(String(execFileSync("osslsigncode", ["verify", ...trusted, "-in", uninstaller]))).toMatch(/Succeeded/);
    expectRegistry(upgraded, "HKLM", where, NEW, "setup");
    expect(values(upgraded, `HKLM\\${PRODUCT}`)).toMatchObject(parameters);

    // An older one, the other kind of package and a wrong one change nothing.
    expect(await wine.codes([setup(OLD), msi(NEW, "/i"), `"${where}\\Uninstall Nightshift.exe" /S /PURE _?=${where}`])).toEqual([
      11, 1603, 10,
    ]);
    expect(differences(upgraded, await wine.snapshot())).toEqual([]);

    // Run again it mends what is broken; what is given anew is changed, what is given empty is gone.
    rmSync(join(wine.drive, inSnapshot(where), "resources/app.asar"));
    rmSync(screensaver);
    writeFileSync(join(wine.drive, inSnapshot(where), "resources/leave.exe"), "damaged");
    const mending = [`reg delete HKLM\\${RUN} /v Nightshift /f`, setup(NEW, "/MODE=Locked /POOL= /TRAY")];
    expect(await wine.codes(mending)).toEqual([0, 0]);
    const mended = await wine.snapshot();
    expectFiles(mended, NEW, where, ["Uninstall Nightshift.exe"]);
    expectRegistry(mended, "HKLM", where, NEW, "setup");
    expect(values(mended, `HKLM\\${PRODUCT}`)).toMatchObject({ Join: LINK, Mode: "locked", Tray: "1" });
    expect(values(mended, `HKLM\\${PRODUCT}`).Pool).toBeUndefined();

    // Removed: the app's own data only if that is asked for, and never what is somebody else's.
    const user = join(wine.drive, "users/root");
    for (const data of [".nightshift/agents/amun", ".nightshift/coordinator", "AppData/Roaming/Nightshift/Cache"]) {
      mkdirSync(join(user, data), { recursive: true });
      writeFileSync(join(user, data, "key"), "k");
    }
    const [, , , stays, gone] = await wine.codes([
      `reg add "HKCU\\Control Panel\\Desktop" /v SCRNSAVE.EXE /d C:\\windows\\system32\\Nightshift.scr /f`,
      running(where),
      ...uninstall(where).slice(0, 1),
      `C:\\windows\\temp\\u.exe /S _?=C:\\Program Files`,
      ...uninstall(where, "/PURGE").slice(1),
    ]);
    expect([stays, gone]).toEqual([10, 0]);
    expect(await left()).toEqual([
      "+ file users/root/.nightshift",
      "+ file users/root/.nightshift/coordinator",
      "+ file users/root/.nightshift/coordinator/key",
    ]);
    rmSync(join(user, ".nightshift"), { recursive: true });
  });

  test("what a user has linked to elsewhere is not purged: who uninstalls may remove more than that user", async () => {
    const victim = join(wine.drive, "victim");
    mkdirSync(join(victim, "agents"), { recursive: true });
    writeFileSync(join(victim, "agents", "key"), "k");
    const link = join(wine.drive, "users/root/.nightshift");
    symlinkSync(victim, link);
    expect(await wine.codes([setup(OLD, "/ALLUSERS"), ...uninstall(PROGRAM_FILES, "/PURGE")])).toEqual([0, 0, 14]);
    expect(readFileSync(join(victim, "agents", "key"), "utf8")).toBe("k");
    for (const path of [link, victim]) rmSync(path, { recursive: true });
    expect(await left()).toEqual([]);
  });

  test("while one Setup runs another one is told to come again, and changes nothing", async () => {
    const slow = [setup(OLD), "set STAND_IN_STAYS=1", running(PROGRAM_FILES), `start "" ${setup(NEW, "/WAIT=6")}`];
    const told = await wine.run([
      ...slow,
      "ping -n 4 127.0.0.1 >nul",
      setup(NEW),
      "echo second %ERRORLEVEL%",
      `reg query HKLM\\${PRODUCT} /v Version /reg:64`,
      "taskkill /f /im Nightshift.exe",
    ]);
    expect(told).toMatch(/second 1618\n[\s\S]*0\.1\.0/);
    const again = ["if not %ERRORLEVEL%==1618 goto over", "ping -n 2 127.0.0.1 >nul", "goto again", ":over"];
    await wine.run([":again", ...uninstall(PROGRAM_FILES), ...again]);
    expect(await left()).toEqual([]);
  });

  test("for one user: nothing of it is anybody else's; removed by the entry's own command", async () => {
    const where = "C:\\users\\root\\AppData\\Local\\Programs\\Nightshift";
    expect(await wine.codes([setup(OLD, `/CURRENTUSER /JOIN="${LINK}"`)])).toEqual([0]);
    const installed = await wine.snapshot();
    expectFiles(installed, OLD, where, ["Uninstall Nightshift.exe"]);
    expectRegistry(installed, "HKCU", where, OLD, "setup");
    const others = differences(bare, installed).filter((line) => /HKLM|system32|Program Files|ProgramData/.test(line));
    expect(others.filter((line) => !WINDOWS_INSTALLER.test(line))).toEqual([]);
    const command = values(installed, `HKCU\\${ENTRY}`).QuietUninstallString ?? "";
    const waiting = [":again", "ping -n 2 127.0.0.1 >nul", `if exist "${where}" goto again`];
    // As the app updates itself while it runs, and as it goes back; it runs again after both.
    const version = `reg query HKCU\\${PRODUCT} /v Version`;
    const told = await wine.run(
      [
        running(where),
        setup(NEW, "/CURRENTUSER /RUN"),
        version,
        setup(OLD, "/CURRENTUSER /RUN"),
        "echo older %ERRORLEVEL%",
        setup(OLD, "/CURRENTUSER /DOWNGRADE /RUN"),
        version,
        `"${where}\\resources\\leave.exe" "${where}" 30`,
        setup(NEW),
        command,
        ...waiting,
      ],
      { STAND_IN_NOTES: "C:\\notes" },
    );
    expect(told).toMatch(/0\.2\.0[\s\S]*older 11\n[\s\S]*0\.1\.0/);
    const notebook = join(wine.drive, "notes");
    const notes = readdirSync(notebook).map((name) => readFileSync(join(notebook, name), "utf8").trim());
    for (const name of readdirSync(notebook)) rmSync(join(notebook, name));
    expect(notes).toEqual(["--hidden", "--hidden", "--hidden"]);
    // The uninstaller's copy in the temporary folder goes later.
    const later = "HKLM\\System\\CurrentControlSet\\Control\\Session Manager";
    expect((await left()).filter((line) => line !== `+ ${later} PendingFileRenameOperations`)).toEqual([]);
    await wine.run([`reg delete "${later}" /v PendingFileRenameOperations /f`]);
  });

  test("the MSI: installed with properties, upgraded while it runs, repaired, not downgraded, removed with nothing left", async () => {
    const properties = `JOIN="${LINK}" POOL="floor 2" MODE=screensaver TRAY=0`;
    expect(await wine.codes([msi(OLD, "/i", properties)])).toEqual([0]);
    const installed = await wine.snapshot();
    expectFiles(installed, OLD, PROGRAM_FILES, []);
    expectRegistry(installed, "HKLM", PROGRAM_FILES, OLD, "msi");
    const parameters = { Join: LINK, Pool: "floor 2", Mode: "screensaver", Tray: "0" };
    expect(values(installed, `HKLM\\${PRODUCT}`)).toMatchObject(parameters);
    const names = [...installed.files.keys()];
    expect(names).toContain("windows/system32/Nightshift.scr");
    // Everybody's on Windows; wine takes the user's own.
    expect(names.filter((name) => name.endsWith("/Start Menu/Programs/Nightshift.lnk"))).toHaveLength(1);
    expect(installed.registry.has(`HKLM\\${ENTRY.replace(/Nightshift$/, productCode(OLD))}`)).toBe(true);

    const other = link("sun.example");
    expect(await wine.codes([running(PROGRAM_FILES), msi(NEW, "/i", `JOIN="${other}"`)])).toEqual([0, 0]);
    const upgraded = await wine.snapshot();
    expectFiles(upgraded, NEW, PROGRAM_FILES, []);
    expectRegistry(upgraded, "HKLM", PROGRAM_FILES, NEW, "msi");
    expect(values(upgraded, `HKLM\\${PRODUCT}`)).toMatchObject({ ...parameters, Join: other });
    expect(upgraded.registry.has(`HKLM\\${ENTRY.replace(/Nightshift$/, productCode(OLD))}`)).toBe(false);

    expect(await wine.codes([msi(OLD, "/i"), setup(NEW)])).toEqual([1603, 17]);
    expect(differences(upgraded, await wine.snapshot())).toEqual([]);

    rmSync(join(wine.drive, inSnapshot(PROGRAM_FILES), "resources/app.asar"));
    const mending = [`reg delete HKLM\\${RUN} /v Nightshift /f`, msi(NEW, "/i", "REINSTALL=ALL REINSTALLMODE=amus MODE=idle")];
    expect(await wine.codes(mending)).toEqual([0, 0]);
    const mended = await wine.snapshot();
    expectFiles(mended, NEW, PROGRAM_FILES, []);
    expectRegistry(mended, "HKLM", PROGRAM_FILES, NEW, "msi");
    expect(values(mended, `HKLM\\${PRODUCT}`)).toMatchObject({ Join: other, Mode: "idle", Tray: "0" });

    expect(await wine.codes([running(PROGRAM_FILES), `msiexec /x ${productCode(NEW)} /qn`])).toEqual([0, 0]);
    expect(await left()).toEqual([]);
  });

  test("the agent on Windows joins as Setup was told, computes, takes over and gives away a running process, and pauses", async () => {
    const { node, agent } = await wine.putAgent(); // first: this thread hears nothing of a cluster meanwhile
    await using cluster = await Cluster.start();
    for (const name of ["installed.ts", "registry.ts"]) wine.put(name, readFileSync(join(ROOT, "agent-app/headless", name)));
    // Two say something of the same setting: the machine's policy counts.
    const policies = wine.put("policies.reg", Buffer.from(`\ufeff${POLICIES}`, "utf16le"));
    const install = setup(OLD, `/JOIN="${cluster.hostLink}" /MODE=always`);
    expect(await wine.codes([install, `reg import ${policies}`])).toEqual([0, 0]);

    const log = join(folder, "agent.txt");
    wine.startProgram([agent, "--home", "C:\\home", "--name", "pc", "--slots", "1", "--json"], log);
    const pc = async () => (await cluster.client.request("hosts", {})).find(({ name }) => name === "pc");
    const said = (): string => readFileSync(log, "utf8");
    await until("the PC has joined", async () => (await pc())?.online).catch((thrown) => {
      throw new Error(`${(thrown as Error).message}\n${said()}`);
    });
    expect((await pc())?.os).toMatch(/^Windows_NT 10/);

    // Its control is a named pipe there. Group policy has locked settings of it; taken away, it counts no more a minute later.
    const { path } = JSON.parse(readFileSync(join(wine.drive, "home/agents/pc/control.json"), "utf8")) as { path: string };
    const order = `require("net").connect(${JSON.stringify(path)}).on("data", (d) => { console.log(String(d)); process.exit(); }).write(JSON.stringify({ command: process.argv[2] }) + "\\n")`;
    wine.put("order.cjs", order);
    const { status } = JSON.parse(
      await wine.run([`${node} C:\\order.cjs status`, `reg delete HKLM\\${POLICY} /f`]).then(firstLine),
    );
    expect(status).toMatchObject({
      settings: {
        coresPercent: 60,
        hours: ["mon-sun 00:00-24:00"],
        onMeteredNetwork: true,
        graceSeconds: 7,
        mode: "always",
      },
      lockedBy: { coresPercent: "信息部", hours: "信息部", onMeteredNetwork: "your administrator" },
      policyProblem: null,
    });
    expect(Object.keys(status.lockedBy)).toHaveLength(3);

    const { out } = await local("fork-fibonacci", ["20"]);
    expect(await cluster.run("fork-fibonacci", ["20"])).toMatchObject({ stdout: out, report: { kind: "exit", code: 0 } });

    // From Windows to Linux and back, while it runs: as if it had never moved.
    await cluster.startAgent("linux");
    const args = ["2000", "1000"];
    const job = await cluster.submit("steady-lines.c", args, { startOn: "pc", stay: true });
    const received = new Received();
    const end = cluster.end(job, received);
    const runsOn = (host: string) =>
      until(`it runs on ${host}`, async () => {
        const [row] = await cluster.ps(job.job);
        return row?.host === host && row.state === "running";
      });
    for (const [from, to] of [
      ["pc", "linux"],
      ["linux", "pc"],
    ] as const) {
      await runsOn(from);
      const before = received.bytes[1];
      await until("it has printed there", () => received.bytes[1] > before);
      expect(await cluster.client.request("migrate", { pid: job.pid, host: to })).toEqual({ from, to });
    }
    await runsOn("pc");
    const ended = await end;
    expect(ended.info).toMatchObject({ migratedRunning: 2, restarts: 0 });
    expect(ended.stdout).toBe((await local("steady-lines.c", args)).out);

    wine.put(
      "chosen.ts",
      'import { chooseScreensaver, readInstalled } from "./installed.ts"; chooseScreensaver(); console.log(readInstalled());',
    );
    await until("the policy has gone", () => said().includes('"event":"policy-file","host":"pc","problem":null'));
    const told = await wine.run([
      `${node} C:\\order.cjs pause`,
      `${node} C:\\chosen.ts`,
      'reg query "HKCU\\Control Panel\\Desktop" /v SCRNSAVE.EXE',
    ]);
    expect(JSON.parse(firstLine(told))).toMatchObject({
      ok: true,
      status: { settings: { coresPercent: 40, hours: [] }, lockedBy: { coresPercent: "your administrator" } },
    });
    expect(told).toMatch(/mode: 'always'/);
    expect(told).toContain("REG_SZ    C:\\windows\\System32\\Nightshift.scr");
    await until("it is paused", async () => (await pc())?.paused);
    expect(JSON.parse(readFileSync(join(wine.drive, "home/agents/pc/settings.json"), "utf8")).pause).toMatchObject({
      untilMs: null,
    });
    expect(await wine.codes(["taskkill /f /im nightshift-agent.exe", ...uninstall(PROGRAM_FILES)])).toEqual([0, 0, 0]);
    await until("it is gone", async () => (await pc())?.online === false);
  });
});
