// Ranges of network addresses, as people write them.
import { BlockList, isIP } from "node:net";

/** @param ranges ADDRESS or ADDRESS/BITS. @throws what BlockList throws */
export function rangesOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const one of ranges) {
    const [address = "", bits] = one.split("/");
    const six = isIP(address) === 6;
    list.addSubnet(address, bits === undefined ? (six ? 128 : 32) : Number(bits), six ? "ipv6" : "ipv4");
  }
  return list;
}
