// Who may begin a handshake: a token bucket per address and a bound on handshakes under way, as each costs the coordinator CPU
// before anything is known about the caller. Pure: time comes in; node/websocket.ts asks it on every upgrade.

export interface GateLimits {
  /** Handshakes an address may begin at once. A whole office comes back through one NAT address after a power cut. */
  burst: number;
  /** Handshakes a second that an address earns again. One costs about 0.5 ms of CPU, so 50 a second are 2.5 % of a core. */
  perSecond: number;
  /** Unauthenticated connections at once, from all addresses. */
  maxPending: number;
  /** Addresses remembered; beyond it the one that was quiet longest is forgotten. */
  maxAddresses: number;
}

export const DEFAULT_GATE_LIMITS: GateLimits = { burst: 400, perSecond: 50, maxPending: 1000, maxAddresses: 10_000 };

export class HandshakeGate {
  readonly #limits: GateLimits;
  /** In order of last use. */
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();
  #pending = 0;

  constructor(limits: Partial<GateLimits> = {}) {
    this.#limits = { ...DEFAULT_GATE_LIMITS, ...limits };
  }

  get pending(): number {
    return this.#pending;
  }

  /**
   * "yes" counts the connection as pending until `settled`; "rate" when the address's bucket is empty, "full" when too many are
   * pending. bucket = min(burst, bucket + elapsed * perSecond), one token a handshake.
   */
  admit(address: string, nowMs: number): "yes" | "rate" | "full" {
    const { burst, perSecond, maxPending, maxAddresses } = this.#limits;
    const key = bucketKey(address);
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) / 1000) * perSecond);
    const answer = tokens < 1 ? "rate" : this.#pending >= maxPending ? "full" : "yes";
    this.#buckets.delete(key);
    this.#buckets.set(key, { tokens: answer === "rate" ? tokens : tokens - 1, atMs: nowMs });
    if (this.#buckets.size > maxAddresses) this.#forgetOldest();
    if (answer === "yes") this.#pending++;
    return answer;
  }

  /** An admitted connection was authenticated or is gone. Once per admission. */
  settled(): void {
    this.#pending--;
  }

  #forgetOldest(): void {
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}

/** IPv4 as it is, also when mapped into IPv6; IPv6 by its first 64 bits, as one machine has all addresses below them. */
export function bucketKey(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  if (!address.includes(":")) return address;
  const [left = "", right] = (address.split("%")[0] ?? "").split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => "0"), ...tail];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
