// Follows what the processes on this host print, while somebody watches the screensaver and as far as their submitters want it shown; keeps of it what a
// screen has room for. Not watched it keeps nothing and reads nothing.
//
// A process that was here before, or has come in the middle of its work, has printed something already: the coordinator is asked for that, and until its
// answer is here what is printed meanwhile waits in the process's outbox.
import type { Work } from "@nightshift/coordinator/protocol";
import { NetpbmReader } from "./netpbm.ts";
import { MAX_TILES, placesAround, type Shown, type Tile } from "./shown.ts";
import { Spectrum } from "./spectrum.ts";

/** Points of all pictures together. */
const MAX_PIXELS = 400_000;
/** So much of what was printed before is asked for: of pictures all of it or nothing, of numbers the end. */
const MAX_BEFORE_IMAGE = 16 * 2 ** 20;
const MAX_BEFORE_SPECTRUM = 2 ** 19;
/** Of pictures printed as text, all together, so much a second: 120 ms of a core, and one of 1920 x 1080 at once. */
const MAX_TEXT = 32 * 2 ** 20;
/** But so much of each: more than of a file at a time. */
const MIN_TEXT = 2 * 2 ** 20;
/** Larger files are not looked at. */
const MAX_FILE = 64 * 2 ** 20;
/** Of a file so much at a time, a second apart: this is the thread that stops everything when the owner comes, and text takes it 4 ms for each MiB. */
const FILE_AT_ONCE = 2 ** 20;
/** Of the files that a process wrote so many that may be pictures are tried. */
const MAX_TRIED = 4;
const LETTER_P = 80;
/** A job of which nothing is here any more stays on the screen, as its next part may be on its way, unless there is other work to show. */
const KEPT_MS = 60_000;

/** A process on this host. */
export interface Printer {
  readonly pid: number;
  readonly epoch: number;
  readonly work: Work | null;
  /** What it has printed here and the coordinator has not acknowledged, in order. */
  unacknowledged(): Iterable<{ offset: number; bytes: Uint8Array }>;
}

interface Followed {
  printer: Printer;
  tile: KeptTile;
  /** How much of what it has printed has been read. */
  at: number;
  /** Whether the coordinator has been asked for what follows, or is to be with the next news. */
  asked: "no" | "yes" | "later";
  /** It was too far behind already once. */
  wasLate: boolean;
}

interface KeptTile {
  part: number;
  state: Tile["state"];
  reader: NetpbmReader | Spectrum;
  /** Of a file that is being read. */
  rest: Uint8Array | undefined;
  hasChanged: boolean;
}

export class ShownWork {
  private readonly ask: (pid: number, epoch: number, offset: number) => void;
  private readonly now: () => number;
  private readonly followed = new Map<Printer, Followed>();
  /** Everybody here whose work may be shown, in the order of their coming. */
  private readonly printers = new Set<Printer>();
  private watched = false;
  private shown: (Omit<Shown, "tiles"> & { hereAt: number }) | undefined;
  private readonly tiles = new Map<number, KeptTile>();
  private hasNews = false;

  /**
   * @param ask the coordinator what the process has printed from there on; its answer comes by answered()
   * @param now monotonic milliseconds
   */
  constructor(ask: ShownWork["ask"], now: () => number) {
    this.ask = ask;
    this.now = now;
  }

  watch(on: boolean): void {
    this.watched = on;
    if (on) this.follow();
    else this.forget();
  }

  /** A process is here. */
  came(printer: Printer): void {
    if (printer.work?.show === undefined) return;
    this.printers.add(printer);
    if (this.watched) this.follow();
  }

  /** It is here no more. @param hasEnded or else it has been moved */
  left(printer: Printer, hasEnded: boolean): void {
    this.printers.delete(printer);
    const found = this.followed.get(printer);
    this.followed.delete(printer);
    if (!found) return;
    found.tile.state = hasEnded ? "ended" : "gone";
    this.changed(found.tile);
  }

  /** It has printed these bytes, of which the first is at this offset. */
  printed(printer: Printer, offset: number, bytes: Uint8Array): void {
    const found = this.followed.get(printer);
    if (found) this.read(found, offset, bytes);
  }

  /** @param end how much it has printed */
  answered(printer: Printer, offset: number, bytes: Uint8Array, end: number): void {
    const found = this.followed.get(printer);
    if (!found) return;
    found.asked = "no";
    const { reader } = found.tile;
    const behind = end - found.at;
    const isTooFar = behind > (reader instanceof Spectrum ? MAX_BEFORE_SPECTRUM : MAX_BEFORE_IMAGE);
    if (isTooFar || offset > found.at) {
      // What was before stays unknown. Numbers can be read from anywhere, a picture cannot.
      if (!(reader instanceof Spectrum)) {
        found.at = Number.POSITIVE_INFINITY;
        return;
      }
      reader.skipLine();
      found.at = isTooFar ? end - MAX_BEFORE_SPECTRUM : offset;
      if (isTooFar) return this.askLater(found);
    }
    this.read(found, offset, bytes);
    if (found.at < end && bytes.length > 0) return this.askFor(found);
    for (const { offset: from, bytes: more } of printer.unacknowledged()) this.read(found, from, more);
  }

  /** It has ended, and these are the files it wrote: a picture, if it has printed none. */
  wrote(printer: Printer, files: Iterable<Uint8Array | null>): void {
    const tile = this.followed.get(printer)?.tile;
    if (!(tile?.reader instanceof NetpbmReader)) return;
    if (tile.reader.picture) return;
    let tried = 0;
    for (const bytes of files) {
      if (bytes === null || bytes.length > MAX_FILE || bytes[0] !== LETTER_P) continue;
      if (++tried > MAX_TRIED) return;
      const reader = this.netpbmReader();
      reader.take(bytes.subarray(0, FILE_AT_ONCE));
      if (reader.isOver && !reader.picture) continue;
      tile.reader = reader;
      if (bytes.length > FILE_AT_ONCE) tile.rest = bytes.subarray(FILE_AT_ONCE);
      return this.changed(tile);
    }
  }

  /** The connection is a new one: what was asked for over the old one does not come. */
  reconnected(): void {
    for (const found of this.followed.values()) this.askAgain(found);
  }

  /** What has changed since the last time, to be asked about once a second while somebody watches. undefined: nothing; null: there is nothing to show. */
  news(): Shown | null | undefined {
    if (!this.watched) return undefined;
    if (this.shown && this.isHere(this.shown.job)) this.shown.hereAt = this.now();
    else if (this.shown && (this.printers.size > 0 || this.now() - this.shown.hereAt > KEPT_MS)) {
      this.drop();
      this.follow();
    }
    for (const tile of this.tiles.values()) {
      tile.reader.refill();
      this.readOn(tile);
    }
    for (const found of this.followed.values()) if (found.asked === "later") this.askAgain(found);
    if (!this.hasNews) return undefined;
    this.hasNews = false;
    if (!this.shown) return null;
    const { hereAt: _, ...shown } = this.shown;
    const tiles = [...this.tiles.values()].filter(({ hasChanged }) => hasChanged).map(told);
    for (const tile of this.tiles.values()) tile.hasChanged = false;
    return { ...shown, tiles };
  }

  private isHere(job: number): boolean {
    return [...this.printers].some(({ work }) => work?.job === job);
  }

  private forget(): void {
    this.drop();
    this.hasNews = false;
  }

  private drop(): void {
    this.shown = undefined;
    this.followed.clear();
    this.tiles.clear();
    this.hasNews = true;
  }

  /** Those of the shown job, or of the first one there is. */
  private follow(): void {
    const [first] = this.printers;
    // One whose last process has gone waits for another, unless there is other work to show.
    if (this.shown && !this.isHere(this.shown.job) && first) this.drop();
    const job = this.shown?.job ?? first?.work?.job;
    for (const printer of this.printers)
      if (printer.work && printer.work.job === job && !this.followed.has(printer)) this.begin(printer, printer.work);
  }

  private begin(printer: Printer, work: Work): void {
    const { job, name, by, part, parts, show: kind } = work;
    if (kind === undefined) return;
    const places = placesAround(part, parts);
    if (this.shown && places.first < this.shown.first) return; // one that was late
    if (this.shown?.first !== places.first) this.drop();
    this.shown ??= { job, name, by, kind, parts, ...places, hereAt: this.now() };
    // Of several processes of a part the first one is shown.
    if ([...this.followed.values()].some(({ tile }) => tile.part === part)) return;
    const reader = kind === "image" ? this.netpbmReader() : new Spectrum();
    const tile: KeptTile = { part, state: "here", reader, rest: undefined, hasChanged: true };
    this.tiles.set(part, tile);
    const found: Followed = { printer, tile, at: 0, asked: "no", wasLate: false };
    this.followed.set(printer, found);
    this.hasNews = true;
    this.askFor(found);
  }

  private netpbmReader(): NetpbmReader {
    const share = Math.min(MAX_TILES, this.shown?.parts ?? 1);
    return new NetpbmReader(Math.floor(MAX_PIXELS / share), Math.max(MIN_TEXT, Math.floor(MAX_TEXT / share)));
  }

  /** More of the file, if there is one. */
  private readOn(tile: KeptTile): void {
    if (!tile.rest || tile.reader instanceof Spectrum) return;
    tile.reader.take(tile.rest.subarray(0, FILE_AT_ONCE));
    tile.rest = tile.rest.length > FILE_AT_ONCE && !tile.reader.isOver ? tile.rest.subarray(FILE_AT_ONCE) : undefined;
    this.changed(tile);
  }

  /** At once only the first time: a program that prints without end would have it asked for without end. */
  private askLater(found: Followed): void {
    found.asked = found.wasLate ? "later" : "no";
    found.wasLate = true;
    this.askFor(found);
  }

  private askAgain(found: Followed): void {
    found.asked = "no";
    this.askFor(found);
  }

  private askFor(found: Followed): void {
    if (found.asked !== "no") return;
    found.asked = "yes";
    this.ask(found.printer.pid, found.printer.epoch, found.at);
  }

  private read(found: Followed, offset: number, bytes: Uint8Array): void {
    if (offset > found.at) return this.askFor(found);
    const known = found.at - offset;
    if (known >= bytes.length) return;
    found.at = offset + bytes.length;
    const { tile } = found;
    if (tile.reader instanceof NetpbmReader && tile.reader.isOver) return;
    tile.reader.take(bytes.subarray(known));
    this.changed(tile);
  }

  private changed(tile: KeptTile): void {
    if (this.tiles.get(tile.part) !== tile) return;
    tile.hasChanged = true;
    this.hasNews = true;
  }
}

function told({ part, state, reader }: KeptTile): Tile {
  if (reader instanceof Spectrum) return { part, state, content: reader.curve ? { kind: "spectrum", bins: reader.curve } : null };
  return { part, state, content: reader.picture ? { kind: "image", picture: reader.picture } : null };
}
