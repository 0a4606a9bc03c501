// zstd for images, from Node's zlib. Level 1: images are written often and read once.
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import type { Packer } from "./image.ts";

export const zstdPacker: Packer = {
  name: "zstd",
  pack: (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }),
  unpack: (bytes, size) => zstdDecompressSync(bytes, { maxOutputLength: Math.max(size, 1) }),
};
