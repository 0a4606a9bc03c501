// The format of archives of objects, as GNU's and BSD's ar write it (ar(5)): what is in one. Pure; making them is the compiler's ar's.
import { NightshiftError } from "../errors.ts";

export interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const MAGIC = "!<arch>\n";
/** name 16, date 12, owner 6, group 6, mode 8, size 10, end 2; all of it text */
const HEADER_BYTES = 60;

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");

export const isArchive = (bytes: Uint8Array): boolean => latin1(bytes.subarray(0, MAGIC.length)) === MAGIC;

/** In their order, without the index. @throws NS_BAD_FILE */
export function archiveMembers(archive: Uint8Array): Member[] {
  if (!isArchive(archive)) throw new NightshiftError("NS_BAD_FILE", "This is no archive of objects");
  const members: Member[] = [];
  let longNames = "";
  for (let at = MAGIC.length; at < archive.length; ) {
    const header = latin1(archive.subarray(at, at + HEADER_BYTES));
    const size = Number(header.slice(48, 58));
    const begin = at + HEADER_BYTES;
    if (!header.endsWith("`\n") || !/^\d+ *$/.test(header.slice(48, 58)) || begin + size > archive.length)
      throw new NightshiftError("NS_BAD_FILE", `The archive is damaged at byte ${at}`);
    const bytes = archive.subarray(begin, begin + size);
    const word = header.slice(0, 16).trimEnd();
    const bsd = Number(/^#1\/(\d+)$/.exec(word)?.[1] ?? 0);
    const [, start] = /^\/(\d+)$/.exec(word) ?? [];
    if (word === "//") longNames = latin1(bytes);
    else if (bsd > 0) members.push({ name: latin1(bytes.subarray(0, bsd)).replace(/\0+$/, ""), bytes: bytes.subarray(bsd) });
    else if (start !== undefined) members.push({ name: longNames.slice(Number(start)).split("/\n", 1)[0] ?? "", bytes });
    else if (word !== "/" && word !== "/SYM64/") members.push({ name: word.replace(/\/$/, ""), bytes });
    at = begin + size + (size % 2);
  }
  return members.filter(({ name }) => !name.startsWith("__.SYMDEF"));
}
