// The small programs of installers that are not JavaScript: compiled for Windows by MinGW-w64's gcc, which Linux, macOS and Windows have; what
// stands in for Electron on Linux by the system's compiler.
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

const SOURCES = join(import.meta.dirname, "windows");
const PREFIX = process.platform === "win32" ? "" : "x86_64-w64-mingw32-";

/** @returns the program's path, or undefined */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const suffixes = process.platform === "win32" ? [".exe", ".cmd", ""] : [""];
  return names.flatMap((name) => folders.flatMap((folder) => suffixes.map((end) => join(folder, name + end)))).find(existsSync);
}

/** @throws NS_CANNOT_PACKAGE */
export function needProgram(what: string, remedy: string, ...names: readonly string[]): string {
  const path = findProgram(...names);
  if (path === undefined) throw new NightshiftError("NS_CANNOT_PACKAGE", `${what} is needed: ${remedy}`);
  return path;
}

const TOOLS = "apt-get install gcc-mingw-w64-x86-64, brew install mingw-w64, or MSYS2's gcc";
const run = (program: string, args: readonly string[]): void => {
  execFileSync(needProgram("MinGW-w64", TOOLS, program), args, { stdio: ["ignore", "ignore", "inherit"] });
};

/** Compiles `windows/NAME.c`, or /PATH/NAME.c, into `to`, with NAME.rc if there is one: a library where `to` ends so. None has a console window. */
export function compileForWindows(name: string, to: string): void {
  const [source, resources] = [resolve(SOURCES, `${name}.c`), resolve(SOURCES, `${name}.rc`)];
  const object = `${to}.o`;
  const withResources = existsSync(resources);
  if (withResources) run(`${PREFIX}windres`, [resources, object]);
  const library = to.endsWith(".dll") ? ["-shared", "-static-libgcc"] : ["-municode", "-mwindows"];
  const flags = ["-O2", "-Wall", "-Wextra", "-Werror", ...library, "-s"];
  run(`${PREFIX}gcc`, [
    ...flags,
    "-o",
    to,
    source,
    ...(withResources ? [object] : []),
    "-lwtsapi32",
    "-lgdi32",
    "-lmsi",
    "-lole32",
  ]);
  rmSync(object, { force: true });
}

/** Compiles `linux/NAME.c` into `to`, on Linux itself. @throws NS_CANNOT_PACKAGE */
export function compileForLinux(name: string, to: string): void {
  if (process.platform !== "linux") throw new NightshiftError("NS_CANNOT_PACKAGE", "a stand-in for Linux is built on Linux");
  const cc = needProgram("a C compiler", "apt-get install gcc libc6-dev", "cc", "gcc");
  const source = join(import.meta.dirname, "linux", `${name}.c`);
  execFileSync(cc, ["-O2", "-Wall", "-Wextra", "-s", "-o", to, source], { stdio: ["ignore", "ignore", "inherit"] });
}
