// Requests about jobs and processes: what they are and wrote, uploads, submitting, cancelling, migrating.
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { commandOf, inputsOf, requireInputs, requireSweep } from "../../protocol/index.ts";
import { type Job, type PartKey, type ProcessRecord, partKey } from "../../scheduler/index.ts";
import { partState } from "../views.ts";
import type { Who } from "./access.ts";
import { type Input, MAX_OUTPUT_BYTES } from "./api.ts";
import type { Services } from "./services.ts";
import type { Handlers } from "./site.ts";

const MAX_STAYS = 20_000;

type Served =
  | ("jobs" | "job" | "grid" | "parts" | "part" | "processes" | "stays" | "output" | "wholeOutput" | "file" | "upload" | "submit")
  | ("cancelJob" | "cancelPart" | "retryJob" | "process" | "migrate" | "cancelProcess");

/** As people see it: a job whose program says that it failed has failed. */
const outcomeOf = ({ state, parts }: Job): Job["state"] => (state === "exited" && parts.failed > 0 ? "failed" : state);

/** The letter of each state in a grid. */
const LETTER = { queued: "q", running: "r", done: "d", failed: "f", cancelled: "c" } as const;

export function jobHandlers({ coordinator, actions, views, compiler, blobs }: Services): Handlers<Served> {
  const { core, store } = coordinator;
  const job = (id: number): Job => {
    const found = core.jobs.get(id);
    if (!found) throw new NightshiftError("NS_NO_SUCH_JOB", `there is no job ${id}`);
    return found;
  };
  const process = (pid: number): ProcessRecord => {
    const found = core.processes.get(pid);
    if (!found) throw new NightshiftError("NS_NO_SUCH_PROCESS", `there is no process ${pid}`);
    return found;
  };
  const own = (id: number, who: Who): void => {
    if (who.role !== "administrator" && job(id).by !== who.name)
      throw new NightshiftError("NS_FORBIDDEN", `job ${id} is somebody else's`);
  };

  /** @returns at most `limit` bytes, and where to go on */
  const outputOf = (part: PartKey, stream: 1 | 2, from: number, limit: number, pid: number | null) => {
    const { chunks } = store.output(part, stream, from, limit, pid);
    const last = chunks.at(-1);
    const bytes = Buffer.concat(chunks.map((chunk) => chunk.bytes));
    // The last chunk may be longer than what was asked for.
    const spare = Math.max(0, bytes.length - limit);
    const next = last === undefined ? from : last.offset + last.bytes.length - spare;
    return { bytes: bytes.subarray(0, bytes.length - spare), next };
  };

  const programOf = async ({ program, pin }: Input<"submit">["body"]) => {
    if ("stored" in program) return { program: program.stored, diagnostics: "" };
    return compiler.program(program.name, await blobs.get(program.hash), pin);
  };

  return {
    jobs: ({ query }) => {
      const { state, search, before = Number.POSITIVE_INFINITY, limit } = query;
      const text = search.toLowerCase();
      const fits = [...core.jobs.values()]
        .reverse()
        .filter((one) => one.id < before && (state === undefined || outcomeOf(one) === state))
        .filter(({ id, spec, by }) => `j${id} ${spec.name} ${by ?? ""}`.toLowerCase().includes(text));
      return { jobs: fits.slice(0, limit).map((one) => views.job(one)), more: fits.length > limit };
    },
    job: ({ params }) => {
      const found = job(params.job);
      const { program, args, env, sweep = null, files: inputs, onlyOn = [], startOn, stay, clock, seed = null } = found.spec;
      const { memoryLimitBytes, cpuLimitMs, pinned = null, show = null } = found.spec;
      return {
        ...{ job: views.job(found), root: found.root, program, args, env, sweep, inputs, startOn, stay, clock, seed },
        ...{ memoryLimitBytes, cpuLimitMs, pinned, show, freezesMs: found.freezesMs, waiting: core.waiting(found.id) ?? null },
        hosts: onlyOn.map((host) => views.nameOf(host)),
      };
    },
    grid: ({ params }) => ({
      states: core
        .partsOf(params.job)
        .map((part) => LETTER[partState(core, part)])
        .join(""),
    }),
    parts: ({ params, query }) => {
      const { state, after, limit } = query;
      const later = core
        .partsOf(params.job)
        .filter((part) => part.number > after && (state === undefined || partState(core, part) === state));
      return { parts: later.slice(0, limit).map((part) => views.part(part)), more: later.length > limit };
    },
    part: ({ params }) => {
      const part = core.part(params.job, params.part);
      const { spec } = job(params.job);
      const inputs = inputsOf(spec.sweep, part.number);
      return { part: views.part(part), ...commandOf(spec, part.number), inputs, files: part.files };
    },
    processes: ({ params, query }) => {
      const later = core.processesOf(job(params.job).id).filter(({ pid }) => pid > query.after);
      const processes = later.slice(0, query.limit).map((one) => views.process(one));
      return { processes, more: later.length > query.limit };
    },
    stays: ({ params }) => ({
      stays: store.journal
        .stays(job(params.job).id, MAX_STAYS)
        .map(({ pid, at, host, ended, again }) => ({ pid, at, host: host === null ? null : views.nameOf(host), ended, again })),
    }),
    output: async ({ params, query }, { reply }) => {
      const { from, limit, pid = null } = query;
      const { bytes, next } = outputOf(partKey(job(params.job).id, query.part), query.stream === "1" ? 1 : 2, from, limit, pid);
      await reply
        .headers({ "nightshift-next": String(next), "content-disposition": "attachment" })
        .type("application/octet-stream")
        .send(bytes);
      return undefined;
    },
    wholeOutput: async ({ params, query }, { reply }) => {
      const { id } = job(params.job);
      const { part, stream } = query;
      const { stdoutBytes, stderrBytes } = core.part(id, part);
      const [until, name] = stream === "1" ? [stdoutBytes, "stdout"] : [stderrBytes, "stderr"];
      // Nothing that has been counted is missing.
      await coordinator.stored();
      const pieces = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < until; ) {
          const limit = Math.min(MAX_OUTPUT_BYTES, until - at);
          const { bytes, next } = outputOf(partKey(id, part), stream === "1" ? 1 : 2, at, limit, null);
          if (next <= at) return; // removed meanwhile
          at = next;
          yield bytes;
        }
      };
      await reply
        .header("content-disposition", `attachment; filename="j${id}.${part}-${name}"`)
        .type("application/octet-stream")
        .send(Readable.from(pieces(), { objectMode: false }));
      return undefined;
    },
    file: async ({ params, query }, { reply }) => {
      const { files } = core.part(params.job, query.part);
      const file = Object.hasOwn(files, query.path) ? files[query.path] : undefined;
      if (!file) throw new NightshiftError("NS_NOT_FOUND", `job ${params.job} has not written ${query.path}`);
      const name = encodeURIComponent(basename(query.path)).replaceAll("'", "%27");
      await reply
        .header("content-disposition", `attachment; filename*=UTF-8''${name}`)
        .type("application/octet-stream")
        .send(Buffer.from(await blobs.get(file.hash)));
      return undefined;
    },
    upload: async (_, { request }) => {
      if (!Buffer.isBuffer(request.body))
        throw new NightshiftError("NS_BAD_REQUEST", "send the bytes as application/octet-stream");
      const hash = createHash("sha256").update(request.body).digest("hex");
      await blobs.put(hash, request.body);
      return { hash, size: request.body.length };
    },
    submit: async ({ body }, { who }) => {
      for (const { hash } of [...Object.values(body.files), ...Object.values(body.sweep?.inputs?.files ?? {})])
        if (!(await blobs.has(hash)))
          throw new NightshiftError("NS_NOT_FOUND", `the file ${hash.slice(0, 12)}... has not been uploaded`);
      const { memoryLimitBytes, cpuLimitMs, startOn, stay, files, env, clock, hosts, seed, sweep, show } = body;
      const common = { memoryLimitBytes, cpuLimitMs, startOn, stay, files, env, clock, stdin: false };
      const spec = {
        ...{ ...common, name: body.name ?? body.program.name, args: [body.program.name, ...body.args] },
        ...(hosts.length > 0 && { onlyOn: hosts }),
        ...(sweep && { sweep }),
        ...(seed !== null && { seed }),
        ...(show !== null && { show }),
      };
      // Before compiling: what is wrong with it is told at once.
      requireSweep(spec);
      requireInputs(spec.sweep);
      const { program, diagnostics } = await programOf(body);
      const made = actions.submit({ ...spec, program }, who.name);
      return { job: made.id, pid: made.root, diagnostics };
    },
    cancelJob: ({ params }, { who }) => {
      own(params.job, who);
      return { cancelled: actions.cancel({ job: params.job }, who.name) };
    },
    cancelPart: ({ params }, { who }) => {
      own(params.job, who);
      return { cancelled: actions.cancel(params, who.name) };
    },
    retryJob: ({ params, body }, { who }) => {
      own(params.job, who);
      return { retried: actions.retry(params.job, body.parts, who.name) };
    },
    process: ({ params }) => views.process(process(params.pid)),
    migrate: ({ params, body }, { who }) => {
      own(process(params.pid).job, who);
      return actions.migrate(params.pid, body.host, who.name);
    },
    cancelProcess: ({ params }, { who }) => {
      own(process(params.pid).job, who);
      return { cancelled: actions.cancel({ pid: params.pid }, who.name) };
    },
  };
}
