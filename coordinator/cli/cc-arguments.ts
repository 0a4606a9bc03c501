// What a build gives its compiler beside the options that `nightshift cc` declares: read as gcc and clang read it, so that make, configure and
// CMake can be told to use it.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

export interface CcArguments {
  /** Sources, objects, archives and -l libraries, in order. */
  inputs: string[];
  /** For clang, as they are. */
  flags: string[];
  includeDirs: string[];
  libraryDirs: string[];
  /** A make rule that says what the object depends on is wanted (-MD, -MMD). */
  rule: { file: string | undefined; targets: string[]; phony: boolean } | undefined;
}

/** Options with their value behind them as an argument of its own. */
const WITH_VALUE = /^(?:-isystem|-idirafter|-iquote|-include|-imacros|-x|-Xclang|-mllvm|-target|-arch)$/;
/** Of those, the ones that name folders of headers, which must be read before the compiler is. */
const FOLDER = /^(?:-isystem|-idirafter|-iquote)$/;
/**
 * What has no meaning here: position, threads (OpenMP's directives mean the same in one), sections of the linker, link-time optimisation of
 * objects nobody reads.
 */
const IGNORED =
  /^(?:-pthread|-f(?:no-)?openmp(?:=.*)?|-lgomp|-lomp|-liomp5|-pipe|-rdynamic|-s|-static|-(?:shared|static)-lib(?:gcc|stdc\+\+)|-no-pie|-pie|-fpic|-fPIC|-fpie|-fPIE|-flto.*|-m64|-march=.*|-mtune=.*|-mfpmath=.*|-mno-(?:mmx|sse|avx|fma|bmi).*|-fcf-protection(?:=.*)?|-MP|-Winvalid-pch)$/;
/** Options of linkers for ELF: shared libraries, marks of pages, order and names of what a module does not have, or what wasm-ld does anyway. Names of functions stay, for traps and `inspect`. */
const LINKER_IGNORED =
  /^(?:--?(?:strip-all|(?:no-)?as-needed|(?:start|end)-group|hash-style=.*|sort-common(?:=.*)?|(?:enable|disable)-new-dtags|(?:no-)?undefined-version|no-undefined|version-script=.*|exclude-libs=.*|rpath(?:-link)?=.*|soname=.*|warn-common|(?:no-)?copy-dt-needed-entries|(?:no-)?relax|Bsymbolic.*|dead_strip)|-[()sxX])$/;
/** Of those, the ones whose value follows. */
const LINKER_IGNORED_WITH_VALUE =
  /^(?:--?(?:rpath|rpath-link|soname|version-script|exclude-libs|hash-style|dynamic-linker|dynamic-list)|-h)$/;

/** What of it means something to wasm-ld. */
function linkerFlags(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    const value = args[at + 1] ?? "";
    if (LINKER_IGNORED_WITH_VALUE.test(arg) || (arg === "-z" && !value.startsWith("stack-size="))) at++;
    else if (arg === "-z" || arg === "-u") kept.push(`-Wl,${arg},${args[++at]}`);
    else if (!LINKER_IGNORED.test(arg)) kept.push(`-Wl,${arg}`);
  }
  return kept;
}

/** The file of a library as -l names it: -lx is libx.a, -l:x.a that very file. */
export const libraryFile = (option: string): string => (option.startsWith("-l:") ? option.slice(3) : `lib${option.slice(2)}.a`);

/** @param args all that is no declared option, in order @throws NS_USAGE when an option's value is missing, or a shared library is wanted */
export function readCcArguments(args: readonly string[]): CcArguments {
  const read: CcArguments = { inputs: [], flags: [], includeDirs: [], libraryDirs: [], rule: undefined };
  const rule = () => (read.rule ??= { file: undefined, targets: [], phony: args.includes("-MP") });
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? "";
    const value = (): string => {
      const next = args[++at];
      if (next === undefined) throw new NightshiftError("NS_USAGE", `${arg} needs a value`);
      return next;
    };
    if (arg === "-shared" || arg === "-dynamiclib")
      throw new NightshiftError(
        "NS_USAGE",
        `${arg}: a program is one module, so there are no shared libraries. Have static ones built (configure --disable-shared, CMake -DBUILD_SHARED_LIBS=OFF)`,
      );
    if (arg === "-MD" || arg === "-MMD") rule();
    else if (arg === "-MF") rule().file = value();
    else if (arg === "-MT" || arg === "-MQ") rule().targets.push(value());
    else if (arg === "-L") read.libraryDirs.push(value());
    else if (arg.startsWith("-L")) read.libraryDirs.push(arg.slice(2));
    else if (IGNORED.test(arg)) continue;
    else if (arg === "-l") read.inputs.push(`-l${value()}`);
    else if (arg.startsWith("-l")) read.inputs.push(arg);
    else if (FOLDER.test(arg)) read.includeDirs.push(value());
    else if (arg.startsWith("-Wl,")) read.flags.push(...linkerFlags(arg.slice(4).split(",")));
    else if (arg === "-Xlinker") {
      const said = [value()];
      for (; args[at + 1] === "-Xlinker"; said.push(value())) at++;
      read.flags.push(...linkerFlags(said));
    } else if (/^-(?:z|u|R|rpath)$/.test(arg)) read.flags.push(...linkerFlags([arg === "-R" ? "-rpath" : arg, value()]));
    else if (WITH_VALUE.test(arg)) read.flags.push(arg, value());
    else if (arg.startsWith("-") && arg !== "-") read.flags.push(arg);
    else read.inputs.push(arg);
  }
  return read;
}

/** `-O` alone is -O1 and `-Og` too, `-Ofast` -O3: levels as `nightshift cc` has them, so that the option always has a value. */
export function plainLevels(args: readonly string[]): string[] {
  return args.map((arg) => (arg === "-O" || arg === "-Og" ? "-O1" : arg === "-Ofast" || /^-O[4-9]/.test(arg) ? "-O3" : arg));
}

/** The make rule: the object and what it is made of; with `phony` a rule for each header, so that one that is removed stops nobody. */
export function makeRule(targets: readonly string[], reads: readonly string[], phony: boolean): string {
  const escaped = (path: string): string => path.replaceAll("$", "$$$$").replaceAll(/[ #]/g, "\\$&");
  const rule = `${targets.map(escaped).join(" ")}: ${reads.map(escaped).join(" \\\n  ")}\n`;
  return phony
    ? rule +
        reads
          .slice(1)
          .map((path) => `${escaped(path)}:\n`)
          .join("")
    : rule;
}
