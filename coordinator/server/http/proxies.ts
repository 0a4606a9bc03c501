// Whom the coordinator believes about where a request came from: X-Forwarded-* of these proxies, of nobody else.
import type { IncomingMessage } from "node:http";
import { type BlockList, isIP } from "node:net";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { rangesOf } from "../address-ranges.ts";

const unmapped = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");

export class Proxies {
  private readonly ranges: BlockList;

  /** @param given addresses, or ranges as ADDRESS/BITS. @throws NS_USAGE */
  constructor(given: readonly string[]) {
    try {
      this.ranges = rangesOf(given);
    } catch (cause) {
      throw new NightshiftError(
        "NS_USAGE",
        `${given.join(", ")}: a proxy is named by its address, or by a range such as 10.0.0.0/24`,
        { cause },
      );
    }
  }

  readonly believes = (address: string): boolean => {
    const plain = unmapped(address);
    return isIP(plain) > 0 && this.ranges.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
  };

  /** The address at the other end: the last one of X-Forwarded-For that is no proxy's, as whatever stands before it may be made up. */
  readonly peer = (request: IncomingMessage): string => {
    const from = request.socket.remoteAddress ?? "unknown";
    const told = String(request.headers["x-forwarded-for"] ?? "")
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean);
    return [...told, from].reverse().find((address) => !this.believes(address)) ?? told[0] ?? from;
  };
}
