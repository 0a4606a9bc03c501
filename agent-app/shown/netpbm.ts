// A picture that a process prints as netpbm (P2, P3, P5, P6), read as its rows arrive, into a small one for the screen. Programs are strangers': whatever
// they print, this takes little memory and little time and never throws. Of a large picture it looks only at as many points as the small one is made of.

/** A small picture, row by row. */
export interface Picture {
  width: number;
  height: number;
  /** How many of its rows are known, from the top. */
  rows: number;
  /** Red, green and blue of each point, 0 to 255; black where a row is not known. */
  pixels: Uint8Array;
}

/** Of a header, comments and white space before and in it among them; more is no picture. */
const MAX_HEADER_BYTES = 4096;
/** Of the picture that is printed, in points. */
const MAX_SIDE = 65_535;
/** Of the small one, as a long narrow one would have. */
const MAX_SMALL_SIDE = 2048;
/** Each point of the small picture is the mean of at most so many by so many. */
const MAX_MEAN = 2;

/** From one refill() to the next so many pictures are looked at, and behind so many more nothing: who prints more is no renderer. */
const LOOKED_AT = 2;
const MAX_BEGUN = 1000;

const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);
const isDigit = (byte: number): boolean => byte >= 48 && byte <= 57;
const HASH = 35;
const NEWLINE = 10;

interface Layout {
  width: number;
  height: number;
  /** Values a point. */
  channels: 1 | 3;
  maxValue: number;
  /** Bytes a value; 0: as text. */
  valueBytes: 0 | 1 | 2;
}

/** Reads the header, byte by byte. */
class Header {
  private magic = "";
  private numbers: number[] = [];
  private digits = "";
  private comment = false;
  private length = 0;

  /** @returns the layout when this byte is the header's last; null when it is none */
  take(byte: number): Layout | null | undefined {
    if (++this.length > MAX_HEADER_BYTES) return null;
    if (this.comment) {
      this.comment = byte !== NEWLINE;
      // A comment ends a number as its newline would.
      return this.comment ? undefined : this.ended();
    }
    if (this.magic.length < 2) {
      if (this.magic === "" && isSpace(byte)) return undefined;
      this.magic += String.fromCharCode(byte);
      return this.magic === "P" || /^P[2356]$/.test(this.magic) ? undefined : null;
    }
    if (byte === HASH) this.comment = true;
    else if (isDigit(byte)) {
      this.digits += String.fromCharCode(byte);
    } else return isSpace(byte) ? this.ended() : null;
    return undefined;
  }

  private ended(): Layout | null | undefined {
    if (this.digits === "") return undefined;
    this.numbers.push(Number(this.digits));
    this.digits = "";
    const [width = 0, height = 0, maxValue = 0] = this.numbers;
    if (this.numbers.some((number) => number < 1 || number > MAX_SIDE)) return null;
    if (this.numbers.length < 3) return undefined;
    const isText = this.magic < "P4";
    const channels = this.magic === "P3" || this.magic === "P6" ? 3 : 1;
    return { width, height, channels, maxValue, valueBytes: isText ? 0 : maxValue > 255 ? 2 : 1 };
  }
}

/** Which of `count` rows or columns the small picture's `small` are made of: `each` of them for each, in order. */
function sampled(count: number, small: number): { each: number; at: Int32Array } {
  const each = Math.min(MAX_MEAN, Math.floor(count / small)); // so that none is wanted twice
  const at = Int32Array.from({ length: small * each }, (_, index) =>
    Math.min(count - 1, Math.floor(((index + 0.5) / (small * each)) * count)),
  );
  return { each, at };
}

/** The rows of one picture. */
class Body {
  readonly layout: Layout;
  readonly picture: Picture;
  private readonly columns: ReturnType<typeof sampled>;
  private readonly lines: ReturnType<typeof sampled>;
  /** Of the sampled rows, how many have been seen. */
  private seen = 0;
  /** The row that is being read, and how much of it is there: bytes, or values of text. */
  private row = 0;
  private filled = 0;
  private readonly rowLength: number;
  private readonly bytes: Uint8Array;
  private readonly values: Uint16Array;
  private readonly sums: Float64Array;
  private number = -1;
  private comment = false;

  constructor(layout: Layout, maxPixels: number, before: Picture | undefined) {
    this.layout = layout;
    const { width, height, channels, valueBytes } = layout;
    this.rowLength = width * channels * Math.max(1, valueBytes);
    const shrink = Math.min(1, Math.sqrt(maxPixels / (width * height)), MAX_SMALL_SIDE / Math.max(width, height));
    const small = { width: Math.max(1, Math.floor(width * shrink)), height: Math.max(1, Math.floor(height * shrink)) };
    const isSame = before?.width === small.width && before.height === small.height;
    // The next picture of a series takes the place of the one before row by row.
    this.picture = isSame ? before : { ...small, rows: 0, pixels: new Uint8Array(small.width * small.height * 3) };
    this.columns = sampled(width, small.width);
    this.lines = sampled(height, small.height);
    this.bytes = new Uint8Array(width * channels * valueBytes);
    this.values = new Uint16Array(valueBytes === 0 ? width * channels : 0);
    this.sums = new Float64Array(small.width * 3);
  }

  /** The picture is passed over: only its end is looked for. */
  pass(): void {
    this.seen = this.lines.at.length;
  }

  get isWhole(): boolean {
    return this.row === this.layout.height;
  }

  /** @returns where in the bytes the picture ends, or their length; -1: that is no picture */
  take(bytes: Uint8Array, from: number): number {
    return this.layout.valueBytes === 0 ? this.takeText(bytes, from) : this.takeBinary(bytes, from);
  }

  private takeBinary(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && !this.isWhole) {
      const part = Math.min(this.rowLength - this.filled, bytes.length - at);
      if (this.isSampled) this.bytes.set(bytes.subarray(at, at + part), this.filled);
      at += part;
      this.filled += part;
      if (this.filled === this.rowLength) this.rowEnded();
    }
    return at;
  }

  private takeText(bytes: Uint8Array, from: number): number {
    let at = from;
    for (; at < bytes.length && !this.isWhole; at++) {
      const byte = bytes[at] ?? 0;
      if (this.comment) this.comment = byte !== NEWLINE;
      else if (isDigit(byte)) {
        this.number = Math.max(0, this.number) * 10 + byte - 48;
        if (this.number > MAX_SIDE) return -1;
      } else if (isSpace(byte) || byte === HASH) {
        this.comment = byte === HASH;
        this.numberEnded();
      } else return -1;
    }
    return at;
  }

  private numberEnded(): void {
    if (this.number < 0) return;
    this.values[this.filled++] = this.number;
    this.number = -1;
    if (this.filled === this.rowLength) this.rowEnded();
  }

  private get isSampled(): boolean {
    return this.lines.at[this.seen] === this.row;
  }

  private rowEnded(): void {
    if (this.isSampled) this.rowSeen();
    this.row++;
    this.filled = 0;
  }

  private valueAt(index: number): number {
    const { valueBytes } = this.layout;
    if (valueBytes === 0) return this.values[index] ?? 0;
    if (valueBytes === 1) return this.bytes[index] ?? 0;
    return ((this.bytes[2 * index] ?? 0) << 8) | (this.bytes[2 * index + 1] ?? 0);
  }

  private rowSeen(): void {
    const { picture, sums, columns, lines } = this;
    const { channels, maxValue } = this.layout;
    const line = Math.floor(this.seen / lines.each);
    const seenOfLine = (this.seen % lines.each) + 1;
    if (seenOfLine === 1) sums.fill(0);
    const share = 255 / (maxValue * columns.each);
    for (let to = 0, index = 0; to < sums.length; to += 3)
      for (let one = 0; one < columns.each; one++, index++) {
        const from = (columns.at[index] ?? 0) * channels;
        for (let channel = 0; channel < 3; channel++)
          sums[to + channel] = (sums[to + channel] ?? 0) + this.valueAt(channels === 3 ? from + channel : from) * share;
      }
    const start = line * picture.width * 3;
    for (let at = 0; at < sums.length; at++) picture.pixels[start + at] = Math.min(255, Math.round((sums[at] ?? 0) / seenOfLine));
    picture.rows = Math.max(picture.rows, line + 1);
    this.seen++;
  }
}

/** What a process prints, read as pictures: the one that is printed now, and until its rows are there those of the one before, where it was as large. */
export class NetpbmReader {
  private readonly maxPixels: number;
  private header: Header | undefined = new Header();
  private body: Body | undefined;
  private shown: Picture | undefined;
  private begun = 0;
  private readonly textBytes: number;
  private textLeft: number;

  /**
   * @param maxPixels points of the small picture, at most
   * @param textBytes of pictures printed as text (P2, P3) so much is read from one refill() to the next: of these each byte takes its time
   */
  constructor(maxPixels: number, textBytes: number) {
    this.maxPixels = maxPixels;
    this.textBytes = this.textLeft = textBytes;
  }

  /** undefined: there is no row of a picture yet. */
  get picture(): Picture | undefined {
    return this.shown && this.shown.rows > 0 ? this.shown : undefined;
  }

  /** It prints no picture, something else behind one, or more text than is read: nothing more is looked at. */
  get isOver(): boolean {
    return this.header === undefined && this.body === undefined;
  }

  /** May look at the next pictures: to be called about once a second. */
  refill(): void {
    this.begun = 0;
    this.textLeft = this.textBytes;
  }

  /** The next that was printed. */
  take(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && !this.isOver) {
      if (this.body) {
        at = this.body.layout.valueBytes === 0 ? this.takeText(this.body, bytes, at) : this.body.take(bytes, at);
        if (at < 0) return this.stop();
        if (!this.body.isWhole) continue;
        this.body = undefined;
        this.header = new Header();
        continue;
      }
      const layout = this.header?.take(bytes[at++] ?? 0);
      if (layout === null) return this.stop();
      if (layout === undefined) continue;
      if (++this.begun > MAX_BEGUN) return this.stop();
      this.header = undefined;
      this.body = new Body(layout, this.maxPixels, this.shown);
      if (this.begun > LOOKED_AT) this.body.pass();
      else this.shown = this.body.picture;
    }
  }

  /** @returns as Body.take(); -1 also where more is printed than is read */
  private takeText(body: Body, bytes: Uint8Array, from: number): number {
    if (this.textLeft === 0) return -1;
    const end = body.take(bytes.subarray(0, from + this.textLeft), from);
    this.textLeft -= Math.max(0, end - from);
    return end;
  }

  private stop(): void {
    this.header = this.body = undefined;
  }
}
