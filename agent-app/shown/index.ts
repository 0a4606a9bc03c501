// The face of what is shown of work: read on the host, drawn on its screen.
export type { Picture } from "./netpbm.ts";
export { type Shown, type Tile, withNews } from "./shown.ts";
export { type Printer, ShownWork } from "./shown-work.ts";
export { BINS, type Bins } from "./spectrum.ts";
