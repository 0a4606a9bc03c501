// Job files: everything `nightshift run` can be told, in one JSON file that can be kept beside the program and sent to somebody. The command line
// and the console read them by this schema. Says what such a file means; finding its program and files is the reader's.
//
// JSON because every language writes it, so that a script can make a job file, and no parser of ours is needed; what a submitter types most, the
// values of parameters, has a short form within it ("1..100").
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { z } from "zod";
import { show } from "./show.ts";
import { MAX_PARTS, parseValues, requireSweep, type Sweep } from "./sweep.ts";

/** Larger ones are refused before they are read. */
export const MAX_JOB_FILE_BYTES: number = 2 ** 20;

const scalar = z.union([z.string().max(64 * 1024), z.number()]);
const path = z.string().min(1).max(4096);

export const jobFile = z.strictObject({
  /** Path of a .c, .cpp or .wasm file, from the job file's folder, or the name of a bundled program. */
  program: path,
  name: z.string().min(1).max(200).optional(),
  args: z.array(scalar).max(4096).default([]),
  env: z.record(z.string().min(1).max(4096), scalar).default({}),
  /** "1..100", "0..1:0.25", "soft,hard", a list of values that stand as they are, or the files that match a pattern. */
  parameters: z
    .record(z.string(), z.union([z.string(), z.array(scalar).min(1).max(MAX_PARTS), z.strictObject({ files: path })]))
    .optional(),
  sets: z.array(z.record(z.string(), scalar)).min(1).max(MAX_PARTS).optional(),
  /** A folder whose files go along, or names in the job: paths; both from the job file's folder. Of a sweep, with {name} where a value goes. */
  files: z.union([path, z.record(path, path)]).optional(),
  memoryMiB: z.number().positive().max(4096).optional(),
  cpuSeconds: z.number().positive().max(1e9).optional(),
  hosts: z.array(z.string().min(1).max(200)).min(1).max(1000).optional(),
  clock: z.enum(["virtual", "host"]).optional(),
  seed: z.number().int().min(0).max(0xffffffff).optional(),
  /** It is to run even if it cannot be moved. */
  pin: z.boolean().optional(),
  /** What the screensavers of its hosts may show of it. */
  show: show.optional(),
});
export type JobFile = z.infer<typeof jobFile>;

/** A job file's contents with its numbers as text and its sweep as it travels. */
export interface PlannedJob extends Omit<JobFile, "args" | "env" | "parameters" | "sets"> {
  args: string[];
  env: Record<string, string>;
  sweep: Sweep | undefined;
}

/** Which files there are for a pattern, from the job file's folder, in their order. */
export type FindFiles = (pattern: string) => readonly string[];

/**
 * @param text the file's contents @param file its name, for messages @param find for parameters that are files
 * @throws NS_BAD_JOB with file, place in it, and what is expected there
 */
export function readJobFile(text: string, file: string, find: FindFiles = () => []): PlannedJob {
  const said = jobFile.safeParse(parsed(text, file));
  if (!said.success) {
    const problems = said.error.issues.slice(0, 20).map((issue) => ({ path: placeOf(issue.path), message: issue.message }));
    const list = problems.map(({ path: where, message }) => (where === "" ? message : `${where}: ${message}`)).join("; ");
    throw new NightshiftError("NS_BAD_JOB", `${file}: ${list}`, { details: { file, problems } });
  }
  const { args, env, parameters, sets, files, ...rest } = said.data;
  const sweep = parameters || sets ? sweepOf(parameters ?? {}, sets ?? [], file, find) : undefined;
  const byFiles = Object.entries(parameters ?? {}).flatMap(([name, values]) => (isFiles(values) ? [name] : []));
  const job = { ...rest, args: args.map(String), env: mapped(env, String), ...withInputs(sweep, files, byFiles) };
  requireSweep(job, file);
  return job;
}

const isFiles = (values: unknown): values is { files: string } =>
  typeof values === "object" && values !== null && "files" in values;

/**
 * Which of the files every part gets and which are its own: those that have a value in their name or path. A parameter whose values are files
 * brings them along under the names they have, unless one of the paths speaks of it.
 * @param byFiles names of parameters whose values are files
 */
export function withInputs(
  sweep: Sweep | undefined,
  files: JobFile["files"],
  byFiles: readonly string[],
): { sweep: Sweep | undefined; files?: JobFile["files"] } {
  if (sweep === undefined) return { sweep, ...(files !== undefined && { files }) };
  const named = Object.entries(typeof files === "object" ? files : {});
  const own = named.filter((entry) => entry.some((text) => /[{}]/.test(text)));
  const common = named.filter((entry) => !own.includes(entry));
  const known = Object.entries(sweep.inputs?.names ?? {});
  const brought = byFiles.filter((name) => ![...known, ...own].some(([, source]) => new RegExp(`\\{${name}[:}]`).test(source)));
  const names = {
    ...sweep.inputs?.names,
    ...Object.fromEntries(brought.map((name) => [`{${name}}`, `{${name}}`])),
    ...Object.fromEntries(own),
  };
  return {
    sweep: Object.keys(names).length === 0 ? sweep : { ...sweep, inputs: { names, files: {} } },
    ...(typeof files === "string" && { files }),
    ...(common.length > 0 && { files: Object.fromEntries(common) }),
  };
}

function sweepOf(
  parameters: NonNullable<JobFile["parameters"]>,
  sets: NonNullable<JobFile["sets"]>,
  file: string,
  find: FindFiles,
): Sweep {
  const swept: Sweep = { parameters: {}, sets: sets.map((set) => mapped(set, String)) };
  for (const [name, values] of Object.entries(parameters)) {
    const where = `parameters.${name}`;
    if (!/^[A-Za-z][A-Za-z0-9_]{0,31}$/.test(name))
      throw new NightshiftError(
        "NS_BAD_JOB",
        `${file}: ${where}: a parameter's name is a letter, then up to 31 letters, digits and _`,
        {
          details: { file, problems: [{ path: where }] },
        },
      );
    try {
      if (isFiles(values)) swept.parameters[name] = matching(values.files, find);
      else swept.parameters[name] = typeof values === "string" ? parseValues(values) : values.map(String);
    } catch (thrown) {
      if (!(thrown instanceof NightshiftError)) throw thrown;
      throw new NightshiftError(thrown.code, `${file}: ${where}: ${thrown.message}`, {
        details: { ...thrown.details, file, problems: [{ path: where, message: thrown.message }] },
      });
    }
  }
  return swept;
}

/** One value for each file. @throws NS_BAD_JOB */
export function matching(pattern: string, find: FindFiles): string[] {
  const found = [...find(pattern)];
  if (found.length === 0) throw new NightshiftError("NS_BAD_JOB", `no file matches ${pattern}`, { details: { pattern } });
  return found;
}

/** * is any run of characters, ? any one, within a step of the path. */
export const stepPattern = (step: string): RegExp =>
  new RegExp(
    `^${step
      .replaceAll(/[\\^$.+()[\]{}|]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
    "su",
  );

function parsed(text: string, file: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (thrown) {
    // What it says has the place, by line and column or with the text around it.
    throw new NightshiftError("NS_BAD_JOB", `${file}: this is not JSON: ${(thrown as Error).message}`, {
      details: { file },
      cause: thrown,
    });
  }
}

/** ["sets", 3, "a"] is sets[3].a */
const placeOf = (steps: readonly PropertyKey[]): string =>
  steps.map((step, at) => (typeof step === "number" ? `[${step}]` : `${at === 0 ? "" : "."}${String(step)}`)).join("");

const mapped = <A, B>(record: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
