// What a migratable module says of itself in its custom section "nightshift.facts": for every site where it may stop, what the
// saved frame holds and how to get back; and what beside memory and globals it may change. Written by the instrumentation, read when a
// process is stopped or resumed.
import { NightshiftError } from "../errors.ts";
import { Reader, Writer } from "./binary.ts";

export const FACTS_SECTION = "nightshift.facts";
const VERSION = 3;

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
  /** How many constructs enclose the site. */
  enclosing: number;
  /** For each operand: how many of those lie around it, so it is beneath all further in. Ascending. */
  depths: number[];
  /** Type index of the call's function type (`call` only, else 0). */
  callType: number;
}

/** The doors of one function (doors.ts). */
export interface Doors {
  /** Where the loops are: byte offsets from the start of the function's body, that of door 1 first. Ascending. */
  loops: number[];
  /** The locals handed over, in order. */
  handed: number[];
}

export interface Facts {
  sites: Site[];
  /** By index of the function in the migratable module. */
  doors: Map<number, Doors>;
  /** Tables the program may change. */
  tables: number[];
  /** The program may drop segments, so that an instance cannot be made as new again. */
  drops: boolean;
}

/** Most lists of saved locals of a function that a later site refers to by how long ago there was one. */
const REMEMBERED = 64;

/**
 * Sites stand in order, so most of a site is little more than the last: function and place as differences, the list of locals perhaps one
 * of the function's earlier ones.
 */
export function writeFacts({ sites, doors, tables, drops }: Facts): Uint8Array {
  const w = new Writer(sites.length * 8 + 16);
  w.u32(VERSION)
    .byte(drops ? 1 : 0)
    .u32(tables.length);
  for (const table of tables) w.u32(table);
  w.u32(sites.length);
  let [func, resume] = [0, 0];
  let lists: number[][] = [];
  for (const site of sites) {
    if (site.func !== func) [lists, resume] = [[], 0];
    w.byte(KINDS.indexOf(site.kind)).u32(site.func - func);
    w.s32(site.resume - resume);
    [func, resume] = [site.func, site.resume];
    if (site.kind === "call") w.u32(site.callType);
    const ago = lists.findIndex((list) => list.length === site.saved.length && list.every((local, k) => local === site.saved[k]));
    w.u32(ago + 1);
    if (ago < 0) {
      writeList(w, site.saved);
      lists = [site.saved, ...lists.slice(0, REMEMBERED - 1)];
    }
    writeList(w, site.operands);
    w.u32(site.enclosing);
    for (const depth of site.depths) w.u32(depth);
  }
  w.u32(doors.size);
  for (const [of, { loops, handed }] of doors) {
    w.u32(of);
    writeList(w, loops);
    writeList(w, handed);
  }
  return w.finish();
}

function writeList(w: Writer, values: readonly number[]): void {
  w.u32(values.length);
  for (const value of values) w.u32(value);
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
  let [func, resume] = [0, 0];
  let lists: number[][] = [];
  const list = (): number[] => r.vector(() => r.u32());
  const sites = r.vector((id) => {
    const kind = KINDS[r.byte()];
    if (!kind) throw new NightshiftError("NS_BAD_MODULE", `site ${id} is of an unknown kind`);
    const on = r.u32();
    if (on > 0) [lists, resume] = [[], 0];
    func += on;
    resume += r.s33();
    const callType = kind === "call" ? r.u32() : 0;
    const ago = r.u32();
    const saved = ago === 0 ? list() : lists[ago - 1];
    if (!saved) throw new NightshiftError("NS_BAD_MODULE", `site ${id} refers to a list of locals that is not there`);
    if (ago === 0) lists = [saved, ...lists.slice(0, REMEMBERED - 1)];
    const operands = list();
    const enclosing = r.u32();
    return { id, kind, func, resume, callType, saved, operands, enclosing, depths: operands.map(() => r.u32()) };
  });
  // Programs made before there were doors have none: the section ends here.
  const doors = r.done ? [] : r.vector(() => [r.u32(), { loops: list(), handed: list() }] as const);
  return { sites, doors: new Map(doors), tables, drops };
}
