// A connection to the coordinator that survives its restarts: work that failed because the connection was lost is done again on a
// new one. Only for work that may be repeated; where it left off is the caller's to know.
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { backoffMs, type RpcClient } from "../protocol/index.ts";

export interface SessionOptions {
  connect(): Promise<RpcClient>;
  /** How long to try again before giving up, from the moment the connection was lost. */
  giveUpMs: number;
  /** "lost" with the reason once per loss, then "back". */
  onChange?(state: "lost" | "back", error?: NightshiftError): void;
  now?(): number;
  wait?(ms: number): Promise<void>;
}

/** What passes by itself: the coordinator restarts, the network comes back. */
const PASSING: ReadonlySet<string> = new Set(["NS_CONNECTION_LOST", "NS_UNREACHABLE", "NS_RATE_LIMITED"]);
/** A person waits: at most 5 s between two tries. */
const BACKOFF_CAP_MS = 5_000;

export class Session {
  readonly #options: Required<Pick<SessionOptions, "now" | "wait">> & SessionOptions;
  #current: Promise<{ client: RpcClient; alive: () => boolean }> | null = null;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = {
      now: () => performance.now(),
      wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      ...options,
    };
  }

  /** Connects for the first time: failures are told at once. */
  async open(): Promise<RpcClient> {
    return (await this.#connection()).client;
  }

  /** Does the work, and does it again from the start whenever the connection was lost in the middle of it. */
  async run<T>(work: (client: RpcClient) => Promise<T>): Promise<T> {
    for (;;) {
      const { client, alive } = await this.#connection();
      try {
        return await work(client);
      } catch (thrown) {
        if (alive() || this.#closed) throw thrown;
        await this.#reconnect(asNightshiftError(thrown));
      }
    }
  }

  close(): void {
    this.#closed = true;
    void this.#current?.then(({ client }) => client.close()).catch(() => undefined);
  }

  #connection(): Promise<{ client: RpcClient; alive: () => boolean }> {
    this.#current ??= this.#connect();
    return this.#current;
  }

  async #connect(): Promise<{ client: RpcClient; alive: () => boolean }> {
    const client = await this.#options.connect();
    let alive = true;
    client.onClose(() => {
      alive = false;
    });
    return { client, alive: () => alive };
  }

  /** Several pieces of work may notice the loss; they all wait for the same new connection. */
  async #reconnect(lost: NightshiftError): Promise<void> {
    const before = this.#current;
    const known = await before?.catch(() => null);
    if (known?.alive()) return; // somebody else has reconnected already
    if (this.#current === before) {
      this.#current = this.#retry(lost);
      this.#current.catch(() => undefined);
    }
    await this.#current;
  }

  async #retry(lost: NightshiftError): Promise<{ client: RpcClient; alive: () => boolean }> {
    const { now, wait, giveUpMs, onChange } = this.#options;
    const began = now();
    let last = lost;
    onChange?.("lost", lost);
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        const connection = await this.#connect();
        onChange?.("back");
        return connection;
      } catch (thrown) {
        last = asNightshiftError(thrown);
        if (!PASSING.has(last.code)) throw last;
      }
      if (now() - began > giveUpMs) break;
      await wait(Math.max(100, backoffMs(attempt, Math.random(), undefined, BACKOFF_CAP_MS)));
    }
    throw new NightshiftError(
      "NS_CONNECTION_LOST",
      `The coordinator did not come back within ${Math.round(giveUpMs / 1000)} s (${last.message})`,
      { cause: last },
    );
  }
}
