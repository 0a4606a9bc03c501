// zstd for images where the engine has none built in: the same format and level as packer.node.ts, so that every host reads every image.
import { compress, decompress, init } from "@bokuweb/zstd-wasm";
import { NightshiftError } from "../errors.ts";
import type { Packer } from "./image.ts";

/**
 * Most bytes of pages in an image. Packing takes twice as much of the library's memory, which is at most 2 GiB; it does not notice when an
 * allocation fails.
 */
const MAX_BYTES = 2 ** 29;
const MAGIC = 0xfd2fb528;

export async function loadZstdPacker(): Promise<Packer> {
  await init();
  return {
    name: "zstd",
    pack: (bytes) => {
      checkSize(bytes.length);
      return compress(bytes, 1);
    },
    unpack: (bytes, size) => {
      checkSize(size);
      checkSize(bytes.length);
      if (contentBytes(bytes) !== size) throw new NightshiftError("NS_BAD_IMAGE", `its pages are not packed as ${size} bytes`);
      return size === 0 ? new Uint8Array(0) : decompress(bytes);
    },
  };
}

function checkSize(bytes: number): void {
  if (bytes > MAX_BYTES)
    throw new NightshiftError(
      "NS_MEMORY_LIMIT",
      `an image of ${bytes} bytes is too large for a browser, which takes ${MAX_BYTES}`,
    );
}

/** Bytes that the frame says it holds (RFC 8878, 3.1.1.1), for which the library would allocate; undefined when it does not say. */
function contentBytes(frame: Uint8Array): number | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame.length < 9 || view.getUint32(0, true) !== MAGIC) return undefined; // the smallest frame has 9 bytes
  const descriptor = view.getUint8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const width = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  if (width === 0 || at + width > frame.length) return undefined;
  if (width === 1) return view.getUint8(at);
  if (width === 2) return view.getUint16(at, true) + 256;
  return width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}
