// What programs write, as something to look at: tables of comma or tab separated values, and the portable pixmaps that C programs write most
// easily, which browsers do not show. Pure. Whatever is not as it should be is `undefined`: then it is shown as text.

/** Rows and columns that are shown. */
export const MAX_ROWS_SHOWN = 500;
const MAX_COLUMNS_SHOWN = 50;
const MAX_PIXELS = 16 * 2 ** 20;

/** As RFC 4180 has it, with commas, semicolons or tabs: quoted fields may hold separators, line ends and doubled quotes. */
export function tableOf(text: string): string[][] | undefined {
  const end = text.indexOf("\n");
  const head = end < 0 ? text : text.slice(0, end);
  const separator = ["\t", ";", ","].find((one) => head.includes(one));
  if (separator === undefined) return undefined;
  const rows: string[][] = [];
  let row: string[] = [];
  let field = "";
  let quoted = false;
  const endField = (): void => {
    if (row.length < MAX_COLUMNS_SHOWN) row.push(field);
    field = "";
  };
  for (let at = 0; at < text.length && rows.length < MAX_ROWS_SHOWN; at++) {
    const character = text.charAt(at);
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[at + 1] === '"') field += text.charAt(at++);
      else quoted = false;
    } else if (character === '"' && field === "") quoted = true;
    else if (character === separator) endField();
    else if (character === "\n") {
      endField();
      rows.push(row);
      row = [];
    } else if (character !== "\r") field += character;
  }
  if ((field !== "" || row.length > 0) && rows.length < MAX_ROWS_SHOWN) {
    endField();
    rows.push(row);
  }
  return rows;
}

export interface Picture {
  width: number;
  height: number;
  /** Red, green, blue, opacity. */
  pixels: Uint8ClampedArray<ArrayBuffer>;
}

/** Whether it begins as a pixmap does. */
export const isPicture = (text: string): boolean => /^P[2356]\s/.test(text);

/** A pixmap of type P2, P3, P5 or P6 with at most 255 levels. */
export function pictureOf(bytes: Uint8Array): Picture | undefined {
  const words = wordsOf(bytes);
  const type = words.next();
  const [width, height, levels] = [Number(words.next()), Number(words.next()), Number(words.next())];
  const whole = (value: number, most: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
  if (!/^P[2356]$/.test(type) || !whole(width, MAX_PIXELS) || !whole(height, MAX_PIXELS) || !whole(levels, 255)) return undefined;
  if (width * height > MAX_PIXELS) return undefined;
  const channels = type === "P2" || type === "P5" ? 1 : 3;
  const binary = type === "P5" || type === "P6";
  let at = words.at + 1; // one blank after the head
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      if (channel > 0 && channels === 1) pixels[4 * pixel + channel] = pixels[4 * pixel] ?? 0;
      else pixels[4 * pixel + channel] = ((binary ? (bytes[at++] ?? 0) : Number(words.next() || 0)) * 255) / levels;
    }
    pixels[4 * pixel + 3] = 255;
  }
  return { width, height, pixels };
}

/** Words between blanks, comments left out. */
function wordsOf(bytes: Uint8Array): { next(): string; readonly at: number } {
  let at = 0;
  const isBlank = (byte: number | undefined): boolean => byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13);
  const next = (): string => {
    for (;;) {
      while (isBlank(bytes[at])) at++;
      if (bytes[at] !== 35) break; // #
      while (at < bytes.length && bytes[at] !== 10) at++;
    }
    const from = at;
    while (at < bytes.length && !isBlank(bytes[at]) && at - from < 20) at++;
    return String.fromCharCode(...bytes.subarray(from, at));
  };
  return {
    next,
    get at() {
      return at;
    },
  };
}
