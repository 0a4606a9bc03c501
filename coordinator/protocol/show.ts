// How what a job prints is shown by the screensavers of the hosts that compute it, where its submitter wants that. Drawing it is the agents'.
import { z } from "zod";

/** image: a picture as netpbm (P2, P3, P5, P6). spectrum: numbers, one a line, or places and values. */
export const SHOWS = ["image", "spectrum"] as const;
export const show = z.enum(SHOWS);
export type Show = (typeof SHOWS)[number];
