// Parameter sweeps: one program, many command lines. Parameters have values; every combination of them is a part of the job, and arguments and
// environment hold {name} where a value goes. Pure: the command line, the console and the coordinator all expand a sweep by these functions, so
// that what is previewed is what runs. A sweep travels and is stored as it was written, never as the list of its parts.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { z } from "zod";

/** Most parts of a job. */
export const MAX_PARTS = 10_000;
const MAX_PARAMETERS = 32;
/** Most files that parts have of their own, all parts together, and most characters of their names: so a job fits into a message. */
export const MAX_PART_FILES = 4000;
const MAX_PART_FILE_CHARACTERS = 200_000;
/** Of one part. */
const MAX_FILES_OF_PART = 16;
/** Longest argument a template may become. */
const MAX_ARGUMENT_CHARACTERS = 64 * 1024;

/** Begins with a letter, so that objects keep the order in which they were written. */
const parameterName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,31}$/, "a letter, then up to 31 letters, digits and _");
const value = z.string().max(4096);
/** from, from + step, ... as far as `to`, which is among them when it is met. */
const range = z.object({ from: z.number(), to: z.number(), step: z.number() });
const parameters = z.record(parameterName, z.union([z.array(value).min(1).max(MAX_PARTS), range]));
const sets = z.array(z.record(parameterName, value)).max(MAX_PARTS);

const path = z.string().min(1).max(4096);
const fileRef = z.object({ hash: z.string().regex(/^[0-9a-f]{64}$/), size: z.number().int().nonnegative() });
/** Input files that differ from part to part: names in the part -> names among `files`, both with {name} where a value goes. */
const inputs = z.object({ names: z.record(path, path), files: z.record(path, fileRef) });

/**
 * Each of `sets`, a table of values chosen by hand, with every combination of `parameters`. Parts are numbered from 1; the last parameter
 * varies fastest, the set slowest.
 */
export const sweep = z.object({ parameters: parameters.default({}), sets: sets.default([]), inputs: inputs.optional() });
export type Sweep = z.infer<typeof sweep>;
type Values = Sweep["parameters"][string];
type FileRef = z.infer<typeof fileRef>;

/** What a sweep is filled into. */
export interface Templates {
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  sweep?: Sweep | undefined;
}

/** What can be wrong with a sweep, in English; the code is stable, so that it can be said in other languages. */
const PROBLEMS = {
  "no-parameter": "there is no parameter",
  "too-many-parameters": "more than {most} of them",
  "name-taken": "{part} is the number of the part; choose another name",
  "empty-range": "the range is empty: its step leads away from its end",
  "uneven-set": "every set must have the same parameters ({names})",
  twice: "{name} is among the parameters already",
  "too-many-parts": "they make {count} parts; a job has at most {most}",
  brace: "write {twice} for a {once} that the program is to see",
  "unknown-parameter": "there is no parameter {name}; write {twice} for a {once} that the program is to see",
  unused: "no argument has {place}, so its values would change nothing",
  "too-long": "may become longer than {most} characters",
  "bad-file-name": "part {part}: {name} is no name for a file in the part: it must be relative and lead nowhere else",
  "same-file-name": "part {part}: two files would be called {name}",
  "no-file": "part {part}: there is no file {name}",
  "too-many-files": "parts have at most {most} files of their own, all together, with names that are not too long",
} as const;
export type SweepProblemCode = keyof typeof PROBLEMS;

/** Something wrong with a sweep: where, as a path into the job's JSON, and what. */
export interface SweepProblem {
  path: string;
  code: SweepProblemCode;
  /** What the message names. */
  values: Readonly<Record<string, string | number>>;
  message: string;
}

const problem = (at: string, code: SweepProblemCode, values: SweepProblem["values"] = {}): SweepProblem => ({
  ...{ path: at, code, values },
  message: PROBLEMS[code].replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole)),
});

const decimals = (number: number): number => {
  const [digits = "", exponent = "0"] = String(number).split("e");
  return Math.max(0, (digits.split(".")[1]?.length ?? 0) - Number(exponent));
};

function countOf(values: Values): number {
  if (Array.isArray(values)) return values.length;
  const { from, to, step } = values;
  // A ten thousandth of a step forgives what decimal fractions lose in binary ones.
  return step === 0 ? 0 : Math.max(0, Math.floor((to - from) / step + 1e-4) + 1);
}

function valueAt(values: Values, at: number): string {
  if (Array.isArray(values)) return values[at] ?? "";
  const { from, step } = values;
  return (from + at * step).toFixed(Math.min(20, Math.max(decimals(from), decimals(step))));
}

/** How many parts a job has; 1 without a sweep. */
export function countParts(swept: Sweep | undefined): number {
  if (swept === undefined) return 1;
  return Object.values(swept.parameters).reduce((product, values) => product * countOf(values), Math.max(1, swept.sets.length));
}

/** The values of one part, by parameter; none without a sweep. @param part from 1 */
export function valuesOf(swept: Sweep | undefined, part: number): Record<string, string> {
  if (swept === undefined) return {};
  let rest = part - 1;
  const varied: [string, string][] = [];
  for (const [name, values] of Object.entries(swept.parameters).reverse()) {
    const count = Math.max(1, countOf(values));
    varied.unshift([name, valueAt(values, rest % count)]);
    rest = Math.floor(rest / count);
  }
  return { ...swept.sets[rest], ...Object.fromEntries(varied), part: String(part) };
}

/** {name}, {name:04} (zeros in front up to that width), {{ and }}; or a brace that is none of these. */
const PLACE = /\{\{|\}\}|\{([A-Za-z][A-Za-z0-9_]{0,31})(?::0?(\d{1,2}))?\}|[{}]/g;

const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(PLACE, (found: string, name: string | undefined, width: string | undefined) => {
    if (name === undefined) return found.slice(0, 1);
    return padded(values[name] ?? found, Number(width ?? 0));
  });

/** "-7" to the width 3 is "-07". */
const padded = (text: string, width: number): string =>
  text.startsWith("-") ? `-${text.slice(1).padStart(width - 1, "0")}` : text.padStart(width, "0");

/** Arguments and environment of one part. Without a sweep they are as written, braces included. @param part from 1 */
export function commandOf(job: Templates, part: number): { args: string[]; env: Record<string, string> } {
  if (job.sweep === undefined) return { args: [...job.args], env: { ...job.env } };
  const values = valuesOf(job.sweep, part);
  const env = Object.entries(job.env).map(([name, text]): [string, string] => [name, fill(text, values)]);
  return { args: job.args.map((argument) => fill(argument, values)), env: Object.fromEntries(env) };
}

/** The input files that a part has of its own, by their names in it; those that are not there are left out. @param part from 1 */
export function inputsOf(swept: Sweep | undefined, part: number): Record<string, FileRef> {
  if (swept?.inputs === undefined) return {};
  const { names, files } = swept.inputs;
  const values = valuesOf(swept, part);
  const found = Object.entries(names).flatMap(([name, source]): [string, FileRef][] => {
    const from = fill(source, values);
    const file = Object.hasOwn(files, from) ? files[from] : undefined;
    return file ? [[fill(name, values), file]] : [];
  });
  return Object.fromEntries(found);
}

/** Which files the parts need, all together, as `names` calls them. */
export function sourcesOf(swept: Sweep): Set<string> {
  const sources = new Set<string>();
  const templates = Object.values(swept.inputs?.names ?? {});
  if (templates.length === 0) return sources;
  for (let part = 1; part <= countParts(swept); part++) {
    const values = valuesOf(swept, part);
    for (const template of templates) sources.add(fill(template, values));
  }
  return sources;
}

/** Everything that is wrong with a job's sweep but for files that are missing; nothing without one. */
export function sweepProblems(job: Templates): SweepProblem[] {
  if (job.sweep === undefined) return [];
  const { parameters, sets } = job.sweep;
  const problems: SweepProblem[] = [];
  const names = new Set(Object.keys(parameters));
  if (names.size === 0 && sets.length === 0) problems.push(problem("parameters", "no-parameter"));
  if (names.size > MAX_PARAMETERS) problems.push(problem("parameters", "too-many-parameters", { most: MAX_PARAMETERS }));
  for (const [name, values] of Object.entries(parameters)) {
    const at = `parameters.${name}`;
    if (name === "part") problems.push(problem(at, "name-taken"));
    if (countOf(values) === 0) problems.push(problem(at, "empty-range"));
  }
  const columns = Object.keys(sets[0] ?? {});
  sets.forEach((set, at) => {
    const own = Object.keys(set);
    if (own.length !== columns.length || columns.some((column) => !Object.hasOwn(set, column)))
      problems.push(problem(`sets[${at}]`, "uneven-set", { names: columns.join(", ") }));
  });
  for (const column of columns) {
    const at = `sets[0].${column}`;
    if (names.has(column)) problems.push(problem(at, "twice", { name: column }));
    if (column === "part") problems.push(problem(at, "name-taken"));
    names.add(column);
  }
  const count = countParts(job.sweep);
  if (count > MAX_PARTS) problems.push(problem("parameters", "too-many-parts", { count, most: MAX_PARTS }));
  if (problems.length > 0) return problems.slice(0, 20);
  return [...templateProblems(job, names), ...lengthProblems(job)].slice(0, 20);
}

/** Parts whose own files cannot be as they are named, or are not there. For a sweep that has no other problems. */
export function inputProblems(swept: Sweep | undefined): SweepProblem[] {
  if (swept?.inputs === undefined) return [];
  const { names, files } = swept.inputs;
  const known = Object.keys(files);
  const characters = known.reduce((sum, name) => sum + name.length, 0);
  if (known.length > MAX_PART_FILES || characters > MAX_PART_FILE_CHARACTERS || Object.keys(names).length > MAX_FILES_OF_PART)
    return [problem("files", "too-many-files", { most: MAX_PART_FILES })];
  const problems: SweepProblem[] = [];
  for (let part = 1; part <= countParts(swept) && problems.length < 20; part++) {
    const values = valuesOf(swept, part);
    const seen = new Set<string>();
    for (const [template, source] of Object.entries(names)) {
      const at = `files.${template}`;
      const [name, from] = [fill(template, values), fill(source, values)];
      if (!isFileName(name)) problems.push(problem(at, "bad-file-name", { part, name }));
      else if (seen.has(name)) problems.push(problem(at, "same-file-name", { part, name }));
      else if (!Object.hasOwn(files, from)) problems.push(problem(at, "no-file", { part, name: from }));
      seen.add(name);
    }
  }
  return problems;
}

const isFileName = (name: string): boolean =>
  name.length <= 4096 && !/[\0\\]/.test(name) && name.split("/").every((step) => step !== "" && step !== "." && step !== "..");

function templateProblems(job: Templates, names: ReadonlySet<string>): SweepProblem[] {
  const problems: SweepProblem[] = [];
  const used = new Set<string>();
  const texts = [
    ...job.args.map((text, at): [string, string] => [`args[${at}]`, text]),
    ...Object.entries(job.env).map(([name, text]): [string, string] => [`env.${name}`, text]),
    ...Object.entries(job.sweep?.inputs?.names ?? {}).flatMap(([name, source]): [string, string][] => [
      [`files.${name}`, name],
      [`files.${name}`, source],
    ]),
  ];
  for (const [at, text] of texts)
    for (const [found, name] of text.matchAll(PLACE)) {
      if (name !== undefined) used.add(name);
      if (found === "{" || found === "}") problems.push(problem(at, "brace", { twice: found + found, once: found }));
      else if (name !== undefined && name !== "part" && !names.has(name))
        problems.push(problem(at, "unknown-parameter", { name, twice: `{${found}}`, once: found }));
    }
  for (const name of names) if (!used.has(name)) problems.push(problem("args", "unused", { place: `{${name}}` }));
  return problems;
}

/** Arguments are bounded for every part, not only as they are written. */
function lengthProblems(job: Templates): SweepProblem[] {
  const longest = Math.max(0, ...Object.values(longestValues(job.sweep)).map((text) => text.length));
  return job.args.flatMap((text, at) =>
    text.length + (text.split("{").length - 1) * longest > MAX_ARGUMENT_CHARACTERS
      ? [problem(`args[${at}]`, "too-long", { most: MAX_ARGUMENT_CHARACTERS })]
      : [],
  );
}

function longestValues(swept: Sweep | undefined): Record<string, string> {
  const longest: Record<string, string> = {};
  const see = (name: string, text: string): void => {
    if (!Object.hasOwn(longest, name) || text.length > (longest[name] ?? "").length) longest[name] = text;
  };
  for (const [name, values] of Object.entries(swept?.parameters ?? {}))
    for (const text of Array.isArray(values) ? values : [valueAt(values, 0), valueAt(values, countOf(values) - 1)])
      see(name, text);
  for (const set of swept?.sets ?? []) for (const [name, text] of Object.entries(set)) see(name, text);
  return longest;
}

const RANGE = /^(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)(?::(-?\d+(?:\.\d+)?))?$/;

/**
 * Values as people type them: `1..100`, `0..1:0.25` (by steps of 0.25), `10..1` (downwards), `soft,hard`, or a mixture such as `1..3,10`.
 * @throws NS_BAD_JOB
 */
export function parseValues(text: string): Values {
  const ranges = text.split(",").map((piece) => {
    const [, from, to, step] = RANGE.exec(piece.trim()) ?? [];
    if (from === undefined || to === undefined) return [piece];
    const direction = Number(to) < Number(from) ? -1 : 1;
    return { from: Number(from), to: Number(to), step: step === undefined ? direction : Number(step) };
  });
  const [first] = ranges;
  const count = ranges.reduce((sum, values) => sum + countOf(values), 0);
  if (text === "" || ranges.some((values) => countOf(values) === 0))
    throw new NightshiftError("NS_BAD_JOB", `"${text}" gives no values`, { details: { remedy: VALUES_RULE } });
  if (count > MAX_PARTS)
    throw new NightshiftError("NS_BAD_JOB", `"${text}" gives ${count} values; a job has at most ${MAX_PARTS} parts`);
  if (ranges.length === 1 && first !== undefined && !Array.isArray(first)) return first;
  return ranges.flatMap((values) => Array.from({ length: countOf(values) }, (_, at) => valueAt(values, at)));
}

/** As people would type these values; undefined when that would mean others. */
export function textOfValues(values: Values): string | undefined {
  if (!Array.isArray(values)) {
    const { from, to, step } = values;
    return step === (to < from ? -1 : 1) ? `${from}..${to}` : `${from}..${to}:${step}`;
  }
  const text = values.join(",");
  if (text === "" || values.some((one) => one !== one.trim() || /,|^-?[\d.]+\.\.-?\d/.test(one))) return undefined;
  return text;
}

export const VALUES_RULE = "Values are a range (1..100, 0..1:0.25) or a list (soft,hard), or both (1..3,10).";

/** @throws NS_BAD_JOB with everything that is wrong, each with where */
export function requireSweep(job: Templates, where = "the job"): void {
  refuse(sweepProblems(job), where);
}

/** For a sweep that has passed requireSweep(). @throws NS_BAD_JOB with what is wrong with the files that parts have of their own */
export function requireInputs(swept: Sweep | undefined, where = "the job"): void {
  refuse(inputProblems(swept), where);
}

function refuse(problems: readonly SweepProblem[], where: string): void {
  if (problems.length === 0) return;
  const said = problems.map(({ path: at, message }) => `${at}: ${message}`);
  throw new NightshiftError("NS_BAD_JOB", `${where}: ${said.join("; ")}`, { details: { problems } });
}
