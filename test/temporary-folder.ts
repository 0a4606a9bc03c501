// Vitest's global set-up: every temporary folder of a test run lies in one, which is removed at the end, whatever became of the tests.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export default function setUp(): () => void {
  // Short: paths of Unix sockets, which tests make in here, are at most about 100 bytes long.
  const folder = mkdtempSync(join(tmpdir(), "ns-"));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  return () => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  };
}
