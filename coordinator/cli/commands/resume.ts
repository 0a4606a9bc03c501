// `nightshift resume`: goes on with a job that `exec --checkpoint` has saved, on any computer.
import { resolve } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Job } from "@nightshift/wasm-kernels/job";
import { loadCheckpoint } from "@nightshift/wasm-kernels/job/node";
import { checkModule } from "@nightshift/wasm-kernels/process";
import type { Command } from "commander";
import { type CommonOptions, collect, declare } from "../command-declaration.ts";
import { parseFolders } from "../local-folders.ts";
import { runHere } from "../local-job.ts";
import { isMigratable } from "../local-program.ts";
import { parseDurationMs } from "../quantities.ts";
import { parseMoves } from "./exec.ts";

interface ResumeOptions extends CommonOptions {
  dir?: string[];
  every: string;
  migrateEvery?: string;
}

export function resumeCommand(): Command {
  return declare({
    usage: "resume <file>",
    description: "go on with a job that `exec --checkpoint` saved",
    examples: ["nightshift resume long.nscp", "nightshift resume --dir data::in --every 1m long.nscp"],
    notes: [
      "The file is all it needs: program, memory, arguments, limits and input files are in it, so it may come from another computer. It goes",
      "on being saved there, and the file is removed when the program ends. stdin: a file is taken for the same input as before and read",
      "from where the job was; a pipe or terminal gives what comes next.",
      "",
      "A checkpoint never says where on this computer files are written: for a job started with --dir, say it again with --dir.",
      "",
      "Exit status and signals are those of `exec`.",
    ].join("\n"),
    json: "what `exec --json` prints",
    coordinator: false,
  })
    .option("--dir <host[::guest]>", "where files go that the job writes below GUEST (repeatable)", collect)
    .option("--every <duration>", "how often it is saved", "10s")
    .option("--migrate-every <ms>", "move a process to a fresh thread at random moments about so many milliseconds apart")
    .action(resume);
}

async function resume(file: string, options: ResumeOptions): Promise<void> {
  const folders = parseFolders(options.dir ?? []);
  const everyMs = parseDurationMs(options.every);
  const migrateEveryMs = options.migrateEvery === undefined ? null : parseMoves(options.migrateEvery);
  const checkpoint = await loadCheckpoint(resolve(file));
  const { program, folders: wanted } = checkpoint.job;
  checkModule(program);
  if (!isMigratable(program)) throw new NightshiftError("NS_BAD_CHECKPOINT", `${file}: its program is not migratable`);
  const missing = wanted.find((guest) => folders.every((folder) => folder.guest !== guest));
  if (missing !== undefined)
    throw new NightshiftError(
      "NS_USAGE",
      `the job writes files: say with --dir ${missing === "" ? "HOST" : `HOST::${missing}`} where they go`,
    );
  await runHere({
    begin: (ports) => Job.resume(checkpoint, ports),
    program,
    stdinPosition: checkpoint.stdin.position,
    folders,
    checkpoint: { file: resolve(file), everyMs },
    migrateEveryMs,
    json: options.json === true,
  });
}
