// A program that the shell can run: a module behind a few lines of shell that give it to a command. For builds that run what they have built. Unix
// systems take such a file for a script by its first two bytes, and the shell never reads beyond `exec`.

/** Says what the file is to whoever opens it, and to us where the module begins: after the line behind it. */
const MARK = "# A WebAssembly program behind the command that runs it.\n";

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** @param command what runs it; the file's own path and the arguments follow */
export function withLauncher(wasm: Uint8Array, command: readonly string[]): Uint8Array {
  const script = `#!/bin/sh\n${MARK}exec ${command.map(quoted).join(" ")} "$0" "$@"\n`;
  return Buffer.concat([Buffer.from(script), wasm]);
}

/** The module of a program that has a launcher, or the bytes as they are. */
export function withoutLauncher(bytes: Uint8Array): Uint8Array {
  const script = Buffer.from(`#!/bin/sh\n${MARK}`);
  if (script.compare(bytes.subarray(0, script.length)) !== 0) return bytes;
  const end = bytes.indexOf(10, script.length);
  return end < 0 ? bytes : bytes.slice(end + 1);
}
