// `nightshift inspect`: what a checkpoint or an image holds, or what making a module migratable does to it.
import { readFile } from "node:fs/promises";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { isWasm } from "@nightshift/wasm-kernels/instrument";
import {
  type CheckpointDescription,
  describeCheckpoint,
  describeImage,
  describeProgram,
  type ImageDescription,
  isCheckpoint,
  type ProgramDescription,
} from "@nightshift/wasm-kernels/job";
import { loadCheckpoint } from "@nightshift/wasm-kernels/job/node";
import { isImage } from "@nightshift/wasm-kernels/process";
import { zstdPacker } from "@nightshift/wasm-kernels/process/node";
import type { Command } from "commander";
import { type CommonOptions, declare } from "../command-declaration.ts";
import { showBytes, showDuration } from "../quantities.ts";
import { printable } from "../table.ts";
import { printJson, write } from "../terminal.ts";

export function inspectCommand(): Command {
  return declare({
    usage: "inspect <file>",
    description: "show what a checkpoint, an image or a .wasm module holds",
    examples: ["nightshift inspect long.nscp", "nightshift inspect prog.wasm"],
    notes: [
      "A checkpoint or image: its processes, each with its stack (innermost function first), memory, open files and the call it waits in.",
      "A module: its functions, where it can stop, sizes before and after, and why it cannot be moved if it cannot. Nothing is run.",
    ].join("\n"),
    json: '{"checkpoint": ...}, {"image": ...} or {"program": ...}, with all that the text shows and more',
    coordinator: false,
  }).action(inspect);
}

async function inspect(file: string, options: CommonOptions): Promise<void> {
  const read = await readFile(file).catch((cause: Error) => {
    throw new NightshiftError("NS_BAD_FILE", `Cannot read ${file}: ${cause.message}`, { cause });
  });
  const { withoutLauncher } = await import("@nightshift/wasm-kernels/toolchain");
  const bytes = withoutLauncher(read);
  if (isCheckpoint(bytes)) {
    const checkpoint = describeCheckpoint(await loadCheckpoint(file), zstdPacker);
    return options.json ? printJson({ checkpoint }) : show(checkpointLines(checkpoint));
  }
  if (isImage(bytes)) {
    const image = describeImage(bytes, zstdPacker, null);
    return options.json ? printJson({ image }) : show(imageLines(image));
  }
  if (!isWasm(bytes))
    throw new NightshiftError("NS_BAD_FILE", `${file} is no checkpoint, no image and no WebAssembly module`, {
      details: { remedy: "Give a file that `exec --checkpoint` or `cc` has written, or another .wasm module." },
    });
  const program = describeProgram(new Uint8Array(bytes));
  return options.json ? printJson({ program }) : show(programLines(program));
}

const show = (lines: readonly string[]): Promise<void> =>
  write(process.stdout, lines.map((line) => `${printable(line)}\n`).join(""));

function programLines(program: ProgramDescription): string[] {
  const { migratable, refused } = program;
  const lines = [
    `${program.kind} module, ${showBytes(program.bytes)}, ${showBytes(program.codeBytes)} of code`,
    `functions   ${program.functions}${migratable ? `, ${migratable.suspendable} can be left` : ""}`,
    `imports     ${program.imports.join(" ") || "none"}`,
  ];
  if (refused) return [...lines, `moves       no: ${refused.code}: ${refused.message}`];
  if (!migratable) return lines;
  const { loop, poll, call } = migratable.sites;
  lines.push(`sites       ${loop} loops, ${poll} polls before calls, ${call} returns from calls`);
  if (program.kind === "plain") {
    const ratio = (migratable.codeBytes / Math.max(1, program.codeBytes)).toFixed(2);
    lines.push(`migratable  ${showBytes(migratable.bytes)}, ${showBytes(migratable.codeBytes)} of code (${ratio} times)`);
  }
  return [...lines, "moves       yes"];
}

const MAX_LINES = 40;

/** The first of many, and how many more there are. */
function listed(head: string, items: readonly string[]): string[] {
  const shown = items.slice(0, MAX_LINES).map((item, at) => `${(at === 0 ? head : "").padEnd(12)}${item}`);
  return items.length > MAX_LINES ? [...shown, `${"".padEnd(12)}and ${items.length - MAX_LINES} more (--json has all)`] : shown;
}

function imageLines(image: ImageDescription): string[] {
  const hex = (value: number): string => `0x${value.toString(16).padStart(8, "0")}`;
  return [
    `memory      ${showBytes(image.memoryBytes)}, ${showBytes(image.savedBytes)} of it differ from ${image.parent ?? "how the program begins"}`,
    ...listed(
      "ranges",
      image.ranges.map(({ from, to }) => `${hex(from)} - ${hex(to)}  ${showBytes(to - from)}`),
    ),
    ...listed(
      "stack",
      image.stack.map((frame) => `${frame.function ?? "?"}  ${frame.kind ?? "site"} ${frame.site}, ${frame.bytes} bytes`),
    ),
    ...(image.pending === null ? [] : [`waits in    ${image.pending}`]),
    ...listed(
      "open",
      image.descriptors.map(({ fd, what }) => `${fd}  ${what}`),
    ),
    `output      ${image.output.stdout} bytes to stdout, ${image.output.stderr} to stderr`,
    `CPU time    ${showDuration(image.cpuMs)}`,
  ];
}

function checkpointLines(checkpoint: CheckpointDescription): string[] {
  const { stdin, output } = checkpoint;
  const input = `${stdin.position} bytes read${stdin.ended ? ", to its end" : ""}, ${stdin.waiting} of them not passed on`;
  return [
    `checkpoint of ${checkpoint.name}, saved ${checkpoint.savedAt}`,
    `arguments   ${checkpoint.args.slice(1).join(" ") || "none"}`,
    `program     ${checkpoint.programHash}, ${showBytes(checkpoint.program.bytes)}`,
    `limits      ${showBytes(checkpoint.memoryLimitBytes)} of memory a process`,
    `stdin       ${input}`,
    `output      ${output.stdout} bytes to stdout, ${output.stderr} to stderr`,
    `CPU time    ${showDuration(checkpoint.cpuMs)}`,
    ...listed(
      "files",
      checkpoint.files.map(({ path, bytes }) => `${path}  ${showBytes(bytes)}`),
    ),
    ...listed(
      "written",
      checkpoint.written.map(({ path, bytes }) => `${path}  ${bytes === null ? "removed" : showBytes(bytes)}`),
    ),
    ...listed(
      "pipes",
      checkpoint.pipes.map(({ pipe, bytes }) => `${pipe}  ${bytes} bytes in it`),
    ),
    ...checkpoint.processes.flatMap(({ pid, parentPid, stopped, imageBytes, image }) => [
      "",
      `process ${pid}, child of ${parentPid}${stopped ? ", stopped" : ""}${image ? `, image of ${showBytes(imageBytes)}` : ", not begun"}`,
      ...(image ? imageLines(image) : []).map((line) => `  ${line}`),
    ]),
  ];
}
