// -fcommon: older C defines the same variable in several files (`int shared;` in a header) and means one. Objects of WebAssembly know no such common
// symbols, and LLVM ends itself when asked for them. So a source is compiled to LLVM's own language first, in which its common variables become weak
// ones, of which the linker takes one, and that of a file that gives it a value before all others. Unlike a common symbol's, its size is
// that of the one taken, not that of the largest.
import type { ToolRequest } from "./clang-worker.ts";

/** Whether C is to be compiled so: the last of the options that say it counts. */
export const wantsCommons = (args: readonly string[]): boolean =>
  args.findLast((arg) => arg === "-fcommon" || arg === "-fno-common") === "-fcommon";

/**
 * @param args for the compiler, without sources and output
 * @param sources virtual paths, of C only
 * @returns the commands that come first, and what is compiled in the sources' place, with the same arguments and those of `args`
 */
export function withoutCommons(
  args: readonly string[],
  sources: readonly string[],
): { commands: ToolRequest["commands"]; args: readonly string[]; sources: readonly string[] } {
  const made = sources.map((_, at) => `/commons/${at}.ll`);
  return {
    commands: sources.flatMap((source, at) => [
      // Not optimised yet: that comes after, and once.
      ["clang", ...args, "-S", "-emit-llvm", "-Xclang", "-disable-llvm-passes", source, "-o", made[at] ?? ""] as const,
      ["weaken", made[at] ?? ""] as const,
    ]),
    args: ["-Qunused-arguments"],
    sources: made,
  };
}

/** LLVM's text with weak variables in the place of common ones; as long as before. */
export const weakened = (text: string): string => text.replaceAll(/^(@(?:"[^"\n]*"|[^\s"]+) = )common /gm, "$1weak   ");
