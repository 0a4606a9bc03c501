// The MSI of the same files and registry values as Setup.exe, for Group Policy, Intune and Configuration Manager: written as a WiX source
// and built by wixl of msitools. Its public properties are JOIN, POOL, MODE and TRAY; what is not given stays as it was.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { INSTALL_MODES, KEY_RIGHTS, PRODUCT_KEY, REGISTRY } from "./contents.ts";
import { needProgram } from "./native.ts";

export interface MsiOptions {
  wixl: string;
  /** The folder with the app. */
  files: string;
  version: string;
  /** The MSI. */
  to: string;
  /** For what is in between; has check.dll. Is above `files`. */
  work: string;
}

/** The product for all its versions; never to change. */
export const UPGRADE_CODE = "5B0F4C56-7D0C-4E0B-9E1F-2A5C6E1B7D31";
const LEAVE_SECONDS = 30;
const PARAMETERS = [
  { property: "JOIN", name: "Join" },
  { property: "POOL", name: "Pool" },
  { property: "MODE", name: "Mode" },
  { property: "TRAY", name: "Tray" },
] as const;

/** What is installed must be of this kind, or msiexec ends with 1603 before it changes anything. */
const CONDITIONS: readonly { message: string; holds: string }[] = [
  { message: "Nightshift needs 64-bit Windows.", holds: "VersionNT64" },
  { message: "Nightshift was installed by Setup.exe: use that.", holds: 'Installed OR NOT INSTALLEDBY OR INSTALLEDBY = "msi"' },
  {
    message: `MODE must be one of ${INSTALL_MODES.join(", ")}.`,
    holds: `NOT MODE OR ${INSTALL_MODES.map((mode) => `MODE = "${mode}"`).join(" OR ")}`,
  },
  { message: "TRAY must be 0 or 1.", holds: 'NOT TRAY OR TRAY = "0" OR TRAY = "1"' },
];

/** @returns `to` */
export async function makeMsi({ wixl, files, version, to, work }: MsiOptions): Promise<string> {
  const source = join(work, "nightshift.wxs");
  const check = relative(files, join(work, "check.dll")).replaceAll("\\", "/");
  await writeFile(source, wxs(await tree(files, files), version, check));
  // wixl takes files from where its source says, which must be relative.
  execFileSync(wixl, ["-a", "x64", "-o", to, source], { cwd: files, stdio: ["ignore", "ignore", "inherit"] });
  const table = join(work, "MsiLockPermissionsEx.idt");
  await writeFile(table, lockPermissions());
  const msibuild = needProgram("msibuild", "apt-get install msitools", "msibuild");
  execFileSync(msibuild, [to, "-i", table, ...statements().flatMap((statement) => ["-q", statement])], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  return to;
}

interface Folder {
  name: string;
  path: string;
  folders: Folder[];
  files: string[];
}

async function tree(root: string, path: string): Promise<Folder> {
  const entries = (await readdir(path, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => tree(root, join(path, name)));
  return {
    name: path.split(/[\\/]/).at(-1) ?? "",
    path: relative(root, path).replaceAll("\\", "/"),
    folders: await Promise.all(folders),
    files: entries.filter((entry) => entry.isFile()).map(({ name }) => name),
  };
}

const xml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** The same for the same thing in every version, as an upgrade must know it again. */
function guid(of: string): string {
  const hex = createHash("sha256").update(`nightshift ${of}`).digest("hex").toUpperCase();
  return [hex.slice(0, 8), hex.slice(8, 12), `5${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}
/** As Windows knows an installed MSI. A version has one, however often it is built. */
export const productCode = (version: string): string => `{${guid(`product ${version}`)}}`;
const id = (kind: string, of: string): string => `${kind}_${createHash("sha256").update(of).digest("hex").slice(0, 16)}`;

function wxs(root: Folder, version: string, check: string): string {
  const components: string[] = [];
  const component = (of: string, content: string): string => {
    components.push(id("c", of));
    return `<Component Id="${id("c", of)}" Guid="${guid(of)}" Win64="yes">${content}</Component>`;
  };
  const file = (path: string, key = path): string =>
    `<File Id="${id("f", key)}" Name="${xml(path.split("/").at(-1) ?? "")}" Source="${xml(path)}" KeyPath="yes"/>`;
  const inFolder = ({ path, files, folders }: Folder): string =>
    [
      ...files.map((name) => (path === "" ? name : `${path}/${name}`)).map((each) => component(each, file(each))),
      ...folders.map((each) => `<Directory Id="${id("d", each.path)}" Name="${xml(each.name)}">${inFolder(each)}</Directory>`),
    ].join("\n");
  const value = (text: string): string =>
    xml(
      text
        .replaceAll("[FOLDER]\\", "[INSTALLDIR]")
        .replaceAll("[FOLDER]", "[INSTALLDIR]")
        .replaceAll("[VERSION]", version)
        .replaceAll("[BY]", "msi"),
    );
  const registry = REGISTRY.map(({ key, name, value: text }) =>
    component(
      `registry ${key} ${name}`,
      `<RegistryValue Id="${id("r", `${key} ${name}`)}" Root="HKLM" Key="${xml(key)}"${name === "" ? "" : ` Name="${xml(name)}"`} Type="string" Value="${value(text)}" KeyPath="yes"/>`,
    ),
  );
  const parameters = PARAMETERS.map(({ property, name }) =>
    component(
      `parameter ${property}`,
      `<RegistryValue Id="${id("r", property)}" Root="HKLM" Key="${PRODUCT_KEY}" Name="${name}" Type="string" Value="[${property}]" KeyPath="yes"/>`,
    ),
  );
  const search = (property: string, name: string): string =>
    `<Property Id="${property}"><RegistrySearch Id="${id("s", name)}" Root="HKLM" Key="${PRODUCT_KEY}" Name="${name}" Type="raw" Win64="yes"/></Property>`;
  const shortcut = component(
    "shortcut",
    `<Shortcut Id="Shortcut" Name="Nightshift" Target="[INSTALLDIR]Nightshift.exe" WorkingDirectory="INSTALLDIR"/><RegistryValue Root="HKLM" Key="${PRODUCT_KEY}" Name="Shortcut" Type="string" Value="1" KeyPath="yes"/>`,
  );
  const folders = inFolder(root);
  const screensaver = component("screensaver", file("Nightshift.scr", "screensaver"));
  return `<?xml version="1.0" encoding="utf-8"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Id="${productCode(version)}" Name="Nightshift" Language="1033" Version="${version}" Manufacturer="Nightshift" UpgradeCode="${UPGRADE_CODE}">
<Package InstallerVersion="500" Compressed="yes" InstallScope="perMachine" Description="Nightshift ${version}"/>
<Media Id="1" Cabinet="nightshift.cab" EmbedCab="yes"/>
<MajorUpgrade DowngradeErrorMessage="A newer Nightshift is installed."/>
<Property Id="ARPNOMODIFY" Value="1"/>
<Property Id="MsiHiddenProperties" Value="JOIN;OLDJOIN"/>
<Property Id="MSIRESTARTMANAGERCONTROL" Value="Disable"/>
${PARAMETERS.map(({ property, name }) => search(`OLD${property}`, name)).join("\n")}
${search("INSTALLEDBY", "InstalledBy")}
${search("INSTALLDIR", "InstallLocation")}
${CONDITIONS.map(({ message, holds }) => `<Condition Message="${xml(message)}">${xml(holds)}</Condition>`).join("\n")}
<Directory Id="TARGETDIR" Name="SourceDir">
<Directory Id="ProgramFiles64Folder"><Directory Id="INSTALLDIR" Name="Nightshift">
${folders}
${[...registry, ...parameters].join("\n")}
</Directory></Directory>
<Directory Id="System64Folder">${screensaver}</Directory>
<Directory Id="ProgramMenuFolder">${shortcut}</Directory>
</Directory>
<Feature Id="Nightshift" Level="1">
${components.map((each) => `<ComponentRef Id="${each}"/>`).join("\n")}
</Feature>
<Binary Id="Leave" SourceFile="resources/leave.exe"/>
<Binary Id="Check" SourceFile="${check}"/>
</Product>
</Wix>
`;
}

/** What wixl has no words for. The numbers of actions are those of the MSI's table CustomAction. */
function statements(): string[] {
  const [setProperty, libraryInBinary, programInBinary, deferred, notAsUser] = [51, 1, 2, 0x400, 0x800];
  const [appSearch, launchConditions, installInitialize] = [50, 100, 1500];
  const action = (name: string, type: number, source: string, target: string, condition: string, at: number): string[] => [
    `INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('${name}', ${type}, '${source}', '${target}')`,
    `INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('${name}', '${condition}', ${at})`,
  ];
  const secure = PARAMETERS.map(({ property }) => property).join(";");
  return [
    ...PARAMETERS.flatMap(({ property }, index) => [
      `UPDATE Component SET Condition = '${property}' WHERE Component = '${id("c", `parameter ${property}`)}'`,
      ...action(
        `Keep${property}`,
        setProperty,
        property,
        `[OLD${property}]`,
        `NOT ${property} AND OLD${property}`,
        appSearch + 1 + index,
      ),
    ]),
    `UPDATE Property SET Value = 'WIX_DOWNGRADE_DETECTED;WIX_UPGRADE_DETECTED;${secure}' WHERE Property = 'SecureCustomProperties'`,
    ...action("CheckProperties", libraryInBinary, "Check", "CheckProperties", "NOT REMOVE", launchConditions + 1),
    ...action(
      "Leave",
      programInBinary + deferred + notAsUser,
      "Leave",
      `"[INSTALLDIR]." ${LEAVE_SECONDS}`,
      "",
      installInitialize + 2,
    ),
    // What is there can be removed in any case.
    "UPDATE InstallExecuteSequence SET Condition = 'NOT REMOVE' WHERE Action = 'LaunchConditions'",
    // Before anything new is written, and taken back with it.
    `UPDATE InstallExecuteSequence SET Sequence = ${installInitialize + 1} WHERE Action = 'RemoveExistingProducts'`,
  ];
}

/** The table MsiLockPermissionsEx, as msibuild reads it. */
function lockPermissions(): string {
  const key = id("r", `${PRODUCT_KEY} InstalledBy`);
  return [
    ["MsiLockPermissionsEx", "LockObject", "Table", "SDDLText", "Condition"],
    ["s72", "s72", "s32", "s0", "S255"],
    ["MsiLockPermissionsEx", "MsiLockPermissionsEx"],
    ["Secret", key, "Registry", KEY_RIGHTS, ""],
  ]
    .map((row) => `${row.join("\t")}\r\n`)
    .join("");
}
