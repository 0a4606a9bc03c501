// Several users of one machine may be logged in, each with an app of their own: only one of them computes at a time, so that together they have one
// machine's cores. Whoever would compute takes the turn by listening at an address of which the machine has one, which the system gives
// back however its holder ends.
import { createServer, type Server } from "node:net";

export interface Turn {
  /** @returns whether it is ours now; who has it already has it again */
  take(): Promise<boolean>;
  release(): void;
}

/** Of the whole machine, not of a session: a pipe, or a socket without a file. undefined: this system has neither. */
export const machineTurn = (platform: NodeJS.Platform = process.platform): string | undefined =>
  platform === "win32" ? "\\\\.\\pipe\\nightshift-computes" : platform === "linux" ? "\0nightshift-computes" : undefined;

export function openTurn(address: string): Turn {
  let held: Server | undefined;
  return {
    take: () =>
      new Promise((resolve) => {
        if (held) return resolve(true);
        // Nobody has anything to say there.
        const server = createServer((socket) => socket.destroy());
        // Where such an address cannot be had at all, nobody else has it either.
        server.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "EADDRINUSE"));
        server.listen(address, () => {
          server.unref();
          held = server;
          resolve(true);
        });
      }),
    release: () => {
      held?.close();
      held = undefined;
    },
  };
}

const RETRY_MS = 5_000;

/** Asks for the turn while it is wanted, and tells whether somebody else has it. */
export class TurnTaker {
  private readonly turn: Turn;
  private readonly tell: (others: boolean) => void;
  private wanted = false;
  private has = false;
  private asking = false;
  private told = false;
  private retry: NodeJS.Timeout | undefined;

  /** @param tell true: somebody else has it. false: it is ours, or is not wanted any more */
  constructor(turn: Turn, tell: (others: boolean) => void) {
    this.turn = turn;
    this.tell = tell;
  }

  get held(): boolean {
    return this.has;
  }

  want(): void {
    this.wanted = true;
    if (!this.has && !this.asking && !this.retry) this.ask();
  }

  leave(): void {
    this.wanted = false;
    this.has = false;
    clearTimeout(this.retry);
    this.retry = undefined;
    this.turn.release();
    // Later, as who leaves is deciding.
    if (this.told) queueMicrotask(() => this.say(false));
  }

  private ask(): void {
    this.asking = true;
    void this.turn.take().then((got) => {
      this.asking = false;
      if (!this.wanted) return this.turn.release();
      this.has = got;
      if (!got)
        this.retry = setTimeout(() => {
          this.retry = undefined;
          this.ask();
        }, RETRY_MS).unref();
      this.say(!got);
    });
  }

  private say(others: boolean): void {
    this.told = others;
    this.tell(others);
  }
}
