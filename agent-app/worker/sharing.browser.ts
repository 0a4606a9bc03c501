// Whether threads of this page may stop a process while it computes, by the flag in its control memory. That needs memory that they share, which pages have
// only when they are isolated, and some browsers not even then; and polls that look at it, which is at a second memory.
import { severalMemories } from "@nightshift/wasm-kernels/process/engine";

/** Else processes compute in slices (slices.ts). */
export const sharesFlags = (): boolean => crossOriginIsolated && typeof SharedArrayBuffer === "function" && severalMemories;
