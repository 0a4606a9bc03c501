// Signals of an X11 desktop. Input is told by XInput 2's raw events the moment it happens; while the owner goes on we look only every
// REST_MS, so that a mouse that reports a thousand times a second does not wake us as often. Screen saver, display power and full-screen
// windows are told too, or asked for beside.
import type { Signals } from "../../policy/index.ts";
import type { Source, Watch } from "./source.ts";
import { cookieOf, displaySocket, localDisplay, words, X11Client } from "./x11-client.ts";

/** After an input nobody listens for this long; less than the least idleAfterSeconds. */
const REST_MS = 500;
/** What the display does not tell (that it has gone dark) is asked as seldom as this. */
const LOOK_MS = 30_000;
/** When the display is gone. */
const RETRY_MS = 5_000;

const ALL_MASTER_DEVICES = 1;
/** RawKeyPress, RawKeyRelease, RawButtonPress, RawMotion, RawTouchBegin, RawTouchUpdate. */
const RAW_INPUT = [13, 14, 15, 17, 22, 23];
const RAW_MASK = RAW_INPUT.reduce((mask, event) => mask | (1 << event), 0);
const PROPERTY_NOTIFY = 28;
const PROPERTY_CHANGE_MASK = 1 << 22;

const UNKNOWN: Signals = { lastInputAtMs: undefined, screensaver: undefined, displayOff: undefined, fullScreen: undefined };

/**
 * @param windowsOf a process whose windows do not count as filling the screen
 * @returns undefined when there is no X11 display of this machine
 */
export function watchX11(watch: Watch, windowsOf?: number, display = process.env.DISPLAY): Source | undefined {
  const number = localDisplay(display);
  if (number === undefined) return undefined;
  let current: X11Watch | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let said: unknown;
  const log = (event: string, details?: Readonly<Record<string, unknown>>): void => {
    if (details?.message !== said) watch.log(event, details); // not again at every try
    said = details?.message;
  };
  const start = (): void => {
    const one = new X11Watch({ ...watch, log }, windowsOf);
    current = one;
    one.open(number, () => {
      if (closed) return;
      watch.update(UNKNOWN);
      timer = setTimeout(start, RETRY_MS);
    });
  };
  start();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      current?.close();
    },
  };
}

class X11Watch {
  private readonly watch: Watch;
  private client: X11Client | undefined;
  private input = 0;
  private saver: { opcode: number; firstEvent: number } | undefined;
  private power: number | undefined;
  private readonly windowsOf: number | undefined;
  private atoms = { active: 0, state: 0, fullScreen: 0, pid: 0 };
  private listening = false;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(watch: Watch, windowsOf: number | undefined) {
    this.watch = watch;
    this.windowsOf = windowsOf;
  }

  open(display: number, onEnd: () => void): void {
    const ended = (): void => {
      this.close();
      onEnd();
    };
    X11Client.open(displaySocket(display), cookieOf(display), (event) => this.event(event), ended)
      .then((client) => this.begin(client))
      .catch((thrown: Error) => {
        this.watch.log("signals-missing", { source: "x11", message: thrown.message });
        this.client?.close();
      });
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.client?.close();
  }

  private async begin(client: X11Client): Promise<void> {
    this.client = client;
    if (this.closed) return client.close();
    const [input, saver, power, active, state, fullScreen, pid] = await Promise.all([
      client.extension("XInputExtension"),
      client.extension("MIT-SCREEN-SAVER"),
      client.extension("DPMS"),
      client.atom("_NET_ACTIVE_WINDOW"),
      client.atom("_NET_WM_STATE"),
      client.atom("_NET_WM_STATE_FULLSCREEN"),
      client.atom("_NET_WM_PID"),
    ]);
    if (!input || !saver) throw new Error("the display has no XInput or no screen saver extension");
    this.input = input.opcode;
    this.saver = saver;
    this.power = power?.opcode;
    this.atoms = { active, state, fullScreen, pid };
    const version = await client.ask(input.opcode, 47, Buffer.from([2, 0, 2, 0])); // XIQueryVersion 2.2
    const [major, minor] = [version.readUInt16LE(8), version.readUInt16LE(10)];
    // Before 2.1 nobody hears of input while some window holds the pointer.
    if (major < 2 || (major === 2 && minor < 1)) throw new Error(`the display has XInput ${major}.${minor}, and 2.1 is needed`);
    client.tell(saver.opcode, 2, words(client.root, 1)); // ScreenSaverSelectInput
    client.tell(2, 0, words(client.root, 1 << 11, PROPERTY_CHANGE_MASK)); // ChangeWindowAttributes: its event mask
    await this.look();
  }

  /** Listens from now on, and asks what was before. */
  private async look(): Promise<void> {
    const { client, saver } = this;
    if (!client || !saver || this.closed) return;
    this.listen(true);
    const [info, power, fullScreen] = await Promise.all([
      client.ask(saver.opcode, 1, words(client.root)), // ScreenSaverQueryInfo
      this.power === undefined ? undefined : client.ask(this.power, 7, Buffer.alloc(0)), // DPMSInfo
      this.isFullScreen(client),
    ]);
    const idleMs = info.readUInt32LE(16);
    this.watch.update({
      lastInputAtMs: this.watch.now() - idleMs,
      screensaver: info.readUInt8(1) === 1,
      ...(power ? { displayOff: power.readUInt8(10) === 1 && power.readUInt16LE(8) !== 0 } : {}),
      fullScreen,
    });
    if (this.listening) this.again(LOOK_MS); // else there was input, and the end of the rest is awaited
  }

  /** XISelectEvents on the root window, which raw events come to. */
  private listen(on: boolean): void {
    const { client } = this;
    if (!client) return;
    this.listening = on;
    const body = words(client.root, 1, ALL_MASTER_DEVICES | (1 << 16), on ? RAW_MASK : 0);
    client.tell(this.input, 46, body);
  }

  private event(event: Buffer): void {
    const kind = event.readUInt8(0) & 0x7f;
    if (kind === 35 && event.readUInt8(1) === this.input && RAW_INPUT.includes(event.readUInt16LE(8))) {
      if (!this.listening) return; // sent before the display heard that we rest
      this.watch.update({ lastInputAtMs: this.watch.now() });
      this.listen(false);
      this.again(REST_MS);
    } else if (this.saver && kind === this.saver.firstEvent) {
      this.watch.update({ screensaver: event.readUInt8(1) === 1 });
    } else if (kind === PROPERTY_NOTIFY && event.readUInt32LE(8) === this.atoms.active) this.again(REST_MS);
  }

  private again(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.look().catch(() => this.client?.close());
    }, ms);
  }

  private async isFullScreen(client: X11Client): Promise<boolean> {
    const [active = 0] = await client.property(client.root, this.atoms.active);
    if (active === 0) return false;
    // The window may be gone by now.
    const states = await client.property(active, this.atoms.state).catch((): number[] => []);
    if (!states.includes(this.atoms.fullScreen)) return false;
    const [pid] = await client.property(active, this.atoms.pid).catch((): number[] => []);
    return pid === undefined || pid !== this.windowsOf;
  }
}
