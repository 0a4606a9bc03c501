// Numbers that a process prints, read as a spectrum: one a line, or a place and a value ("1420.4 12.7"), other lines passed over. However many there are, it
// keeps a fixed number of bins, each with the highest value in it, over a range that doubles when a place lies outside.

/** A spectrum so far: the highest value in each bin, from the lowest place on; null: there is none in it. */
export type Bins = readonly (number | null)[];

export const BINS = 256;
/** Larger numbers are no places and no values. */
const MAX_NUMBER = 1e15;
/** Characters; lines as long or longer are passed over. */
const MAX_LINE = 200;
/** What is read from one refill() to the next: a program that prints more than this a second is a stranger's, and the computer its owner's. */
const BYTES_AT_ONCE = 2 ** 19;
const NEWLINE = 10;
const LATIN = new TextDecoder("latin1");
const LINE = /^\s*([-+.\deE]+)(?:[\s,;]+([-+.\deE]+))?\s*$/;

const isNumber = (value: number): boolean => Math.abs(value) <= MAX_NUMBER;

export class Spectrum {
  private readonly bins: (number | null)[] = new Array<number | null>(BINS).fill(null);
  private from = 0;
  /** Of a bin; 0: all numbers so far were at one place. */
  private width = 0;
  private isEmpty = true;
  /** Lines with one number, also of those that were not read. */
  private lines = 0;
  /** The beginning of the line that is not over. */
  private line = "";
  private isUnknown = false;
  private left = BYTES_AT_ONCE;

  /** undefined: there are no numbers yet. */
  get curve(): Bins | undefined {
    return this.isEmpty ? undefined : [...this.bins];
  }

  /** May read on: to be called about once a second. */
  refill(): void {
    this.left = BYTES_AT_ONCE;
  }

  /** What was printed before is not known: the line that begins somewhere in it is passed over. */
  skipLine(): void {
    this.isUnknown = true;
    this.line = "";
  }

  /** The next that was printed. */
  take(bytes: Uint8Array): void {
    const read = Math.min(this.left, bytes.length);
    this.left -= read;
    const text = LATIN.decode(bytes.subarray(0, read));
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      this.lineEnded(text.slice(from, Math.min(end, from + MAX_LINE)));
      from = end + 1;
    }
    this.line = (this.line + text.slice(from, from + MAX_LINE)).slice(0, MAX_LINE);
    if (read === bytes.length) return;
    // More than can be read: only counted, so that what comes later is in its place.
    for (let at = bytes.indexOf(NEWLINE, read); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) this.lines++;
    this.skipLine();
  }

  private lineEnded(end: string): void {
    const line = this.line + end;
    const isRead = !this.isUnknown && line.length < MAX_LINE;
    this.line = "";
    this.isUnknown = false;
    const found = isRead ? LINE.exec(line) : null;
    if (!found) return;
    const first = Number(found[1]);
    const [place, value] = found[2] === undefined ? [this.lines++, first] : [first, Number(found[2])];
    if (isNumber(place) && isNumber(value)) this.put(place, value);
  }

  private put(place: number, value: number): void {
    if (this.isEmpty) this.from = place;
    else if (this.width === 0 && place !== this.from) {
      // A bin is at first as wide as two places are apart. They may go down, too.
      this.width = Math.abs(place - this.from);
      if (place < this.from) {
        this.from -= (BINS - 1) * this.width;
        this.bins.reverse();
      }
    }
    this.isEmpty = false;
    while (this.width > 0 && place >= this.from + BINS * this.width) this.widenUp();
    this.widenDown(place);
    const bin = this.width === 0 ? 0 : Math.min(BINS - 1, Math.floor((place - this.from) / this.width));
    this.bins[bin] = Math.max(this.bins[bin] ?? Number.NEGATIVE_INFINITY, value);
  }

  private widenUp(): void {
    for (let bin = 0; bin < BINS; bin++) this.bins[bin] = bin < BINS / 2 ? this.higher(2 * bin, 2 * bin + 1) : null;
    this.width *= 2;
  }

  /** Until the place is in the range: what there is comes into its upper half. */
  private widenDown(place: number): void {
    while (this.width > 0 && place < this.from) {
      for (let bin = BINS - 1; bin >= 0; bin--)
        this.bins[bin] = bin < BINS / 2 ? null : this.higher(2 * bin - BINS, 2 * bin - BINS + 1);
      this.from -= BINS * this.width;
      this.width *= 2;
    }
  }

  private higher(one: number, other: number): number | null {
    const [a = null, b = null] = [this.bins[one], this.bins[other]];
    return a === null || b === null ? (a ?? b) : Math.max(a, b);
  }
}
