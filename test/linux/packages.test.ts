// The package for Debian, built for real around a stand-in for Electron, installed into a root of its own, upgraded while it runs, removed; and the
// parts for macOS as far as they can be checked elsewhere.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import {
  findProgram,
  LAUNCH_AGENT,
  LINUX_FILES,
  macConfiguration,
  makeStandIn,
  packageForLinux,
  packageForMac,
} from "@nightshift/installer/testing";
import { must } from "@nightshift/wasm-kernels/errors";
import { DOMParser } from "@xmldom/xmldom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const TOOLS = { cc: "gcc libc6-dev", dpkg: "dpkg", "dpkg-deb": "dpkg", "desktop-file-validate": "desktop-file-utils" };
const [OLD, NEW] = ["0.1.0", "0.2.0"];
const INSTALLER = join(import.meta.dirname, "../../installer");

function without(): boolean {
  const missing = Object.entries(TOOLS).flatMap(([program, packages]) => (findProgram(program) ? [] : [packages]));
  const why = process.arch !== "x64" ? "it is built for amd64" : process.getuid?.() !== 0 ? "dpkg installs as root only" : "";
  if (missing.length === 0 && why === "") return false;
  const said = `the package for Debian: ${why || `it needs apt-get install ${missing.join(" ")}`}`;
  if (process.env.CI && process.platform === "linux" && why === "") throw new Error(said);
  console.warn(`SKIPPED ${said}`);
  return true;
}

/** Every file, folder and link below it, with rights and what is in it. */
function tree(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(root, path).startsWith("var"))
    .map((path) => `${relative(root, path)} ${(lstatSync(path).mode & 0o7777).toString(8)}`)
    .sort();
}

describe.skipIf(without())("the package for Debian", () => {
  const folder = mkdtempSync(join(tmpdir(), "ns-deb-"));
  const root = join(folder, "root");
  const debs = new Map<string, string>();
  let bare: string[];
  const dpkg = (...args: string[]): string =>
    execFileSync(
      "dpkg",
      [`--root=${root}`, "--force-script-chrootless", "--force-depends", `--log=${join(folder, "log")}`, ...args],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  const packed = (file: string, path: string): string =>
    execFileSync("dpkg-deb", ["--ctrl-tarfile", file]).length > 0
      ? execFileSync("dpkg-deb", ["--info", file, path], { encoding: "utf8" })
      : "";

  beforeAll(async () => {
    const electron = await makeStandIn(join(folder, "electron"), "linux");
    writeFileSync(join(folder, "electron", "chrome-sandbox"), "");
    chmodSync(join(folder, "electron", "chrome-sandbox"), 0o755);
    for (const version of [OLD, NEW]) {
      const app = join(folder, `app-${version}`);
      mkdirSync(app);
      writeFileSync(
        join(app, "package.json"),
        JSON.stringify({ name: "nightshift", productName: "Nightshift", version, main: "main.js" }),
      );
      writeFileSync(join(app, "main.js"), "// stands for the app\n");
      const output = join(folder, version);
      const { deb } = await packageForLinux({ app, electron, electronVersion: "45.4.1", output, appImage: false });
      debs.set(version, deb);
    }
    mkdirSync(join(root, "var/lib/dpkg/info"), { recursive: true });
    mkdirSync(join(root, "var/lib/dpkg/updates"));
    writeFileSync(join(root, "var/lib/dpkg/status"), "");
    mkdirSync(join(root, "usr/bin"), { recursive: true });
    mkdirSync(join(root, "etc"));
    writeFileSync(join(root, "usr/bin/another"), ""); // dpkg removes folders that have become empty
    bare = tree(root);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("says what it is, what it needs, and that it holds no Electron", () => {
    const deb = debs.get(OLD) ?? "";
    expect(deb).toMatch(/nightshift_0\.1\.0_amd64-stand-in\.deb$/);
    const said = packed(deb, "control");
    expect(said).toMatch(/^Package: nightshift\nVersion: 0\.1\.0\nArchitecture: amd64\n/);
    expect(said).toContain("Built without Electron");
    expect(packed(deb, "conffiles")).toBe("/etc/xdg/autostart/org.nightshift.agent.desktop\n");
    const owners = execFileSync("dpkg-deb", ["--contents", deb], { encoding: "utf8" }).trim().split("\n");
    expect(owners.filter((line) => !line.includes(" root/root "))).toEqual([]);
  });

  test.skipIf(!findProgram("apt-get"))(
    "apt takes it as docs/DEPLOYMENT.md has it, as far as apt says before it does anything",
    () => {
      for (const [version, deb] of debs) copyFileSync(deb, join(folder, `nightshift_${version}_amd64.deb`));
      const page = readFileSync(join(INSTALLER, "../docs/DEPLOYMENT.md"), "utf8");
      const said = [...page.matchAll(/^apt-get (install \S+)/gm)].map(([, words = ""]) =>
        execFileSync("apt-get", ["--simulate", ...words.split(" ")], { cwd: folder, encoding: "utf8" }),
      );
      expect(said.map((lines) => /^Inst nightshift \((\S+) /m.exec(lines)?.[1])).toEqual([OLD, NEW]);
    },
  );

  test("installed, there is just what its table says beside the app, and what starts it and opens links is well formed", () => {
    dpkg("--install", debs.get(OLD) ?? "");
    const added = tree(root).filter((line) => !bare.includes(line));
    const beside = added.filter((line) => !line.startsWith("usr/lib/nightshift") && !line.endsWith(" 755"));
    const files = [{ path: "usr/share/doc/nightshift/changelog.gz", content: {} }, ...LINUX_FILES].map(
      ({ path, content }) => `${path} ${"link" in content ? 777 : 644}`,
    );
    expect(beside.sort()).toEqual(files.sort());
    expect(added).toContain("usr/lib/nightshift/nightshift-app 755");
    expect(added).toContain("usr/lib/nightshift/chrome-sandbox 4755");
    expect(added).toContain("usr/lib/nightshift/resources/app.asar 644");
    for (const path of ["usr/share/applications", "etc/xdg/autostart"])
      execFileSync("desktop-file-validate", [join(root, path, "org.nightshift.agent.desktop")]);
    expect(readFileSync(join(root, "usr/share/applications/org.nightshift.agent.desktop"), "utf8")).toMatch(
      /^Exec=nightshift-app %u\nMimeType=x-scheme-handler\/nightshift;x-scheme-handler\/nightshifts;$/m,
    );
    const wants = join(root, "usr/lib/systemd/user/graphical-session.target.wants/nightshift.service");
    expect(readFileSync(wants, "utf8")).toContain("\nExecStart=/usr/bin/nightshift-app --hidden\n");
    expect(execFileSync(join(root, "usr/bin/nightshift-app"), { encoding: "utf8" })).toMatch(/stand-in/);
    expect(dpkg("--verify", "nightshift")).toBe("");
  });

  test.skipIf(!findProgram("mksquashfs"))(
    "the AppImage is made by the system's own tools around a stand-in for its runtime, and holds the app and its links",
    async () => {
      const tools = join(folder, "tools");
      for (const part of ["runtimes", "lib/x64"]) mkdirSync(join(tools, part), { recursive: true });
      for (const program of ["mksquashfs", "desktop-file-validate"])
        symlinkSync(must(findProgram(program), program), join(tools, program));
      const runtime = join(tools, "runtimes", "runtime-x64");
      copyFileSync("/bin/true", runtime);
      process.env.APPIMAGE_TOOLS_PATH = tools;
      const output = join(folder, "appimage");
      const electron = { path: join(folder, "electron"), standIn: true };
      const options = { app: join(folder, `app-${NEW}`), electron, electronVersion: "45.4.1", output };
      const { appImage } = await packageForLinux({ ...options, appImage: true }).finally(
        () => delete process.env.APPIMAGE_TOOLS_PATH,
      );
      const path = "path" in appImage ? appImage.path : appImage.missing;
      expect(path).toBe(join(output, "Nightshift-0.2.0-x86_64-stand-in.AppImage"));
      expect(lstatSync(path).mode & 0o111).toBe(0o111);
      const inside = join(folder, "inside");
      // What is behind the runtime is what it mounts.
      execFileSync("unsquashfs", ["-q", "-n", "-o", `${lstatSync(runtime).size}`, "-d", inside, path], { stdio: "ignore" });
      expect(readFileSync(join(inside, "nightshift-app.desktop"), "utf8")).toMatch(
        /^MimeType=x-scheme-handler\/nightshift;x-scheme-handler\/nightshifts;$/m,
      );
      expect(execFileSync(join(inside, "AppRun"), { encoding: "utf8", env: { PATH: process.env.PATH, APPDIR: inside } })).toMatch(
        /stand-in/,
      );
    },
  );

  test.skipIf(!findProgram("lintian"))("lintian finds no error in it", () => {
    expect(() => execFileSync("lintian", ["--fail-on", "error", debs.get(OLD) ?? ""], { stdio: "pipe" })).not.toThrow();
  });

  test("upgraded while it runs, the app is asked to leave first; what administrators and owners changed stays", async () => {
    writeFileSync(join(root, "etc/nightshift/policy.json"), "{}");
    const autostart = join(root, "etc/xdg/autostart/org.nightshift.agent.desktop");
    writeFileSync(autostart, `${readFileSync(autostart, "utf8")}Hidden=true\n`);
    const running = spawn(join(root, "usr/bin/nightshift-app"), ["--hidden"], { stdio: "ignore" });
    const ended = once(running, "exit");
    await wait(100);
    dpkg("--force-confold", "--install", debs.get(NEW) ?? "");
    expect(await ended).toEqual([0, null]);
    expect(dpkg("--status", "nightshift")).toMatch(/Status: install ok installed[\s\S]*Version: 0\.2\.0/);
    expect(existsSync(join(root, "usr/lib/nightshift/leave"))).toBe(false);
    expect(readFileSync(autostart, "utf8")).toContain("Hidden=true");
  });

  test("removed, only settings are left; purged, only what administrators wrote", () => {
    dpkg("--remove", "nightshift");
    const left = (): string[] => tree(root).filter((line) => !bare.includes(line) && !line.endsWith(" 755"));
    expect(left()).toEqual(["etc/nightshift/policy.json 644", "etc/xdg/autostart/org.nightshift.agent.desktop 644"]);
    dpkg("--purge", "nightshift");
    expect(left()).toEqual(["etc/nightshift/policy.json 644"]);
    rmSync(join(root, "etc/nightshift"), { recursive: true });
    expect(tree(root)).toEqual(bare);
  });
});

describe("for macOS", () => {
  const electron = { path: "/none", standIn: false };
  const options = { app: "/none", electron, electronVersion: "45.4.1", output: "/none" };

  test("the configuration is one that electron-builder takes", async () => {
    const { validateConfiguration } = await import("app-builder-lib/out/util/config/config.js");
    const { DebugLogger } = await import("builder-util");
    const config = macConfiguration(options);
    await validateConfiguration(config, new DebugLogger(false));
    await expect(validateConfiguration({ ...config, pkg: { anywhere: true } } as never, new DebugLogger(false))).rejects.toThrow(
      /configuration.pkg should be/,
    );
    for (const file of [config.mac?.icon, join(INSTALLER, "mac", config.pkg?.scripts ?? "", "postinstall")])
      expect(existsSync(`${file}`)).toBe(true);
  });

  test("the launch agent is a property list that starts the app as at log-in", () => {
    const text = readFileSync(join(INSTALLER, "mac", LAUNCH_AGENT), "utf8");
    const document = new DOMParser({
      errorHandler: (_, message) => {
        throw new Error(message);
      },
    }).parseFromString(text, "text/xml");
    expect(document.doctype?.publicId).toBe('"-//Apple//DTD PLIST 1.0//EN"');
    const [dict] = Array.from(document.documentElement?.childNodes ?? []).filter((node) => node.nodeType === 1);
    const parts = Array.from(dict?.childNodes ?? []).filter((node) => node.nodeType === 1);
    const keys = parts.filter((_, at) => at % 2 === 0);
    expect(keys.map((node) => node.nodeName)).toEqual(keys.map(() => "key"));
    const named = Object.fromEntries(keys.map((node, at) => [node.textContent, parts[2 * at + 1]]));
    expect(named.Label?.textContent).toBe("org.nightshift.agent");
    expect(named.RunAtLoad?.nodeName).toBe("true");
    expect(named.ProgramArguments?.textContent?.trim().split(/\s+/)).toEqual([
      "/Applications/Nightshift.app/Contents/MacOS/Nightshift",
      "--hidden",
    ]);
    execFileSync("sh", ["-n", join(INSTALLER, "mac/scripts/postinstall")]);
  });

  test("the page's lines name what there is: the package, the launch agent, and all that is installed", () => {
    const page = readFileSync(join(INSTALLER, "../docs/DEPLOYMENT.md"), "utf8");
    const config = macConfiguration(options);
    const installed = /\ninstaller -pkg (\S+) -target \/ {3}/.exec(page)?.[1];
    expect(installed).toBe(`${config.productName}-${OLD}.pkg`);
    expect(page).toContain(`\nlaunchctl bootout gui/501/${LAUNCH_AGENT.replace(/\.plist$/, "")} `);
    expect(page).toContain(`\npkgutil --forget ${config.appId}\n`);
    const script = readFileSync(join(INSTALLER, "mac/scripts/postinstall"), "utf8");
    const written = [...script.matchAll(/(\/Library\/\S+\.plist)$/gm)].map(([, path]) => path);
    const all = [`${config.pkg?.installLocation}/${config.productName}.app`, ...new Set(written)];
    expect(/^rm -r (.*)$/m.exec(page)?.[1]?.split(" ")).toEqual(all);
  });

  test.skipIf(process.platform === "darwin")("packages are refused anywhere else, in words", async () => {
    await expect(packageForMac(options)).rejects.toMatchObject({
      code: "NS_CANNOT_PACKAGE",
      message: expect.stringMatching(/on macOS only/),
    });
  });
});
