// As much of the X11 protocol as an idle watch needs, over the display's local socket: setup, extensions, the screen saver's and XInput 2's
// requests, window properties. A packet longer than anything we ask for ends the connection. (The package x11 has all of X and OpenGL in
// 5 MB without types; these are five requests.)
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";

const MAX_PACKET_BYTES = 64 * 1024;
const PACKET = 32;
const GENERIC_EVENT = 35;

/** A display of this machine: its number. Others ("host:10.0", as over ssh) show another machine's owner. */
export function localDisplay(display: string | undefined): number | undefined {
  const found = /^(?:unix)?:(\d{1,5})(?:\.\d+)?$/.exec(display ?? "");
  return found ? Number(found[1]) : undefined;
}

/** The secret of the display from the file of secrets, if there is one. */
export function findCookie(file: Buffer, display: number): Buffer | undefined {
  let at = 0;
  const field = (): Buffer => {
    const bytes = at + 2 <= file.length ? file.readUInt16BE(at) : file.length;
    const value = file.subarray(at + 2, at + 2 + bytes);
    at += 2 + bytes;
    return value;
  };
  while (at + 2 <= file.length) {
    at += 2; // the family of the address
    field(); // the address
    const [number, name, data] = [field().toString("latin1"), field().toString("latin1"), field()];
    if (at <= file.length && name === "MIT-MAGIC-COOKIE-1" && (number === "" || number === String(display))) return data;
  }
  return undefined;
}

const pad = (bytes: number): number => (bytes + 3) & ~3;

export class X11Client {
  root = 0;
  private readonly socket: Socket;
  private readonly onEvent: (event: Buffer) => void;
  private unread: Buffer = Buffer.alloc(0);
  private sequence = 0;
  private readonly waiting = new Map<number, { resolve(reply: Buffer): void; reject(error: Error): void }>();
  private setUp: { resolve(): void; reject(error: Error): void } | undefined;

  private constructor(path: string, onEvent: (event: Buffer) => void, onEnd: () => void) {
    this.onEvent = onEvent;
    this.socket = connect(path);
    this.socket.on("data", (part: Buffer) => this.read(part));
    let error = new Error("the display has closed the connection");
    this.socket.on("error", (thrown) => {
      error = thrown;
    });
    this.socket.on("close", () => {
      this.setUp?.reject(error);
      for (const { reject } of this.waiting.values()) reject(error);
      this.waiting.clear();
      onEnd();
    });
  }

  /**
   * @param path of the display's socket, see displaySocket
   * @param onEvent every event, whole
   * @param onEnd once, when the connection has ended in any way, even before it was set up
   */
  static async open(
    path: string,
    cookie: Buffer | undefined,
    onEvent: (event: Buffer) => void,
    onEnd: () => void,
  ): Promise<X11Client> {
    const client = new X11Client(path, onEvent, onEnd);
    await new Promise<void>((resolve, reject) => {
      client.setUp = { resolve, reject };
      client.socket.write(setupRequest(cookie));
    });
    client.setUp = undefined;
    return client;
  }

  close(): void {
    this.socket.destroy();
  }

  /** Sends a request that has no reply. @param body what follows the four bytes of opcode, data and length */
  tell(opcode: number, data: number, body: Buffer): number {
    const head = Buffer.from([opcode, data, 0, 0]);
    head.writeUInt16LE(1 + pad(body.length) / 4, 2);
    this.socket.write(Buffer.concat([head, body, Buffer.alloc(pad(body.length) - body.length)]));
    this.sequence = (this.sequence + 1) & 0xffff;
    return this.sequence;
  }

  /** @returns the reply, at least 32 bytes @throws NS_HOST_UNAVAILABLE when the display refuses or is gone */
  ask(opcode: number, data: number, body: Buffer): Promise<Buffer> {
    const sequence = this.tell(opcode, data, body);
    return new Promise((resolve, reject) => this.waiting.set(sequence, { resolve, reject }));
  }

  /** @returns its opcode and first event, or undefined when the display does not have it */
  async extension(name: string): Promise<{ opcode: number; firstEvent: number } | undefined> {
    const reply = await this.ask(98, 0, named(name));
    return reply.readUInt8(8) === 0 ? undefined : { opcode: reply.readUInt8(9), firstEvent: reply.readUInt8(10) };
  }

  async atom(name: string): Promise<number> {
    return (await this.ask(16, 0, named(name))).readUInt32LE(8);
  }

  /** The first numbers of a window's property; none when it does not have it. */
  async property(window: number, property: number): Promise<number[]> {
    const MAX_NUMBERS = 64;
    const reply = await this.ask(20, 0, words(window, property, 0, 0, MAX_NUMBERS));
    const count = reply.readUInt8(1) === 32 ? Math.min(reply.readUInt32LE(16), (reply.length - PACKET) >> 2) : 0;
    return Array.from({ length: count }, (_, at) => reply.readUInt32LE(PACKET + 4 * at));
  }

  private read(part: Buffer): void {
    this.unread = this.unread.length === 0 ? part : Buffer.concat([this.unread, part]);
    while (this.unread.length >= (this.setUp ? 8 : PACKET)) {
      const bytes = this.setUp ? 8 + 4 * this.unread.readUInt16LE(6) : packetBytes(this.unread);
      if (bytes > (this.setUp ? 8 + 4 * 0xffff : MAX_PACKET_BYTES)) return this.close();
      if (this.unread.length < bytes) return;
      const packet = this.unread.subarray(0, bytes);
      this.unread = this.unread.subarray(bytes);
      if (this.setUp) {
        if (!this.greet(packet)) return this.close();
      } else this.packet(packet);
    }
  }

  private greet(packet: Buffer): boolean {
    const screens = packet.length < 40 ? packet.length : 40 + pad(packet.readUInt16LE(24)) + 8 * packet.readUInt8(29);
    if (packet.readUInt8(0) !== 1 || screens + 4 > packet.length) {
      const why = packet
        .subarray(8, 8 + packet.readUInt8(1))
        .toString("latin1")
        .trim();
      this.setUp?.reject(new NightshiftError("NS_HOST_UNAVAILABLE", `the display lets nobody watch: ${why}`));
      return false;
    }
    this.root = packet.readUInt32LE(screens);
    this.setUp?.resolve();
    this.setUp = undefined;
    return true;
  }

  private packet(packet: Buffer): void {
    const kind = packet.readUInt8(0);
    if (kind > 1) return this.onEvent(packet);
    const sequence = packet.readUInt16LE(2);
    const asked = this.waiting.get(sequence);
    this.waiting.delete(sequence);
    if (kind === 1) asked?.resolve(packet);
    else asked?.reject(new NightshiftError("NS_HOST_UNAVAILABLE", `the display answers with error ${packet.readUInt8(1)}`));
  }
}

/** Replies and generic events say how much follows the first 32 bytes. */
function packetBytes(packet: Buffer): number {
  const kind = packet.readUInt8(0) & 0x7f;
  return kind === 1 || kind === GENERIC_EVENT ? PACKET + 4 * packet.readUInt32LE(4) : PACKET;
}

export const displaySocket = (display: number): string => `/tmp/.X11-unix/X${display}`;

export function cookieOf(display: number): Buffer | undefined {
  try {
    return findCookie(readFileSync(process.env.XAUTHORITY ?? join(homedir(), ".Xauthority")), display);
  } catch {
    return undefined; // no file: displays without secrets let us in all the same
  }
}

function setupRequest(cookie: Buffer | undefined): Buffer {
  const name = Buffer.from(cookie ? "MIT-MAGIC-COOKIE-1" : "");
  const data = cookie ?? Buffer.alloc(0);
  const request = Buffer.alloc(12 + pad(name.length) + pad(data.length));
  request.write("l", 0); // little-endian
  request.writeUInt16LE(11, 2);
  request.writeUInt16LE(name.length, 6);
  request.writeUInt16LE(data.length, 8);
  name.copy(request, 12);
  data.copy(request, 12 + pad(name.length));
  return request;
}

function named(name: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(name.length, 0);
  return Buffer.concat([head, Buffer.from(name, "latin1")]);
}

/** 32-bit numbers as they go over the wire. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => {
    bytes.writeUInt32LE(value, 4 * at);
  });
  return bytes;
}
