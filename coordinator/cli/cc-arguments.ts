// What a build gives its compiler beside the options that `nightshift cc` declares: read as gcc and clang read it, so that make, configure and
// CMake can be told to use it.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

export interface CcArguments {
  /** Sources, objects, archives and -l libraries, in order. */
  inputs: string[];
  /** Of inputs that -x says it of: "c", "c++" or another name that clang knows. */
  languages: Map<string, string>;
  /** What is read before each source: -include or -imacros, and the file. */
  before: [option: string, file: string][];
  /** What is wanted in the place of an object or program: assembly, a make rule alone, or only what there is to say. */
  instead: "-S" | "-M" | "-fsyntax-only" | undefined;
  /** For clang, as they are. */
  flags: string[];
  includeDirs: string[];
  libraryDirs: string[];
  /** A make rule that says what the object depends on is wanted (-MD, -MMD). */
  rule: { file: string | undefined; targets: string[]; phony: boolean } | undefined;
}

/** Options with their value behind them as an argument of its own. */
const WITH_VALUE = /^(?:-isystem|-idirafter|-iquote|-Xclang|-Xpreprocessor|-mllvm|-target|-arch)$/;
/** Of those, the ones that mean nothing here. */
const IGNORED_WITH_VALUE = /^(?:--param|-isysroot|-Xassembler)$/;
/** Of those, the ones that name folders of headers, which must be read before the compiler is. */
const FOLDER = /^(?:-isystem|-idirafter|-iquote)$/;
/**
 * What has no meaning here: position, threads (OpenMP's directives mean the same in one), sections of the linker, link-time optimisation of
 * objects nobody reads.
 */
const IGNORED =
  /^(?:-pthread|-f(?:no-)?openmp(?:=.*)?|-lgomp|-lomp|-liomp5|-pipe|-rdynamic|-s|-static|-(?:shared|static)-lib(?:gcc|stdc\+\+)|-no-pie|-pie|-fpic|-fPIC|-fpie|-fPIE|-flto.*|-traditional|-fuse-ld=.*|--param=.*|-m(?:32|64|threads|no-cygwin|cmodel=.*|mmx|s?sse.*|avx.*|fma4?|bmi2?|popcnt|lzcnt|aes|pclmul|f16c)|-march=.*|-mtune=.*|-mfpmath=.*|-mno-(?:mmx|sse|avx|fma|bmi).*|-fcf-protection(?:=.*)?|-MP|-MG|-Winvalid-pch)$/;
/** Options of linkers for ELF: shared libraries, marks of pages, order and names of what a module does not have, or what wasm-ld does anyway. Names of functions stay, for traps and `inspect`. */
const LINKER_IGNORED =
  /^(?:--?(?:strip-all|(?:no-)?as-needed|(?:start|end)-group|hash-style=.*|sort-common(?:=.*)?|(?:enable|disable)-new-dtags|(?:no-)?undefined-version|no-undefined|version-script=.*|exclude-libs=.*|rpath(?:-link)?=.*|soname=.*|warn-common|(?:no-)?copy-dt-needed-entries|(?:no-)?relax|Bsymbolic.*|dead_strip)|-[()sxX])$/;
/** Of those, the ones whose value follows. */
const LINKER_IGNORED_WITH_VALUE =
  /^(?:--?(?:rpath|rpath-link|soname|version-script|exclude-libs|hash-style|dynamic-linker|dynamic-list)|-h)$/;

const FOR_LINKER = /^(?:-Wl,|-Xlinker$)/;

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
  const read: CcArguments = {
    inputs: [],
    languages: new Map(),
    before: [],
    instead: undefined,
    flags: [],
    includeDirs: [],
    libraryDirs: [],
    rule: undefined,
  };
  let language: string | undefined;
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
    else if (arg === "-M" || arg === "-MM") {
      read.instead = "-M";
      rule();
    } else if (/^-Wp,-MM?D,/.test(arg)) rule().file = arg.split(",")[2];
    else if (arg === "-S" || arg === "-fsyntax-only") read.instead ??= arg;
    else if (/^-x./.test(arg) || arg === "-x") language = arg === "-x" ? value() : arg.slice(2);
    else if (arg === "-include" || arg === "-imacros") read.before.push([arg, value()]);
    else if (IGNORED_WITH_VALUE.test(arg)) value();
    else if (arg === "-MF") rule().file = value();
    else if (arg === "-MT" || arg === "-MQ") rule().targets.push(value());
    else if (arg === "-L") read.libraryDirs.push(value());
    else if (arg.startsWith("-L")) read.libraryDirs.push(arg.slice(2));
    else if (IGNORED.test(arg)) continue;
    else if (arg === "-l") read.inputs.push(`-l${value()}`);
    else if (arg.startsWith("-l")) read.inputs.push(arg);
    else if (FOLDER.test(arg)) read.includeDirs.push(value());
    else if (FOR_LINKER.test(arg)) {
      // An option's value may be in the next of them.
      const said = arg === "-Xlinker" ? [value()] : arg.slice(4).split(",");
      for (let next = args[at + 1] ?? ""; FOR_LINKER.test(next); next = args[at + 1] ?? "") {
        at++;
        said.push(...(next === "-Xlinker" ? [value()] : next.slice(4).split(",")));
      }
      read.flags.push(...linkerFlags(said));
    } else if (/^-(?:z|u|R|rpath)$/.test(arg)) read.flags.push(...linkerFlags([arg === "-R" ? "-rpath" : arg, value()]));
    else if (WITH_VALUE.test(arg)) read.flags.push(arg, value());
    else if (arg.startsWith("-") && arg !== "-") read.flags.push(arg);
    else {
      read.inputs.push(arg);
      if (language !== undefined && language !== "none") read.languages.set(arg, language);
      else if (arg === "-") read.languages.set(arg, "c");
    }
  }
  return read;
}

/**
 * Arguments with those of the files that `@file` names in their place, as builds with many objects give them: apart by blanks unless in quotes or after
 * a backslash. A file that is not there leaves the word as it is.
 */
export function withResponseFiles(args: readonly string[], read: (path: string) => string | undefined, depth = 0): string[] {
  return args.flatMap((arg) => {
    const text = arg.startsWith("@") && depth < MAX_DEPTH ? read(arg.slice(1)) : undefined;
    return text === undefined ? [arg] : withResponseFiles(wordsOf(text), read, depth + 1);
  });
}

/** Of files that name files, as one may name itself. */
const MAX_DEPTH = 16;

const wordsOf = (text: string): string[] =>
  Array.from(text.matchAll(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\\.|[^\s"'\\])+/gs), ([word]) =>
    word.replaceAll(
      /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|\\(.)/gs,
      (_, double?: string, single?: string, escaped?: string) => escaped ?? (double ?? single ?? "").replaceAll(/\\(.)/gs, "$1"),
    ),
  );

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

const MACHINE = "wasm32-unknown-wasi";

/**
 * What the compiler says of itself, as builds ask: where its parts lie (nowhere that could be read) and for what machine it compiles.
 * @param version the compiler's
 * @returns the answer, a line; undefined: it is no question
 */
export function answerTo(option: string, version: string): string | undefined {
  const [, name = "", of = ""] = /^--?([a-z-]+)(?:=(.*))?$/.exec(option) ?? [];
  switch (name) {
    case "dumpmachine":
    case "print-target-triple":
    case "print-effective-triple":
      return MACHINE;
    case "dumpversion":
    case "dumpfullversion":
      return version;
    case "print-prog-name":
    case "print-file-name":
      return of;
    case "print-libgcc-file-name":
      return "libgcc.a";
    case "print-search-dirs":
      return "programs: =\nlibraries: =";
    case "print-multi-directory":
    case "print-multi-os-directory":
      return ".";
    case "print-multi-lib":
      return ".;";
    case "print-sysroot":
    case "print-multiarch":
    case "print-resource-dir":
      return "";
    default:
      return undefined;
  }
}

/** `--version`, as clang says it, for builds that look what compiler this is. */
export const versionText = (version: string): string =>
  `clang version ${version} (nightshift)\nTarget: ${MACHINE}\nThread model: single\n`;
