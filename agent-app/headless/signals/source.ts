// What a source of signals is: it tells what it sees whenever that changes, and undefined when it cannot see any more.
import type { Signals } from "../../policy/index.ts";

export interface Watch {
  update(signals: Signals): void;
  /** Monotonic milliseconds, as the policy's. */
  now(): number;
  log(event: string, details?: Readonly<Record<string, unknown>>): void;
}

export interface Source {
  close(): void;
}
