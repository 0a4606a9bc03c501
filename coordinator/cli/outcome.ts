// How the command ends: the exit status of a process as a shell shows it, and errors as people read them.
import { asNightshiftError, type NightshiftError } from "@nightshift/wasm-kernels/errors";
import { signalOfFault } from "@nightshift/wasm-kernels/process";
import type { ExitReport } from "../protocol/index.ts";
import { type Paint, paintFor } from "./terminal.ts";

/** Exit statuses of the command itself; `run` adds the program's own. Documented in `nightshift --help`. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  ownFailureInRun: 125,
  interrupted: 130,
  brokenPipe: 141,
  suspended: 148,
} as const;

/** Thrown to end with this status when everything has been said already. */
export class ExitWith {
  readonly status: number;
  constructor(status: number) {
    this.status = status;
  }
}

/** The status a shell would show for a program that ended like this: its own, or 128 + signal. */
export function exitStatusOf(report: ExitReport): number {
  if (report.kind === "exit") return report.code;
  if (report.kind === "signal") return 128 + report.signal;
  return 128 + signalOfFault(report.code, report.message);
}

/** "exit 3", "signal 9", "NS_TRAP: unreachable": for tables and messages. */
export function describeReport(report: ExitReport): string {
  if (report.kind === "exit") return `exit ${report.code}`;
  if (report.kind === "signal") return `signal ${report.signal}`;
  return `${report.code}: ${report.message}`;
}

/** The error of a program's fault: what, and the program's own stack, innermost first. */
export function faultText(report: Extract<ExitReport, { kind: "fault" }>, paint: Paint = paintFor(process.stderr)): string {
  const stack = report.wasmStack.map((frame) => `  at ${frame}\n`).join("");
  return `${paint.red("nightshift:")} ${report.code}: ${report.message}\n${paint.dim(stack)}`;
}

/** `nightshift: CODE: sentence` and a line with the remedy. */
export function errorText(thrown: unknown, paint: Paint = paintFor(process.stderr)): string {
  const error = asNightshiftError(thrown);
  const remedy = remedyOf(error);
  const trace = error.code === "NS_INTERNAL" && process.env.NIGHTSHIFT_DEBUG ? `${stackOf(error)}\n` : "";
  return `${paint.red("nightshift:")} ${error.code}: ${error.message}\n${remedy === "" ? "" : `  ${remedy}\n`}${trace}`;
}

/** An error may know better what to do than its code does. */
function remedyOf(error: NightshiftError): string {
  return typeof error.details.remedy === "string" ? error.details.remedy : error.remedy;
}

function stackOf(error: NightshiftError): string {
  return error.cause instanceof Error ? (error.cause.stack ?? "") : (error.stack ?? "");
}
