// Lets NightshiftErrors cross comlink with code and details (comlink by itself keeps only the message). Imported by both ends.
import { type ErrorCode, NightshiftError } from "@nightshift/wasm-kernels/errors";
import * as Comlink from "comlink";

type Thrown = { code: string | null; message: string; details: Record<string, unknown> };

/** Replaces comlink's own handler for what a call throws; comlink marks such values with { value }. */
export function carryErrors(): void {
  const own = Comlink.transferHandlers.get("throw");
  if (!own) return;
  Comlink.transferHandlers.set("throw", {
    canHandle: own.canHandle,
    serialize: ({ value }: { value: unknown }) => {
      const error = value instanceof Error ? value : new Error(String(value));
      const thrown: Thrown =
        error instanceof NightshiftError
          ? { code: error.code, message: error.message, details: { ...error.details } }
          : { code: null, message: error.message, details: {} };
      return [thrown, []];
    },
    deserialize: ({ code, message, details }: Thrown) => {
      throw code === null ? new Error(message) : new NightshiftError(code as ErrorCode, message, { details });
    },
  } as Comlink.TransferHandler<unknown, unknown>);
}
