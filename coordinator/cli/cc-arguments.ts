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
const WITH_VALUE = /^(?:-isystem|-idirafter|-iquote|-include|-imacros|-x|-Xclang|-mllvm|-Xlinker|-target|-arch)$/;
/** Of those, the ones that name folders of headers, which must be read before the compiler is. */
const FOLDER = /^(?:-isystem|-idirafter|-iquote)$/;
/**
 * What has no meaning here: position, threads (OpenMP's directives mean the same in one), sections of the linker, link-time optimisation of
 * objects nobody reads.
 */
const IGNORED =
  /^(?:-pthread|-f(?:no-)?openmp(?:=.*)?|-lgomp|-lomp|-liomp5|-pipe|-rdynamic|-s|-static|-shared-libgcc|-static-libgcc|-no-pie|-pie|-fpic|-fPIC|-fpie|-fPIE|-flto.*|-m64|-march=.*|-mtune=.*|-MP|-Winvalid-pch)$/;

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
