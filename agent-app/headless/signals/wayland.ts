// The owner's input at a Wayland desktop, as its compositor tells it: by ext-idle-notify-v1 (KDE, Sway and others of wlroots, Hyprland, COSMIC), or
// by the protocol of KDE that was before it. A client sees the input of its own windows only, so both tell of idleness: that no seat has had input
// for a while, and at once that one has it again. What keeps the screen on (a film) counts as input, which suits an owner who watches it.
// A socket and eight messages: the packages for it carry the descriptions of all the protocols.
import { connect, type Socket } from "node:net";
import { endianness } from "node:os";
import { join } from "node:path";
import type { Source, Watch } from "./source.ts";

/** Without input for so long, the owner may be gone: the policy counts from then. Less than the least idleAfterSeconds. */
const IDLE_MS = 1_000;
const RETRY_MS = 5_000;

const DISPLAY = 1;
const REGISTRY = 2;
const SYNC = 3;
/** Each protocol that tells: its requests' and events' numbers, and where the seat stands in the request. */
const NOTIFIERS = [
  { name: "ext_idle_notifier_v1", ask: 1, destroy: 0, args: (seat: number): number[] => [IDLE_MS, seat] },
  { name: "org_kde_kwin_idle", ask: 0, destroy: 0, args: (seat: number): number[] => [seat, IDLE_MS] },
] as const;
/** Events of what either makes. */
const IDLED = 0;
const RESUMED = 1;

export interface InputSource extends Source {
  /** Whether it knows of the owner's input at the moment. */
  tells(): boolean;
}

/** Where this session's compositor listens; undefined: there is none. */
export function waylandSocket(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const name = env.WAYLAND_DISPLAY || (env.XDG_SESSION_TYPE === "wayland" ? "wayland-0" : "");
  if (name === "" || name.startsWith("/")) return name || undefined;
  return env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, name) : undefined;
}

/** @param unable the compositor has neither protocol: another source is needed. Said once at most. */
export function watchWayland(watch: Watch, path: string, unable: () => void): InputSource {
  let current: Compositor | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let said: string | undefined;
  const start = (): void => {
    current = new Compositor(path, watch, (why) => {
      if (closed) return;
      const told = current?.tells;
      current = undefined;
      if (told) watch.update({ lastInputAtMs: undefined });
      if (why === NO_PROTOCOL) return unable();
      if (why !== said) watch.log("signals-missing", { source: "wayland", message: why }); // not again at every try
      said = why;
      timer = setTimeout(start, RETRY_MS);
    });
  };
  start();
  return {
    tells: () => current?.tells ?? false,
    close: () => {
      closed = true;
      clearTimeout(timer);
      current?.close();
    },
  };
}

const NO_PROTOCOL = "the compositor has no idle protocol";

/** A connection to it. */
class Compositor {
  /** It has told of at least one seat. */
  tells = false;
  private readonly watch: Watch;
  private readonly socket: Socket;
  private unread: Buffer = Buffer.alloc(0);
  private nextId = SYNC + 1;
  private notifier: { id: number; kind: (typeof NOTIFIERS)[number] } | undefined;
  /** What the registry has, until all of it is known: by its number there. */
  private readonly found = new Map<number, string>();
  private begun = false;
  /** Of each seat, by its number in the registry: the object that tells of it. */
  private readonly seats = new Map<number, { notification: number; idle: boolean }>();

  /** @param ended once, unless it is closed */
  constructor(path: string, watch: Watch, ended: (why: string) => void) {
    this.watch = watch;
    this.socket = connect(path);
    let why = "the compositor has closed the connection";
    this.socket.on("error", (error) => {
      why = error.message;
    });
    this.socket.on("data", (part: Buffer) => {
      try {
        this.read(part);
      } catch (thrown) {
        why = (thrown as Error).message;
        this.socket.destroy();
      }
    });
    this.socket.on("close", () => ended(why));
    this.request(DISPLAY, 1, words(REGISTRY)); // get_registry
    this.request(DISPLAY, 0, words(SYNC)); // sync: answered when the registry has told all
  }

  close(): void {
    this.socket.removeAllListeners("close");
    this.socket.destroy();
  }

  private request(object: number, opcode: number, body: Buffer): void {
    this.socket.write(Buffer.concat([words(object, ((8 + body.length) << 16) | opcode), body]));
  }

  private read(part: Buffer): void {
    this.unread = this.unread.length === 0 ? part : Buffer.concat([this.unread, part]);
    while (this.unread.length >= 8) {
      const [object, head] = [u32(this.unread, 0), u32(this.unread, 4)];
      const size = head >>> 16;
      if (size < 8) throw new Error("the compositor sends what is no message");
      if (this.unread.length < size) return;
      this.event(object, head & 0xffff, this.unread.subarray(8, size));
      this.unread = this.unread.subarray(size);
    }
  }

  private event(object: number, opcode: number, body: Buffer): void {
    if (object === DISPLAY && opcode === 0) throw new Error(`the compositor says: ${text(body, 8)}`);
    if (object === REGISTRY && opcode === 0) return this.global(u32(body, 0), text(body, 4));
    if (object === REGISTRY && opcode === 1) return this.gone(u32(body, 0));
    if (object === SYNC) return this.begin();
    for (const seat of this.seats.values()) {
      if (seat.notification !== object) continue;
      seat.idle = opcode === IDLED ? true : opcode === RESUMED ? false : seat.idle;
      this.tell();
    }
  }

  private global(name: number, what: string): void {
    this.found.set(name, what);
    if (this.begun && what === "wl_seat") this.attend(name);
  }

  private gone(name: number): void {
    this.found.delete(name);
    const seat = this.seats.get(name);
    if (!seat || !this.notifier) return;
    this.seats.delete(name);
    this.request(seat.notification, this.notifier.kind.destroy, words());
    this.tell();
  }

  private begin(): void {
    this.begun = true;
    for (const kind of NOTIFIERS) {
      const name = [...this.found].find(([, what]) => what === kind.name)?.[0];
      if (name === undefined) continue;
      this.notifier = { id: this.bind(name, kind.name), kind };
      for (const [seat, what] of this.found) if (what === "wl_seat") this.attend(seat);
      return;
    }
    throw new Error(NO_PROTOCOL);
  }

  private bind(name: number, what: string): number {
    const id = this.nextId++;
    this.request(REGISTRY, 0, Buffer.concat([words(name), string(what), words(1, id)]));
    return id;
  }

  private attend(name: number): void {
    if (!this.notifier) return;
    const { id, kind } = this.notifier;
    const seat = this.bind(name, "wl_seat");
    const notification = this.nextId++;
    this.request(id, kind.ask, words(notification, ...kind.args(seat)));
    this.seats.set(name, { notification, idle: false });
    this.tell();
  }

  /** Somebody who is not known to be idle is here. */
  private tell(): void {
    const seats = [...this.seats.values()];
    this.tells = seats.length > 0;
    const here = seats.some(({ idle }) => !idle);
    const lastInputAtMs = here ? Number.POSITIVE_INFINITY : this.watch.now() - IDLE_MS;
    this.watch.update({ lastInputAtMs: this.tells ? lastInputAtMs : undefined });
  }
}

// Numbers are in the byte order of the machine.
const LITTLE = endianness() === "LE";
const u32 = (from: Buffer, at: number): number => (LITTLE ? from.readUInt32LE(at) : from.readUInt32BE(at));

function words(...values: readonly number[]): Buffer {
  const made = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) {
    if (LITTLE) made.writeUInt32LE(value >>> 0, 4 * at);
    else made.writeUInt32BE(value >>> 0, 4 * at);
  }
  return made;
}

/** Its length with the zero at its end, then itself, up to a whole word. */
function string(value: string): Buffer {
  const made = Buffer.alloc(4 + ((value.length + 4) & ~3));
  words(value.length + 1).copy(made);
  made.write(value, 4, "latin1");
  return made;
}

const text = (from: Buffer, at: number): string => from.toString("utf8", at + 4, at + 4 + Math.max(0, u32(from, at) - 1));
