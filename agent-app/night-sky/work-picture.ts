// The work itself, painted into the night sky: the tiles of a picture that is rendered, or spectra that are searched, one line behind the other. What computes
// here has a golden edge; what others compute, or nobody yet, is a place in the dark.
import type { Picture, Shown, Tile } from "../shown/index.ts";
import { type Box, curveOf, linesIn, rangeOf, tilesIn } from "./work-layout.ts";

const MOON = "#ffd76a";
const INK = "#a3adcf";
/** The moon's colour in the night's, a little more than half of it. */
const GLOW = "#796a45";
/** Of a picture of which no point is known yet. */
const USUAL_ASPECT = 4 / 3;

export class WorkPicture {
  private readonly night: string;
  /** Of each tile its picture as the browser draws it, by the picture it was made of. */
  private readonly canvases = new WeakMap<Picture, HTMLCanvasElement>();

  /** @param night the sky's colour */
  constructor(night: string) {
    this.night = night;
  }

  draw(on: CanvasRenderingContext2D, box: Box, shown: Shown): void {
    const tiles = new Map(shown.tiles.map((tile) => [tile.part, tile]));
    const places = Array.from({ length: shown.places }, (_, at) => tiles.get(shown.first + at));
    if (shown.kind === "image") this.drawTiles(on, box, places);
    else this.drawSpectra(on, box, places);
    on.globalAlpha = 1;
  }

  private drawTiles(on: CanvasRenderingContext2D, box: Box, places: readonly (Tile | undefined)[]): void {
    const known = places.flatMap((tile) => (tile?.content?.kind === "image" ? tile.content.picture : []));
    const aspect = known[0] ? Math.min(4, Math.max(0.25, known[0].width / known[0].height)) : USUAL_ASPECT;
    on.lineWidth = Math.max(1, Math.min(box.width, box.height) * 0.0016);
    for (const [at, tile] of tilesIn(box, places.length, aspect).entries()) {
      const { x, y, width, height } = tile;
      const { state, content } = places[at] ?? {};
      on.globalAlpha = state === undefined ? 0.07 : 0.13;
      on.fillStyle = INK;
      on.fillRect(x, y, width, height);
      if (content?.kind === "image") {
        on.globalAlpha = state === "gone" ? 0.55 : 1;
        const { picture } = content;
        on.drawImage(
          this.canvasOf(picture),
          ...[0, 0, picture.width, picture.rows],
          ...[x, y, width, (height * picture.rows) / picture.height],
        );
      }
      if (state !== "here") continue;
      on.globalAlpha = 0.75;
      on.strokeStyle = MOON;
      on.strokeRect(x, y, width, height);
    }
  }

  private canvasOf(picture: Picture): HTMLCanvasElement {
    const known = this.canvases.get(picture);
    if (known) return known;
    const canvas = document.createElement("canvas");
    canvas.width = picture.width;
    canvas.height = picture.height;
    const points = new ImageData(picture.width, picture.height);
    for (let from = 0, to = 0; from < picture.pixels.length; from += 3, to += 4) {
      points.data.set(picture.pixels.subarray(from, from + 3), to);
      points.data[to + 3] = 255;
    }
    canvas.getContext("2d")?.putImageData(points, 0, 0);
    this.canvases.set(picture, canvas);
    return canvas;
  }

  private drawSpectra(on: CanvasRenderingContext2D, box: Box, places: readonly (Tile | undefined)[]): void {
    const spectra = places.map((tile) => (tile?.content?.kind === "spectrum" ? tile.content.bins : null));
    const range = rangeOf(spectra.filter((bins) => bins !== null)) ?? { low: 0, high: 1 };
    const unit = Math.min(box.width, box.height);
    on.lineJoin = "round";
    for (const [at, { ground, height }] of linesIn(box, places.length).entries()) {
      const bins = spectra[at];
      const isHere = places[at]?.state === "here";
      on.globalAlpha = 0.16;
      on.fillStyle = INK;
      on.fillRect(box.x, ground, box.width, Math.max(1, unit * 0.0012));
      if (!bins) continue;
      const points = curveOf(bins, !isHere, range.low, range.high).map(({ x, y }) => ({
        x: box.x + x * box.width,
        y: ground - y * height,
      }));
      const [first, last] = [points[0], points.at(-1)];
      if (!first || !last) continue;
      const line = new Path2D();
      for (const { x, y } of points) line.lineTo(x, y);
      const below = new Path2D(line);
      below.lineTo(last.x, ground);
      below.lineTo(first.x, ground);
      // It hides those behind it.
      on.globalAlpha = 1;
      const gradient = (high: string, low: string): CanvasGradient => {
        const made = on.createLinearGradient(0, ground - height, 0, ground);
        made.addColorStop(0, high);
        made.addColorStop(1, low);
        return made;
      };
      on.fillStyle = gradient(GLOW, this.night);
      on.fill(below);
      on.globalAlpha = places[at]?.state === "gone" ? 0.5 : 1;
      on.strokeStyle = isHere ? MOON : gradient(MOON, INK);
      on.lineWidth = Math.max(1, unit * 0.002);
      on.stroke(line);
      if (!isHere) continue;
      on.fillStyle = MOON;
      on.beginPath();
      on.arc(last.x, last.y, unit * 0.005, 0, 2 * Math.PI);
      on.fill();
    }
  }
}
