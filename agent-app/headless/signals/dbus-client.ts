// As much of D-Bus as an idle watch needs, over a bus's local socket: calls with numbers and words, their answers, signals. A message of more
// than a hundred kilobytes ends the connection. (The packages for it speak all of D-Bus and parse XML; this is three calls. `gdbus`, which logind.ts
// asks, cannot keep a watch: it ends with the connection that asked for it.)
import { connect, type Socket } from "node:net";

const MAX_MESSAGE_BYTES = 100_000;
const CALL_TIMEOUT_MS = 5_000;

const CALL = 1;
const REPLY = 2;
const ERROR = 3;
const SIGNAL = 4;
/** Fields of a header. */
const FIELD = { path: 1, interface: 2, member: 3, errorName: 4, replySerial: 5, destination: 6, signature: 8 } as const;

type Value = number | bigint | string;

/** What is called: an object of a service. */
export interface Target {
  service: string;
  path: string;
  interface: string;
}

export interface BusSignal {
  path: string;
  interface: string;
  member: string;
  /** Up to the first of a kind not known here. */
  values: Value[];
}

/** The socket of the session's bus, in the form that Node takes; undefined: there is none. */
export function sessionBus(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const address = env.DBUS_SESSION_BUS_ADDRESS ?? (env.XDG_RUNTIME_DIR ? `unix:path=${env.XDG_RUNTIME_DIR}/bus` : "");
  for (const one of address.split(";")) {
    const found = /^unix:(?:.*,)?(path|abstract)=([^,]+)/.exec(one);
    if (found?.[2]) return (found[1] === "abstract" ? "\0" : "") + unescaped(found[2]);
  }
  return undefined;
}

const unescaped = (text: string): string =>
  text.replaceAll(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));

export class BusClient {
  private readonly socket: Socket;
  private readonly onSignal: (signal: BusSignal) => void;
  private unread: Buffer = Buffer.alloc(0);
  private greeted = false;
  /** Hello: sent when the bus has let us in. */
  private first: Buffer = Buffer.alloc(0);
  private serial = 0;
  private readonly waiting = new Map<number, { resolve(values: Value[]): void; reject(error: Error): void }>();

  private constructor(path: string, onSignal: (signal: BusSignal) => void, onEnd: () => void) {
    this.onSignal = onSignal;
    let why = new Error("the bus has closed the connection");
    this.socket = connect(path);
    this.socket.on("error", (error) => {
      why = error;
    });
    this.socket.on("close", () => {
      for (const { reject } of this.waiting.values()) reject(why);
      this.waiting.clear();
      onEnd();
    });
    this.socket.on("data", (part: Buffer) => {
      try {
        this.read(part);
      } catch (thrown) {
        why = thrown as Error;
        this.socket.destroy();
      }
    });
    // Who we are is seen by the bus in the socket itself; the user's number is said for it to compare.
    this.socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.getuid?.() ?? 0)).toString("hex")}\r\n`);
  }

  /** @param onEnd once, however it ends; also when this rejects @throws what the socket says */
  static async open(path: string, onSignal: (signal: BusSignal) => void, onEnd: () => void): Promise<BusClient> {
    const client = new BusClient(path, onSignal, onEnd);
    try {
      await client.call(BUS, "Hello");
      return client;
    } catch (thrown) {
      client.close();
      throw thrown;
    }
  }

  close(): void {
    this.socket.destroy();
  }

  /** Signals that fit the rule come from now on, beside those that are sent to us alone. */
  async listen(rule: string): Promise<void> {
    await this.call(BUS, "AddMatch", rule);
  }

  /** @param args bigint: 64 bits unsigned; number: 32 bits unsigned @throws what the service says, or that it does not answer */
  call(target: Target, member: string, ...args: readonly Value[]): Promise<Value[]> {
    const serial = ++this.serial;
    const message = encode(serial, target, member, args);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error(`${target.service} does not answer`))), CALL_TIMEOUT_MS);
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        this.waiting.delete(serial);
        done();
      };
      this.waiting.set(serial, {
        resolve: (values) => settle(() => resolve(values)),
        reject: (error) => settle(() => reject(error)),
      });
      if (this.greeted) this.socket.write(message);
      else this.first = message;
    });
  }

  private read(part: Buffer): void {
    this.unread = Buffer.concat([this.unread, part]);
    if (!this.greeted) {
      const end = this.unread.indexOf("\r\n");
      if (end < 0 && this.unread.length < 1000) return;
      const line = this.unread.toString("latin1", 0, Math.max(0, end));
      if (!line.startsWith("OK ")) throw new Error(`the bus does not let us in: ${line}`);
      this.unread = this.unread.subarray(end + 2);
      this.greeted = true;
      this.socket.write("BEGIN\r\n");
      this.socket.write(this.first);
    }
    while (this.unread.length >= 16) {
      const little = this.unread[0] === 0x6c;
      const fields = new Reader(this.unread, little, 12).number();
      const body = new Reader(this.unread, little, 4).number();
      const size = aligned(16 + fields, 8) + body;
      if (size > MAX_MESSAGE_BYTES) throw new Error(`the bus sends a message of ${size} bytes`);
      if (this.unread.length < size) return;
      this.message(this.unread.subarray(0, size), little, 16 + fields);
      this.unread = this.unread.subarray(size);
    }
  }

  private message(bytes: Buffer, little: boolean, fieldsEnd: number): void {
    const fields = new Map<number, Value>();
    const reader = new Reader(bytes, little, 16);
    while (reader.at < fieldsEnd) {
      reader.align(8);
      const code = reader.byte();
      const value = reader.value(reader.signature());
      if (value === undefined) return; // a kind of field that is not for us
      fields.set(code, value);
    }
    reader.at = fieldsEnd;
    reader.align(8);
    const values: Value[] = [];
    for (const kind of String(fields.get(FIELD.signature) ?? "")) {
      const value = reader.value(kind);
      if (value === undefined) break;
      values.push(value);
    }
    const name = (field: number): string => String(fields.get(field) ?? "");
    const kind = bytes[1];
    if (kind === SIGNAL)
      return this.onSignal({ path: name(FIELD.path), interface: name(FIELD.interface), member: name(FIELD.member), values });
    const asked = this.waiting.get(Number(fields.get(FIELD.replySerial)));
    if (kind === REPLY) asked?.resolve(values);
    if (kind === ERROR) asked?.reject(new Error(`${name(FIELD.errorName)}: ${values[0] ?? ""}`));
  }
}

const BUS: Target = { service: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" };

const aligned = (at: number, to: number): number => Math.ceil(at / to) * to;

/** Little-endian, as the first byte says. */
function encode(serial: number, target: Target, member: string, args: readonly Value[]): Buffer {
  const body = new Writer();
  for (const arg of args) body.value(kindOf(arg), arg);
  const fields = new Writer();
  const field = (code: number, kind: string, value: string): void => {
    fields.align(8);
    fields.bytes.push(code);
    fields.value("g", kind);
    fields.value(kind, value);
  };
  field(FIELD.path, "o", target.path);
  field(FIELD.interface, "s", target.interface);
  field(FIELD.member, "s", member);
  field(FIELD.destination, "s", target.service);
  if (args.length > 0) field(FIELD.signature, "g", args.map(kindOf).join(""));
  const head = new Writer();
  head.bytes.push(0x6c, CALL, 0, 1);
  for (const value of [body.bytes.length, serial, fields.bytes.length]) head.value("u", value);
  head.bytes.push(...fields.bytes);
  head.align(8);
  return Buffer.from([...head.bytes, ...body.bytes]);
}

const kindOf = (value: Value): string => (typeof value === "bigint" ? "t" : typeof value === "number" ? "u" : "s");

class Writer {
  readonly bytes: number[] = [];

  align(to: number): void {
    while (this.bytes.length % to !== 0) this.bytes.push(0);
  }

  value(kind: string, value: Value): void {
    if (kind === "t") {
      this.align(8);
      this.bytes.push(...Array.from({ length: 8 }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn)));
    } else if (kind === "u") {
      this.align(4);
      this.bytes.push(...Array.from({ length: 4 }, (_, at) => (Number(value) >>> (8 * at)) & 0xff));
    } else {
      const text = Buffer.from(String(value));
      if (kind === "g") this.bytes.push(text.length);
      else this.value("u", text.length);
      this.bytes.push(...text, 0);
    }
  }
}

/** Throws a RangeError where a message says that it is longer than it is. */
class Reader {
  private readonly from: Buffer;
  private readonly little: boolean;
  at: number;

  constructor(from: Buffer, little: boolean, at: number) {
    this.from = from;
    this.little = little;
    this.at = at;
  }

  align(to: number): void {
    this.at = aligned(this.at, to);
  }

  byte(): number {
    return this.from.readUInt8(this.at++);
  }

  number(): number {
    this.align(4);
    this.at += 4;
    return this.little ? this.from.readUInt32LE(this.at - 4) : this.from.readUInt32BE(this.at - 4);
  }

  signature(): string {
    return this.text(this.byte());
  }

  /** undefined: a kind that is not known here. */
  value(kind: string): Value | undefined {
    switch (kind) {
      case "u":
      case "b":
        return this.number();
      case "t":
        this.align(8);
        this.at += 8;
        return this.little ? this.from.readBigUInt64LE(this.at - 8) : this.from.readBigUInt64BE(this.at - 8);
      case "s":
      case "o":
        return this.text(this.number());
      case "g":
        return this.signature();
      default:
        return undefined;
    }
  }

  private text(bytes: number): string {
    const end = this.at + bytes;
    if (end >= this.from.length) throw new RangeError("the bus sends a text that is longer than its message");
    const text = this.from.toString("utf8", this.at, end);
    this.at = end + 1;
    return text;
  }
}
