// The manifests of winget and Chocolatey: against winget's own rules of form (version 1.6 of its schema), against the files they are of, and against
// what docs/DEPLOYMENT.md says of exit codes.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT_CODES, productCode, writeManifests } from "@nightshift/installer/testing";
import { DOMParser } from "@xmldom/xmldom";
import { beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { sha256 } from "../cluster.ts";

const VERSION = "0.2.0";
const output = mkdtempSync(join(tmpdir(), "ns-manifests-"));
const packages = { setup: join(output, `Nightshift-Setup-${VERSION}.exe`), msi: join(output, `Nightshift-${VERSION}.msi`) };
const url = "https://pool.example/updates/0.2.0/";

beforeAll(async () => {
  for (const path of Object.values(packages)) writeFileSync(path, `what is in ${path}`);
  await writeManifests({ version: VERSION, ...packages, url, output });
});

const short = (most: number) => z.string().min(1).max(most);
const identifier = z.string().regex(/^[^.\s\\/:*?"<>|]{1,32}(\.[^.\s\\/:*?"<>|]{1,32}){1,7}$/);
const common = { PackageIdentifier: identifier, PackageVersion: short(128), ManifestVersion: z.literal("1.6.0") };
const code = z.strictObject({
  InstallerReturnCode: z.number().int().positive(),
  ReturnResponse: z
    .string()
    .regex(
      /^(packageInUse|installInProgress|fileInUse|missingDependency|diskFull|insufficientMemory|invalidParameter|noNetwork|contactSupport|rebootRequiredToFinish|rebootInitiated|cancelledByUser|alreadyInstalled|downgrade|blockedByPolicy|systemNotSupported)$/,
    ),
});
const installer = z.strictObject({
  Architecture: z.enum(["x86", "x64", "arm64"]),
  InstallerType: z.enum(["nullsoft", "wix"]),
  Scope: z.enum(["user", "machine"]),
  InstallerUrl: z.string().regex(/^https:\/\/.+$/),
  InstallerSha256: z.string().regex(/^[A-F0-9]{64}$/),
  InstallerSwitches: z.strictObject({
    Silent: short(512).optional(),
    SilentWithProgress: short(512).optional(),
    InstallLocation: short(512),
    Custom: short(2048).optional(),
  }),
  ProductCode: short(255).optional(),
  ExpectedReturnCodes: z.array(code).max(128).optional(),
  AppsAndFeaturesEntries: z.array(
    z.strictObject({ DisplayName: short(256), ProductCode: short(255), UpgradeCode: short(255).optional() }),
  ),
  ElevationRequirement: z.enum(["elevationRequired", "elevationProhibited", "elevatesSelf"]).optional(),
});
const words = {
  ...common,
  PackageLocale: z.string().regex(/^[a-z]{2}-[A-Z]{2}$/),
  Publisher: short(256),
  PackageName: short(256),
  License: short(512),
  ShortDescription: z.string().min(3).max(256),
};
const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  "Nightshift.Nightshift.yaml": z.strictObject({ ...common, DefaultLocale: short(20), ManifestType: z.literal("version") }),
  "Nightshift.Nightshift.installer.yaml": z.strictObject({
    ...common,
    Platform: z.array(z.enum(["Windows.Desktop", "Windows.Universal"])),
    MinimumOSVersion: z.string().regex(/^\d{1,5}(\.\d{1,5}){0,3}$/),
    InstallModes: z.array(z.enum(["interactive", "silent", "silentWithProgress"])),
    UpgradeBehavior: z.enum(["install", "uninstallPrevious"]),
    Protocols: z.array(short(2048)),
    Installers: z.array(installer).min(1),
    ManifestType: z.literal("installer"),
  }),
  "Nightshift.Nightshift.locale.en-US.yaml": z.strictObject({
    ...{ ...words, Description: z.string().min(3).max(10_000), ManifestType: z.literal("defaultLocale") },
  }),
  "Nightshift.Nightshift.locale.zh-CN.yaml": z.strictObject({ ...words, ManifestType: z.literal("locale") }),
};

/** Each line is a name and a value in JSON, which is YAML. */
function parse(name: string): Record<string, unknown> {
  const lines = readFileSync(join(output, "winget", name), "utf8")
    .trimEnd()
    .split("\n");
  expect(lines[0]).toMatch(/^# yaml-language-server: \$schema=https:\/\/aka\.ms\/winget-manifest\.\w+\.1\.6\.0\.schema\.json$/);
  return Object.fromEntries(
    lines.slice(1).map((line) => {
      const [, field = "", value = ""] = /^(\w+): (.+)$/.exec(line) ?? [];
      return [field, JSON.parse(value)];
    }),
  );
}

test("winget's manifests are of its form, all four", () => {
  expect(readdirSync(join(output, "winget")).sort()).toEqual(Object.keys(SCHEMAS).sort());
  for (const [name, schema] of Object.entries(SCHEMAS)) expect(schema.safeParse(parse(name)).error, name).toBe(undefined);
});

test("they are of these files, and say what Setup's exit codes mean", () => {
  const { Installers } = parse("Nightshift.Nightshift.installer.yaml") as { Installers: z.infer<typeof installer>[] };
  const hash = (path: string) => sha256(readFileSync(path)).toUpperCase();
  expect(Installers.map((one) => [one.Scope, one.InstallerUrl, one.InstallerSha256])).toEqual([
    ["user", `${url}Nightshift-Setup-0.2.0.exe`, hash(packages.setup)],
    ["machine", `${url}Nightshift-Setup-0.2.0.exe`, hash(packages.setup)],
    ["machine", `${url}Nightshift-0.2.0.msi`, hash(packages.msi)],
  ]);
  expect(Installers.at(-1)?.ProductCode).toBe(productCode(VERSION));
  const codes = Object.values(EXIT_CODES).map(({ code: InstallerReturnCode, winget: ReturnResponse }) => ({
    InstallerReturnCode,
    ReturnResponse,
  }));
  expect(Installers[0]?.ExpectedReturnCodes).toEqual(codes);
  const page = readFileSync(join(import.meta.dirname, "../../docs/DEPLOYMENT.md"), "utf8");
  const documented = [...page.matchAll(/^\| (\d[\d, ]*) \|/gm)].flatMap(([, cell = ""]) => cell.split(", ").map(Number));
  expect(documented.sort((a, b) => a - b)).toEqual(
    [0, 1, 2, ...codes.map((one) => one.InstallerReturnCode)].sort((a, b) => a - b),
  );
});

test("Chocolatey's package is well formed and of the same file", () => {
  const text = readFileSync(join(output, "choco", "nightshift.nuspec"), "utf8");
  const strict = (_: string, message: string): never => {
    throw new Error(message);
  };
  const nuspec = new DOMParser({ errorHandler: strict }).parseFromString(text, "text/xml");
  const field = (name: string) => nuspec.getElementsByTagName(name)[0]?.textContent;
  expect(["id", "version", "authors"].map(field)).toEqual(["nightshift", VERSION, "Nightshift"]);
  expect(field("description")).toMatch(/^Programs of the cluster/);
  const install = readFileSync(join(output, "choco", "tools", "chocolateyInstall.ps1"), "utf8");
  expect(install).toContain(`url64bit       = '${url}Nightshift-Setup-0.2.0.exe'`);
  expect(install).toContain(`checksum64     = '${sha256(readFileSync(packages.setup)).toUpperCase()}'`);
  const uninstall = readFileSync(join(output, "choco", "tools", "chocolateyUninstall.ps1"), "utf8");
  // Whatever happens the uninstaller's copy is gone again, and a failure is one of Chocolatey's.
  expect(uninstall).toMatch(
    /try \{[^}]*Uninstall-ChocolateyPackage [^}]*-ValidExitCodes @\(0\)[^}]*\} finally \{\s*Remove-Item \$copy/s,
  );
  expect(readdirSync(join(output, "choco", "tools"))).toEqual(["chocolateyInstall.ps1", "chocolateyUninstall.ps1"]);
});

test("an address that is not https is refused", async () => {
  const plain = { version: VERSION, ...packages, url: "http://pool.example/", output };
  await expect(writeManifests(plain)).rejects.toMatchObject({ code: "NS_USAGE" });
});
