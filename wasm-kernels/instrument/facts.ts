// What a migratable module says of itself in its custom section "nightshift.facts": for every site where it may stop, what the
// saved frame holds and how to get back; and what beside memory and globals it may change. Written by the instrumentation, read when a
// process is stopped or resumed.
import { NightshiftError } from "../errors.ts";
import { Reader, Writer } from "./binary.ts";

export const FACTS_SECTION = "nightshift.facts";
const VERSION = 2;

/**
 * A point at which a function can be left and resumed.
 * - `loop`: at the head of a loop, before its body
 * - `poll`: before a call that closes a cycle of calls
 * - `call`: after a call that was left, with the call's results at hand
 */
export type SiteKind = "loop" | "poll" | "call";
const KINDS: readonly SiteKind[] = ["loop", "poll", "call"];

export interface Site {
  id: number;
  kind: SiteKind;
  /** Index of the function in the migratable module. */
  func: number;
  /** Where to resume: byte offset of the next instruction from the start of the function's body. */
  resume: number;
  /** The locals in the saved frame, in order. */
  saved: number[];
  /** The locals that hold the operand stack at the site, bottom first. */
  operands: number[];
  /** For each construct that encloses the site, outermost first: how many of the operands lie beneath it. */
  heights: number[];
  /** Type index of the call's function type (`call` only, else 0). */
  callType: number;
}

export interface Facts {
  sites: Site[];
  /** Tables the program may change. */
  tables: number[];
  /** The program may drop segments, so that an instance cannot be made as new again. */
  drops: boolean;
}

export function writeFacts({ sites, tables, drops }: Facts): Uint8Array {
  const w = new Writer(sites.length * 16 + 16);
  w.u32(VERSION)
    .byte(drops ? 1 : 0)
    .u32(tables.length);
  for (const table of tables) w.u32(table);
  w.u32(sites.length);
  for (const site of sites) {
    w.byte(KINDS.indexOf(site.kind)).u32(site.func).u32(site.resume).u32(site.callType);
    for (const list of [site.saved, site.operands, site.heights]) {
      w.u32(list.length);
      for (const value of list) w.u32(value);
    }
  }
  return w.finish();
}

/** @throws NS_BAD_MODULE when the section is damaged or of another version. */
export function readFacts(section: Uint8Array): Facts {
  const r = new Reader(section);
  const version = r.u32();
  if (version !== VERSION)
    throw new NightshiftError(
      "NS_BAD_MODULE",
      `the program was made migratable by another version of Nightshift (${version}, this is ${VERSION})`,
    );
  const drops = r.byte() === 1;
  const tables = r.vector(() => r.u32());
  const sites = r.vector((id) => {
    const kind = KINDS[r.byte()];
    if (!kind) throw new NightshiftError("NS_BAD_MODULE", `site ${id} is of an unknown kind`);
    const [func, resume, callType] = [r.u32(), r.u32(), r.u32()];
    return {
      id,
      kind,
      func,
      resume,
      callType,
      saved: r.vector(() => r.u32()),
      operands: r.vector(() => r.u32()),
      heights: r.vector(() => r.u32()),
    };
  });
  return { sites, tables, drops };
}
