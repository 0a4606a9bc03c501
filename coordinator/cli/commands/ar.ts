// `nightshift ar` and `nightshift ranlib`: archives of objects, as builds make them.
import { readFile, writeFile } from "node:fs/promises";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Command } from "commander";
import { declare } from "../command-declaration.ts";
import { buildToolchain } from "../program-file.ts";
import { write } from "../terminal.ts";

export function arCommand(): Command {
  return declare({
    usage: "ar <operation> <archive> [object...]",
    description: "put objects of `nightshift cc -c` into an archive",
    examples: ["nightshift ar rcs libpart.a a.o b.o", "nightshift ar t libpart.a"],
    notes: "Operations: r or q (add, in place of those of the same name), t (list), s (the index, which there always is).",
    coordinator: false,
  }).action(async (operation: string, archive: string, objects: string[]) => {
    const { addToArchive, listArchive } = await buildToolchain();
    const letters = operation.replace(/^-/, "");
    const existing = await readFile(archive).then(
      (bytes) => new Uint8Array(bytes),
      () => undefined,
    );
    if (/^[cuvsSDUPlT]*[rq][cuvsSDUPlT]*$/.test(letters)) {
      const made = await addToArchive(existing, objects);
      return writeFile(archive, made).catch((cause: Error) => {
        throw new NightshiftError("NS_BAD_FILE", `Cannot write ${archive}: ${cause.message}`, { cause });
      });
    }
    if (!/^(?:t[vDO]*|s)$/.test(letters))
      throw new NightshiftError("NS_USAGE", `ar knows the operations r, q, t and s, not '${operation}'`);
    if (!existing) throw new NightshiftError("NS_SOURCE_NOT_FOUND", `There is no archive ${archive}`);
    if (letters !== "s") await write(process.stdout, await listArchive(existing));
  });
}

/** Does nothing: `ar` has written the index. For builds that call it. */
export const ranlibCommand = (): Command =>
  new Command("ranlib")
    .description("does nothing: ar has written the index")
    .argument("<archive>")
    .action(() => undefined);
