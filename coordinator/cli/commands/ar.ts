// `nightshift ar` and `nightshift ranlib`: archives of objects, as builds make them.
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { Command } from "commander";
import { declare } from "../command-declaration.ts";
import { buildToolchain } from "../program-file.ts";
import { write } from "../terminal.ts";

export function arCommand(): Command {
  return (
    declare({
      usage: "ar <operation> <archive> [object...]",
      description: "put objects of `nightshift cc -c` into an archive",
      examples: ["nightshift ar rcs libpart.a a.o b.o", "nightshift ar t libpart.a", "nightshift ar x libpart.a b.o"],
      notes:
        "Operations: r or q (add, in place of those of the same name), t (list), x (write them here), s (the index, which there always is).",
      coordinator: false,
    })
      // `ar -rcs`, as many builds write it, is no option of ours.
      .allowUnknownOption()
      .action(ar)
  );
}

async function ar(operation: string, archive: string, objects: string[]): Promise<void> {
  const { addToArchive, archiveMembers } = await buildToolchain();
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
  const [, what] = /^[vouDUO]*([txs])[vouDUO]*$/.exec(letters) ?? [];
  if (!what) throw new NightshiftError("NS_USAGE", `ar knows the operations r, q, t, x and s, not '${operation}'`);
  if (!existing) throw new NightshiftError("NS_SOURCE_NOT_FOUND", `There is no archive ${archive}`);
  if (what === "s") return;
  const members = archiveMembers(existing).filter(({ name }) => objects.length === 0 || objects.includes(name));
  const missing = objects.find((name) => !members.some((member) => member.name === name));
  if (missing !== undefined) throw new NightshiftError("NS_SOURCE_NOT_FOUND", `There is no ${missing} in ${archive}`);
  if (what === "t") return write(process.stdout, members.map(({ name }) => `${name}\n`).join(""));
  for (const { name, bytes } of members) {
    if (name !== basename(name) || /^\.*$/.test(name) || name.includes("\\"))
      throw new NightshiftError("NS_BAD_FILE", `${archive} has a member called '${name}', which is no file of this folder`);
    await writeFile(name, bytes);
  }
}

/** Does nothing: `ar` has written the index. For builds that call it. */
export const ranlibCommand = (): Command =>
  new Command("ranlib")
    .description("does nothing: ar has written the index")
    .argument("<archive...>")
    .allowUnknownOption() // -t, -D, -U: which times the index shall have
    .action(() => undefined);
