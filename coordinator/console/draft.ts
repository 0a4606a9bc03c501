// A job as somebody is about to submit it: what the form edits, and what comes of it. Begins empty, from an earlier job, or from a job file. Pure.
import type { PlannedJob } from "../protocol/job-file.ts";
import {
  commandOf,
  countParts,
  inputProblems,
  parseValues,
  type Sweep,
  type SweepProblem,
  sourcesOf,
  sweepProblems,
  textOfValues,
} from "../protocol/sweep.ts";
import type { Answer } from "./client.ts";
import { joinWords, splitWords } from "./words-of-arguments.ts";

type Detail = Answer<"job">;

/** A parameter as it stands in the form. */
export interface Parameter {
  /** Tells its row from others. */
  id: number;
  name: string;
  text: string;
  /** Values that cannot be typed, as long as nobody types others. */
  kept?: Sweep["parameters"][string];
}

export interface Draft {
  args: string;
  parameters: Parameter[];
  sets: Sweep["sets"];
  name: string;
  memoryMiB: string;
  cpuSeconds: string;
  hosts: string;
  seed: string;
  /** NAME=VALUE lines. */
  env: string;
  clock: "virtual" | "host";
  /** It is to run even if it cannot be moved. */
  pin: boolean;
  /** What the screensavers of its hosts may show of it; "": nothing. */
  show: NonNullable<PlannedJob["show"]> | "";
  /** Files that differ from part to part: names in the part, and of the file, both with {name} where a value goes. */
  inputs: Record<string, string>;
}

export const EMPTY: Draft = {
  ...{
    args: "",
    parameters: [],
    sets: [],
    name: "",
    memoryMiB: "1024",
    cpuSeconds: "",
    hosts: "",
    seed: "",
    env: "",
    clock: "virtual",
    pin: false,
    show: "",
    inputs: {},
  },
};

let nextId = 1;
export const parameter = (name: string, text: string): Parameter => ({ id: nextId++, name, text });

const rowsOf = (sweep: Sweep | null | undefined): Parameter[] =>
  Object.entries(sweep?.parameters ?? {}).map(([name, values]) => {
    const text = textOfValues(values);
    return text === undefined ? { ...parameter(name, JSON.stringify(values)), kept: values } : parameter(name, text);
  });
const linesOf = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    // What would not stand in a line as it is, as JSON has it.
    .map(([name, value]) => `${name}=${/\n|^"/.test(value) ? JSON.stringify(value) : value}`)
    .join("\n");

export const draftOfJob = ({
  job,
  args,
  env,
  sweep,
  hosts,
  seed,
  clock,
  pinned,
  show,
  memoryLimitBytes,
  cpuLimitMs,
}: Detail): Draft => ({
  ...{
    args: joinWords(args.slice(1)),
    parameters: rowsOf(sweep),
    sets: sweep?.sets ?? [],
    name: job.name,
    clock,
    pin: pinned !== null,
    show: show ?? "",
  },
  ...{ memoryMiB: String(memoryLimitBytes / 2 ** 20), cpuSeconds: cpuLimitMs === 0 ? "" : String(cpuLimitMs / 1000) },
  ...{ hosts: hosts.join(", "), seed: seed === null ? "" : String(seed), env: linesOf(env), inputs: sweep?.inputs?.names ?? {} },
});

export const draftOfFile = (file: PlannedJob): Draft => ({
  ...{ args: joinWords(file.args), parameters: rowsOf(file.sweep), sets: file.sweep?.sets ?? [], name: file.name ?? "" },
  ...{ memoryMiB: String(file.memoryMiB ?? 1024), cpuSeconds: String(file.cpuSeconds ?? ""), clock: file.clock ?? "virtual" },
  ...{ hosts: (file.hosts ?? []).join(", "), seed: String(file.seed ?? ""), env: linesOf(file.env) },
  ...{ pin: file.pin ?? false, show: file.show ?? "" },
  inputs: file.sweep?.inputs?.names ?? {},
});

/** The draft with a part for each of these files: a parameter has their names as values. */
export function withPartForEach(draft: Draft, names: readonly string[]): Draft {
  const name = "file";
  const before = draft.parameters.find((one) => one.name === name);
  const known = before?.kept ?? [];
  const kept = [...new Set([...(Array.isArray(known) ? known : []), ...names])];
  const row = { ...(before ?? parameter(name, "")), text: textOfValues(kept) ?? JSON.stringify(kept), kept };
  const place = `{${name}}`;
  return {
    ...draft,
    parameters: before ? draft.parameters.map((one) => (one === before ? row : one)) : [...draft.parameters, row],
    args: draft.args.includes(place) ? draft.args : `${draft.args} ${place}`.trim(),
    inputs: { ...draft.inputs, [place]: place },
  };
}

const placesOf = (name: string): RegExp => new RegExp(`\\{${name}(?=[:}])`, "g");
/** A parameter has another name, or is gone: what speaks of it follows, or goes with it. */
export function withoutParameter(inputs: Draft["inputs"], name: string): Draft["inputs"] {
  return Object.fromEntries(Object.entries(inputs).filter((entry) => !entry.some((text) => text.search(placesOf(name)) >= 0)));
}
export function withRenamed(inputs: Draft["inputs"], name: string, next: string): Draft["inputs"] {
  if (!PARAMETER.test(name) || !PARAMETER.test(next)) return inputs;
  const renamed = (text: string): string => text.replaceAll(placesOf(name), `{${next}`);
  return Object.fromEntries(Object.entries(inputs).map(([to, from]) => [renamed(to), renamed(from)]));
}
const PARAMETER = /^[A-Za-z][A-Za-z0-9_]{0,31}$/;

function unquoted(value: string): string {
  try {
    const parsed: unknown = value.startsWith('"') ? JSON.parse(value) : value;
    return typeof parsed === "string" ? parsed : value;
  } catch {
    return value;
  }
}

/** What only the form can have wrong: a bad name of a parameter, one that another has, values that are none. */
export interface FormProblem {
  path: string;
  code: "form-name" | "form-twice" | "form-values";
}

/** What would run: how many parts, the first command lines, and what is wrong. */
export interface Preview {
  parts: number;
  lines: string[];
  problems: (SweepProblem | FormProblem)[];
  sweep: Sweep | null;
  /** Files that parts have of their own, all together. */
  sources: string[];
  args: string[];
  env: Record<string, string>;
}

const SHOWN = 4;

const NO_FILE = { hash: "", size: 0 };

/** @param program its name, as the program sees it @param has whether there is a file of that name for a part */
export function previewOf(draft: Draft, program: string, has: (source: string) => boolean = () => true): Preview {
  const problems: Preview["problems"] = [];
  const parameters: Sweep["parameters"] = {};
  for (const { name, text, kept } of draft.parameters) {
    if (!PARAMETER.test(name) || Object.hasOwn(parameters, name))
      problems.push({ path: name || "?", code: Object.hasOwn(parameters, name) ? "form-twice" : "form-name" });
    try {
      parameters[name] = kept ?? parseValues(text);
    } catch {
      problems.push({ path: name, code: "form-values" });
    }
  }
  const env = Object.fromEntries(
    draft.env
      .split("\n")
      .filter((line) => line.includes("="))
      .map((line): [string, string] => [line.slice(0, line.indexOf("=")).trim(), unquoted(line.slice(line.indexOf("=") + 1))]),
  );
  const args = splitWords(draft.args);
  const names = draft.inputs;
  const inputs = Object.keys(names).length > 0 && { inputs: { names, files: {} } };
  const sweep: Sweep | null =
    draft.parameters.length + draft.sets.length === 0 ? null : { parameters, sets: draft.sets, ...inputs };
  const job = { args, env, sweep: sweep ?? undefined };
  if (problems.length === 0) problems.push(...sweepProblems(job));
  const sources = sweep && problems.length === 0 ? [...sourcesOf(sweep)] : [];
  if (sweep && problems.length === 0) {
    const files = Object.fromEntries(sources.filter(has).map((source) => [source, NO_FILE]));
    problems.push(...inputProblems({ ...sweep, inputs: { names, files } }));
  }
  const parts = problems.some(({ path }) => path.startsWith("parameters")) ? 0 : countParts(job.sweep);
  const shown = Math.min(parts, SHOWN);
  const lines = Array.from({ length: shown }, (_, at) => joinWords([program, ...commandOf(job, at + 1).args]));
  if (parts > shown) lines.push("…", joinWords([program, ...commandOf(job, parts).args]));
  return { parts, lines, problems, sweep, sources, args, env };
}

/** The body of the request, but for program and files. @param files of parts of their own, by the names that the sweep has for them */
export function bodyOf(draft: Draft, preview: Preview, files: Record<string, { hash: string; size: number }> = {}) {
  const { sweep } = preview;
  const list = (text: string): string[] => text.split(",").flatMap((one) => one.trim() || []);
  return {
    ...{ args: preview.args, env: preview.env, clock: draft.clock, pin: draft.pin, hosts: list(draft.hosts) },
    sweep: sweep?.inputs ? { ...sweep, inputs: { names: sweep.inputs.names, files } } : sweep,
    memoryLimitBytes: Math.round(Number(draft.memoryMiB) * 2 ** 20),
    cpuLimitMs: Math.round(Number(draft.cpuSeconds || 0) * 1000),
    seed: draft.seed === "" ? null : Number(draft.seed),
    show: draft.show || null,
    ...(draft.name && { name: draft.name }),
  };
}
