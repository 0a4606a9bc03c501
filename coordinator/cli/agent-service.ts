// The headless agent as something that starts when this user logs in: a systemd user service on Linux, a scheduled task on Windows. Texts and
// command lines are made by functions without effects; the rest writes files and runs the system's own program.
import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

export interface Service {
  /** The host's name, and the service's. */
  name: string;
  /** What is run, as it is, without a shell. */
  command: readonly string[];
  /** A desktop session is what it waits for, instead of the log-in itself. */
  desktop: boolean;
}

const NAME = /^[\w.-]{1,100}$/;
const RESTART_S = 10;

export function serviceName(name: string | undefined): string {
  const chosen = name ?? hostname();
  if (!NAME.test(chosen))
    throw new NightshiftError("NS_USAGE", "--name must be 1 to 100 letters, digits, dots, dashes or underscores");
  return chosen;
}

export const unitName = (name: string): string => `nightshift-${name}.service`;
const unitFolder = (): string => join(process.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "systemd", "user");

/** See systemd.syntax(7) and systemd.service(5): quoted, with its own escapes, specifiers and variables off. */
export const systemdWord = (word: string): string =>
  `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%").replaceAll("$", "$$$$").replaceAll("\n", "\\n")}"`;

export function systemdUnit({ name, command, desktop }: Service): string {
  const target = desktop ? "graphical-session.target" : "default.target";
  return `[Unit]
Description=Nightshift agent ${name}: computes for others while this computer is idle
${desktop ? `After=${target}\nPartOf=${target}\n` : ""}
[Service]
ExecStart=${command.map(systemdWord).join(" ")}
Restart=always
RestartSec=${RESTART_S}
# Refused by the coordinator, or called wrongly: another try will not mend it. A crash has another status.
RestartPreventExitStatus=1 2
Nice=10
# Images of processes are out within the time that the agent asks the system for when it ends.
TimeoutStopSec=10

[Install]
WantedBy=${target}
`;
}

export const taskName = (name: string): string => `\\Nightshift\\${name}`;

const xml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** As CommandLineToArgvW takes it apart again: backslashes before a quote are doubled. */
export const windowsWord = (word: string): string =>
  /^[^\s"]+$/.test(word) ? word : `"${word.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, "$1$1")}"`;

/** A task that starts at this user's log-in, without a console window; by XML, as /TR takes no more than 261 characters. @param user DOMAIN\\name */
export function windowsTask({ name, command }: Service, user: string): string {
  const args = ["--headless", ...command].map(windowsWord).join(" ");
  return `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Nightshift agent ${xml(name)}: computes for others while this computer is idle</Description>
  </RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled><UserId>${xml(user)}</UserId></LogonTrigger></Triggers>
  <Principals>
    <Principal id="owner">
      <UserId>${xml(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>8</Priority>
    <RestartOnFailure><Interval>PT1M</Interval><Count>10</Count></RestartOnFailure>
  </Settings>
  <Actions Context="owner">
    <Exec><Command>conhost.exe</Command><Arguments>${xml(args)}</Arguments></Exec>
  </Actions>
</Task>
`;
}

export const createTask = (name: string, file: string): string[] => ["/Create", "/TN", taskName(name), "/XML", file, "/F"];
export const deleteTask = (name: string): string[] => ["/Delete", "/TN", taskName(name), "/F"];

/** @returns where it is now defined @throws NS_HOME_UNUSABLE, NS_USAGE where there is no such way */
export async function installService(service: Service, folder: string): Promise<string> {
  if (process.platform === "win32") {
    const file = join(folder, "task.xml");
    const { username } = userInfo();
    const user = process.env.USERDOMAIN ? `${process.env.USERDOMAIN}\\${username}` : username;
    await writeFile(file, `\uFEFF${windowsTask(service, user)}`, "utf16le");
    await run("schtasks.exe", createTask(service.name, file));
    // One that runs already, runs as it was defined before.
    await run("schtasks.exe", ["/End", "/TN", taskName(service.name)]).catch(() => undefined);
    await run("schtasks.exe", ["/Run", "/TN", taskName(service.name)]);
    return taskName(service.name);
  }
  onlyLinux();
  const file = join(unitFolder(), unitName(service.name));
  await mkdir(unitFolder(), { recursive: true });
  const before = await readFile(file).catch(() => null);
  await writeFile(file, systemdUnit(service), { mode: 0o600 });
  await chmod(file, 0o600);
  try {
    await run("systemctl", ["--user", "daemon-reload"]);
    await run("systemctl", ["--user", "enable", unitName(service.name)]);
    // One that runs already, runs as it was defined before.
    await run("systemctl", ["--user", "restart", unitName(service.name)]);
  } catch (thrown) {
    // Half installed it would start some day unasked.
    await (before === null ? rm(file, { force: true }) : writeFile(file, before));
    throw thrown;
  }
  return file;
}

/** @throws NS_NOT_FOUND */
export async function uninstallService(name: string): Promise<void> {
  if (process.platform === "win32") {
    await run("schtasks.exe", ["/End", "/TN", taskName(name)]).catch(() => undefined); // it may not be running
    await run("schtasks.exe", deleteTask(name));
    return;
  }
  onlyLinux();
  if (!(await installedServices()).includes(name))
    throw new NightshiftError("NS_NOT_FOUND", `No service of agent ${name} is installed`);
  await run("systemctl", ["--user", "disable", "--now", unitName(name)]);
  await rm(join(unitFolder(), unitName(name)), { force: true });
  await run("systemctl", ["--user", "daemon-reload"]);
}

/** Names of the agents that start at log-in, as far as they can be told here. */
export async function installedServices(): Promise<string[]> {
  if (process.platform === "win32") return [];
  const files = await readdir(unitFolder()).catch(() => []);
  return files.flatMap((file) => /^nightshift-([\w.-]{1,100})\.service$/.exec(file)?.[1] ?? []);
}

function onlyLinux(): void {
  if (process.platform !== "linux")
    throw new NightshiftError("NS_USAGE", "Agents can be installed on Linux (systemd) and Windows; elsewhere start them by hand");
}

async function run(program: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(program, args, { timeout: 30_000 });
  } catch (cause) {
    const { stderr, message } = cause as Error & { stderr?: string };
    const why = (stderr?.trim() || message).slice(0, 500);
    const remedy =
      program === "systemctl"
        ? "It needs the systemd of this user: log in as that user itself, not by su or sudo, or start `nightshift agent --join LINK` by other means."
        : "Ask it by hand; it knows why.";
    throw new NightshiftError("NS_HOME_UNUSABLE", `${program} ${args.join(" ")}: ${why}`, { cause, details: { remedy } });
  }
}
