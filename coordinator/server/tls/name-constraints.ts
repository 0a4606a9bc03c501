// The extension of an authority's certificate that says for which names and addresses alone it may sign (RFC 5280, section 4.2.1.10), as DER.
import { isIP } from "node:net";
import { rangesOf } from "../address-ranges.ts";

const tagged = (tag: number, content: Uint8Array): Uint8Array => {
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...size]), content]);
};

/** 4 or 16 bytes. */
export function bytesOf(address: string): number[] {
  if (isIP(address) === 4) return address.split(".").map(Number);
  const [left = "", right = ""] = address.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const zeros = address.includes("::") ? 8 - groups(left).length - groups(right).length : 0;
  const all = [...groups(left), ...Array.from({ length: zeros }, () => "0"), ...groups(right)];
  return all.map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 0xff]);
}

/** The address and its mask, one after the other. */
function range(address: string, prefix: number | undefined): Uint8Array {
  const bytes = bytesOf(address);
  const bits = prefix ?? bytes.length * 8;
  const mask = bytes.map((_, at) => 0xff & ~(0xff >> Math.max(0, Math.min(8, bits - at * 8))));
  return Uint8Array.from([...bytes.map((byte, at) => byte & (mask[at] ?? 0)), ...mask]);
}

/** @param permitted names (with what is below them), addresses, and ranges of addresses as ADDRESS/BITS */
export function nameConstraints(permitted: readonly string[]): Uint8Array<ArrayBuffer> {
  const subtrees = permitted.map((one) => {
    const [address = "", bits] = one.split("/");
    const name = isIP(address)
      ? tagged(0x87, range(address, bits === undefined ? undefined : Number(bits)))
      : tagged(0x82, Buffer.from(one, "ascii"));
    return tagged(0x30, name);
  });
  return new Uint8Array(tagged(0x30, tagged(0xa0, Buffer.concat(subtrees))));
}

/** Whether an authority with such constraints may sign for the name or address. */
export function isPermitted(name: string, permitted: readonly string[]): boolean {
  if (isIP(name) === 0) return permitted.some((one) => name === one || name.endsWith(`.${one}`));
  return rangesOf(permitted.filter((one) => isIP(one.split("/")[0] ?? "") > 0)).check(name, isIP(name) === 6 ? "ipv6" : "ipv4");
}
