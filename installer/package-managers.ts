// Manifests of winget and Chocolatey, made of the packages themselves and of the tables they are made of: where each is to be had, its hash, how it
// is installed silently, what its exit codes mean. They are for an organisation's own sources; publishing them is somebody else's act.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { EXIT_CODES } from "./contents.ts";
import { productCode, UPGRADE_CODE } from "./msi.ts";

export interface ManifestOptions {
  version: string;
  setup: string;
  msi: string | undefined;
  /** Folder of the packages where they will be downloaded from: https. */
  url: string;
  /** Gets the folders `winget` and `choco`. */
  output: string;
}

const ID = "Nightshift.Nightshift";
const SCHEMA = "1.6.0";
const SUMMARY = {
  "en-US": "Lends this PC's idle time to your organisation's cluster",
  "zh-CN": "将这台电脑的闲置时间借给您组织的集群",
} as const;
const DESCRIPTION =
  "Programs of the cluster run in a sandbox, only while nobody is at the PC, and move on to another one within moments when somebody is.";

/** @throws NS_USAGE (url), NS_CANNOT_PACKAGE (a version that Windows' packages cannot have) */
export async function writeManifests(options: ManifestOptions): Promise<void> {
  const { version, output, url } = options;
  if (!URL.canParse(url) || new URL(url).protocol !== "https:")
    throw new NightshiftError("NS_USAGE", `the packages' address must be https, as winget and Chocolatey ask: not ${url}`);
  if (!/^\d+\.\d+\.\d+$/.test(version))
    throw new NightshiftError("NS_CANNOT_PACKAGE", `${version} is no version of three numbers`);
  for (const [folder, files] of Object.entries({ winget: await winget(options), choco: await choco(options) })) {
    await rm(join(output, folder), { recursive: true, force: true });
    for (const [name, text] of Object.entries(files)) {
      const path = join(output, folder, name);
      await mkdir(join(path, ".."), { recursive: true });
      await writeFile(path, text);
    }
  }
}

interface Download {
  url: string;
  sha256: string;
}

async function download(path: string, folder: string): Promise<Download> {
  const sha256 = createHash("sha256")
    .update(await readFile(path))
    .digest("hex")
    .toUpperCase();
  return { url: `${folder.replace(/\/+$/, "")}/${encodeURIComponent(basename(path))}`, sha256 };
}

/** A value of YAML: JSON is YAML too, so nothing in it can mean something else. */
const yaml = (value: unknown): string => JSON.stringify(value);
const document = (schema: string, fields: Readonly<Record<string, unknown>>): string =>
  [
    `# yaml-language-server: $schema=https://aka.ms/winget-manifest.${schema}.${SCHEMA}.schema.json`,
    ...Object.entries(fields).map(([name, value]) => `${name}: ${yaml(value)}`),
    "",
  ].join("\n");

async function winget({ version, setup, msi, url }: ManifestOptions): Promise<Record<string, string>> {
  const common = { PackageIdentifier: ID, PackageVersion: version };
  const end = (type: string) => ({ ManifestType: type, ManifestVersion: SCHEMA });
  const exe = await download(setup, url);
  const codes = Object.values(EXIT_CODES).map(({ code, winget: ReturnResponse }) => ({
    InstallerReturnCode: code,
    ReturnResponse,
  }));
  const ofSetup = (scope: "user" | "machine", switched: string) => ({
    ...{ Architecture: "x64", InstallerType: "nullsoft", Scope: scope, InstallerUrl: exe.url, InstallerSha256: exe.sha256 },
    InstallerSwitches: { Silent: "/S", SilentWithProgress: "/S", InstallLocation: "/D=<INSTALLPATH>", Custom: switched },
    ExpectedReturnCodes: codes,
    AppsAndFeaturesEntries: [{ DisplayName: "Nightshift", ProductCode: "Nightshift" }],
    ...(scope === "machine" ? { ElevationRequirement: "elevatesSelf" } : {}),
  });
  const package_ = msi && (await download(msi, url));
  const ofMsi = package_ && {
    ...{
      Architecture: "x64",
      InstallerType: "wix",
      Scope: "machine",
      InstallerUrl: package_.url,
      InstallerSha256: package_.sha256,
    },
    ProductCode: productCode(version),
    InstallerSwitches: { InstallLocation: 'INSTALLDIR="<INSTALLPATH>"' },
    AppsAndFeaturesEntries: [{ DisplayName: "Nightshift", ProductCode: productCode(version), UpgradeCode: `{${UPGRADE_CODE}}` }],
  };
  const words = (locale: keyof typeof SUMMARY) => ({
    ...common,
    ...{ PackageLocale: locale, Publisher: "Nightshift", PackageName: "Nightshift", License: "Apache-2.0" },
    ShortDescription: SUMMARY[locale],
  });
  return {
    [`${ID}.yaml`]: document("version", { ...common, DefaultLocale: "en-US", ...end("version") }),
    [`${ID}.installer.yaml`]: document("installer", {
      ...common,
      ...{ Platform: ["Windows.Desktop"], MinimumOSVersion: "10.0.0.0", InstallModes: ["interactive", "silent"] },
      ...{ UpgradeBehavior: "install", Protocols: ["nightshift", "nightshifts"] },
      Installers: [ofSetup("user", "/CURRENTUSER"), ofSetup("machine", "/ALLUSERS"), ...(ofMsi ? [ofMsi] : [])],
      ...end("installer"),
    }),
    [`${ID}.locale.en-US.yaml`]: document("defaultLocale", {
      ...words("en-US"),
      Description: DESCRIPTION,
      ...end("defaultLocale"),
    }),
    [`${ID}.locale.zh-CN.yaml`]: document("locale", { ...words("zh-CN"), ...end("locale") }),
  };
}

const xml = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
/** Of PowerShell, in which nothing stands for anything else. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

async function choco({ version, setup, url }: ManifestOptions): Promise<Record<string, string>> {
  const { url: address, sha256 } = await download(setup, url);
  const fields = {
    ...{ id: "nightshift", version, title: "Nightshift", authors: "Nightshift", owners: "Nightshift" },
    ...{
      requireLicenseAcceptance: "false",
      tags: "nightshift cluster idle",
      summary: SUMMARY["en-US"],
      description: DESCRIPTION,
    },
  };
  return {
    "nightshift.nuspec": [
      '<?xml version="1.0" encoding="utf-8"?>',
      '<package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd">',
      "  <metadata>",
      ...Object.entries(fields).map(([name, text]) => `    <${name}>${xml(text)}</${name}>`),
      "  </metadata>",
      "  <files>",
      '    <file src="tools\\**" target="tools" />',
      "  </files>",
      "</package>",
      "",
    ].join("\n"),
    // `choco install nightshift --install-arguments="/JOIN=..."` adds to silentArgs.
    "tools/chocolateyInstall.ps1": [
      "$ErrorActionPreference = 'Stop'",
      "$arguments = @{",
      "  packageName    = 'nightshift'",
      "  fileType       = 'exe'",
      `  url64bit       = ${quoted(address)}`,
      `  checksum64     = ${quoted(sha256)}`,
      "  checksumType64 = 'sha256'",
      "  silentArgs     = '/S /ALLUSERS'",
      "  validExitCodes = @(0)",
      "  softwareName   = 'Nightshift'",
      "}",
      "Install-ChocolateyPackage @arguments",
      "",
    ].join("\n"),
    "tools/chocolateyUninstall.ps1": [
      "$ErrorActionPreference = 'Stop'",
      "$key = Get-ItemProperty 'HKLM:\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Uninstall\\Nightshift' -ErrorAction SilentlyContinue",
      "if ($key) {",
      "  # The uninstaller goes on from a copy of itself; _?= has it stay and be waited for.",
      "  $copy = Join-Path $env:TEMP 'nightshift-uninstall.exe'",
      "  Copy-Item (Join-Path $key.InstallLocation 'Uninstall Nightshift.exe') $copy -Force",
      "  try {",
      "    Uninstall-ChocolateyPackage -PackageName 'nightshift' -FileType 'exe' -SilentArgs \"/S _?=$($key.InstallLocation)\" -ValidExitCodes @(0) -File $copy",
      "  } finally {",
      "    Remove-Item $copy -Force",
      "  }",
      "}",
      "",
    ].join("\n"),
  };
}
