// The face of the blob store: programs, images and files by the SHA-256 of their contents.
export { type Blobs, DiskBlobs } from "./disk.ts";
