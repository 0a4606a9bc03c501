// Where things are on the screen: the moon and the coordinator's star, and beside them the work, as tiles or as lines one behind the other. Pure.

export interface Point {
  x: number;
  y: number;
}

export interface Box extends Point {
  width: number;
  height: number;
}

export interface Places {
  moon: Point & { r: number };
  star: Point;
  /** Where the work is; null: there is none to be seen. */
  work: Box | null;
}

/** @param width of the screen in points, as is its height @param hasWork there is work to be seen */
export function placesOn(width: number, height: number, hasWork: boolean): Places {
  const unit = Math.min(width, height);
  const at = (x: number, y: number): Point => ({ x: width * x, y: height * y });
  if (!hasWork) return { moon: { ...at(0.62, 0.52), r: unit * 0.1 }, star: at(0.16, 0.2), work: null };
  if (width >= height) {
    const work = { ...at(0.35, 0.08), width: width * 0.59, height: height * 0.74 };
    return { moon: { ...at(0.175, 0.54), r: unit * 0.065 }, star: at(0.1, 0.18), work };
  }
  const work = { ...at(0.06, 0.16), width: width * 0.88, height: height * 0.46 };
  return { moon: { ...at(0.5, 0.76), r: unit * 0.065 }, star: at(0.16, 0.08), work };
}

/** Tiles are so far apart, as a part of the smaller side of the box; a single one has none beside it. */
const GAP = 0.0035;

/**
 * A tile for each place, row by row in as many columns as rows, or one more: so the parts of one picture, cut into n x n, stand as in the picture.
 * @param aspect of a tile: its width by its height
 */
export function tilesIn(box: Box, count: number, aspect: number): Box[] {
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const gap = GAP * Math.min(box.width, box.height);
  const width = Math.min((box.width - gap * (columns - 1)) / columns, ((box.height - gap * (rows - 1)) / rows) * aspect);
  const height = width / aspect;
  const left = box.x + (box.width - columns * width - gap * (columns - 1)) / 2;
  const top = box.y + (box.height - rows * height - gap * (rows - 1)) / 2;
  return Array.from({ length: count }, (_, at) => ({
    ...{ x: left + (at % columns) * (width + gap), y: top + Math.floor(at / columns) * (height + gap) },
    ...{ width, height },
  }));
}

/** A line for each place, one behind the other: its ground in points from the top of the screen, and how high its highest point may be above it. */
export function linesIn(box: Box, count: number): { ground: number; height: number }[] {
  const height = count === 1 ? box.height : Math.min(box.height * 0.45, (5 * box.height) / (count + 4));
  const step = count === 1 ? 0 : (box.height - height) / (count - 1);
  return Array.from({ length: count }, (_, at) => ({ ground: box.y + height + at * step, height }));
}

/**
 * The points of a spectrum, along its line and above the ground, both 0 to 1. Heights are square roots, as a power's amplitude is: so the noise can be
 * seen beside a signal.
 * @param bins see Spectrum @param isWhole nothing more comes: it fills its line
 * @param low,high of all spectra on the screen
 */
export function curveOf(bins: readonly (number | null)[], isWhole: boolean, low: number, high: number): Point[] {
  const last = bins.findLastIndex((value) => value !== null);
  const along = Math.max(1, isWhole ? last : bins.length - 1);
  const range = high > low ? high - low : 1;
  return bins.flatMap((value, bin) =>
    value === null ? [] : { x: bin / along, y: Math.sqrt(Math.max(0, (value - low) / range)) },
  );
}

/** Lowest and highest of all values there are. Where none is negative the lowest is 0, as powers are; null: there are none. */
export function rangeOf(spectra: Iterable<readonly (number | null)[]>): { low: number; high: number } | null {
  let [low, high] = [0, Number.NEGATIVE_INFINITY];
  let lowest = Number.POSITIVE_INFINITY;
  for (const bins of spectra)
    for (const value of bins)
      if (value !== null) {
        lowest = Math.min(lowest, value);
        high = Math.max(high, value);
      }
  if (high === Number.NEGATIVE_INFINITY) return null;
  if (lowest < 0) low = lowest;
  return { low, high };
}
