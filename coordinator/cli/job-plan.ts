// What `run` is asked for: a program with arguments and options, or a job file, or both. Reads the job file; uploads and starts nothing.
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import {
  type JobFile,
  MAX_ARGS,
  MAX_JOB_FILE_BYTES,
  matching,
  parseValues,
  readJobFile,
  requireSweep,
  type Show,
  type Sweep,
  sourcesOf,
  withInputs,
} from "../protocol/index.ts";
import { filesMatching } from "./job-files.ts";
import { environment, namedProgram } from "./program-file.ts";
import { parseBytes, parseCount, parseDurationMs } from "./quantities.ts";

export interface PlanOptions {
  name?: string;
  memory?: string;
  timeout?: string;
  env?: string[];
  clock?: "virtual" | "host";
  sweep?: string[];
  sweepFiles?: string[];
  file?: string[];
  onlyOn?: string[];
  pin?: boolean;
  seed?: string;
  show?: Show;
  /** In the place of the job file's files. */
  dir?: string;
}

export interface Plan {
  /** Path of the source or module. */
  source: string;
  /** The program's name, its first argument. */
  program: string;
  name: string;
  args: readonly string[];
  env: Record<string, string>;
  sweep: Sweep | undefined;
  /** Whose files go along: absolute path. */
  folder: string | undefined;
  /** Further files by their names in the job: absolute paths. */
  files: Readonly<Record<string, string>>;
  /** Of files that parts have of their own, by the names that the sweep has for them: absolute paths. */
  sources: Readonly<Record<string, string>>;
  memoryLimitBytes: number;
  cpuLimitMs: number;
  clock: "virtual" | "host";
  onlyOn: readonly string[] | undefined;
  /** It is to run even if it cannot be moved. */
  pin: boolean;
  seed: number | undefined;
  show: Show | undefined;
}

/** What options say counts over what the job file says. @throws NS_USAGE, NS_BAD_JOB, NS_SOURCE_NOT_FOUND, NS_BAD_FILE */
export async function planOf(file: string, args: readonly string[], options: PlanOptions): Promise<Plan> {
  const planned = /\.json$/i.test(file) ? await jobFileAt(file, args) : { args, env: {}, sweep: undefined };
  const { program, ...job } = { program: undefined, ...planned };
  const found = program === undefined ? namedProgram(file, args) : programOf(file, program, job.args);
  if (found.args.length >= MAX_ARGS)
    throw new NightshiftError(
      "NS_LIMIT",
      `a program on the cluster has at most ${MAX_ARGS - 1} arguments, not ${found.args.length}; many files are given to it with --dir, or one to each part with --sweep-files`,
    );
  const { memoryMiB, cpuSeconds } = job as Partial<JobFile>;
  const given = {
    memoryLimitBytes: options.memory === undefined ? undefined : parseBytes(options.memory),
    cpuLimitMs: options.timeout === undefined ? undefined : parseDurationMs(options.timeout),
    seed: options.seed === undefined ? undefined : parseCount(options.seed, "--seed", 0, 0xffffffff),
  };
  const { name, files, hosts, clock, pin, seed, show } = job as Partial<JobFile>;
  // Paths are from here, with a job file from its folder.
  const folder = program === undefined ? "." : dirname(file);
  const swept = withOptions(job.sweep, options, folder);
  const common = { ...(typeof files === "object" && options.dir === undefined && files), ...swept.files };
  const plan: Plan = {
    ...{ source: found.source, program: found.name, name: options.name ?? name ?? found.name, args: found.args },
    env: { ...job.env, ...environment(options.env ?? []) },
    sweep: swept.sweep,
    folder: options.dir === undefined ? (typeof files === "string" ? resolve(folder, files) : undefined) : resolve(options.dir),
    files: below(folder, Object.entries(common)),
    sources: {},
    memoryLimitBytes: given.memoryLimitBytes ?? Math.round((memoryMiB ?? 1024) * 2 ** 20),
    cpuLimitMs: given.cpuLimitMs ?? Math.round((cpuSeconds ?? 0) * 1000),
    clock: options.clock ?? clock ?? "virtual",
    onlyOn: options.onlyOn ?? hosts,
    pin: options.pin ?? pin ?? false,
    seed: given.seed ?? seed,
    show: options.show ?? show,
  };
  requireSweep(plan, program === undefined ? "the command line" : file);
  const sources = [...(plan.sweep ? sourcesOf(plan.sweep) : [])];
  return {
    ...plan,
    sources: below(
      folder,
      sources.map((source) => [source, source]),
    ),
  };
}

async function jobFileAt(file: string, args: readonly string[]) {
  if (args.length > 0)
    throw new NightshiftError("NS_USAGE", "a job file has the program's arguments in it; give none behind its name");
  const { size } = await stat(file).catch((cause: Error) => {
    throw new NightshiftError("NS_BAD_FILE", `Cannot read the job file ${file}: ${cause.message}`, { cause });
  });
  if (size > MAX_JOB_FILE_BYTES)
    throw new NightshiftError("NS_BAD_JOB", `${file} is larger than a job file may be (${MAX_JOB_FILE_BYTES >> 10} KiB)`);
  return readJobFile(await readFile(file, "utf8"), file, (pattern) => filesMatching(dirname(file), pattern));
}

/** A file beside the job file, or a bundled program. */
function programOf(file: string, program: string, args: readonly string[]): ReturnType<typeof namedProgram> {
  const beside = resolve(dirname(file), program);
  try {
    return namedProgram(beside, args);
  } catch (thrown) {
    if (!/[/\\.]/.test(program)) return { ...namedProgram(program, args), args };
    throw new NightshiftError("NS_BAD_JOB", `${file}: program: there is no file ${basename(beside)} in ${dirname(beside)}`, {
      details: { file, problems: [{ path: "program" }] },
      cause: thrown,
    });
  }
}

const below = (folder: string, files: readonly (readonly [string, string])[]): Record<string, string> =>
  Object.fromEntries(files.map(([name, path]) => [name, resolve(folder, path)]));

/** --sweep, --sweep-files and --file, as given: further parameters and files, or others in the place of those of the job file. */
function withOptions(
  sweep: Sweep | undefined,
  { sweep: given = [], sweepFiles = [], file = [] }: PlanOptions,
  folder: string,
): { sweep: Sweep | undefined; files: Record<string, string> } {
  const parameters = { ...sweep?.parameters };
  for (const text of given) {
    const [name, values] = assigned("--sweep", text, "frame=1..100");
    parameters[name] = parseValues(values);
  }
  const byFiles = sweepFiles.map((text) => {
    const [name, pattern] = assigned("--sweep-files", text, "scene='scenes/*.txt'");
    parameters[name] = matching(pattern, (wanted) => filesMatching(folder, wanted));
    return name;
  });
  const files = Object.fromEntries(
    file.map((text): [string, string] => {
      const [, name = "", path = ""] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
      if (name === "") throw new NightshiftError("NS_USAGE", `--file ${text} must look like scene.txt=scenes/{n}.txt`);
      return [name, path];
    }),
  );
  const varied = given.length + sweepFiles.length > 0 ? { ...sweep, parameters, sets: sweep?.sets ?? [] } : sweep;
  const made = withInputs(varied, files, byFiles);
  return { sweep: made.sweep, files: typeof made.files === "object" ? made.files : {} };
}

/** @throws NS_USAGE */
function assigned(option: string, text: string, example: string): [name: string, value: string] {
  const [, name, value] = /^([A-Za-z][A-Za-z0-9_]{0,31})=(.*)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return [name, value];
  throw new NightshiftError(
    "NS_USAGE",
    `${option} ${text} must look like ${example}; a name is a letter, then letters, digits and _`,
  );
}
