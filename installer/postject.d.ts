// The part of postject that is used here; the package has no types of its own.
declare module "postject" {
  /** Puts a resource into an ELF, PE or Mach-O file, in place. */
  export function inject(
    path: string,
    name: string,
    bytes: Uint8Array,
    options: { sentinelFuse: string; machoSegmentName: string },
  ): Promise<void>;
}
