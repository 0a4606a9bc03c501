// Message sockets over a browser's own WebSocket: the connecting side. A page can neither ping nor learn why a connection failed, and a browser takes
// minutes, or for ever, to notice that nothing passes any more. So it asks the coordinator for pings that it can see, and a coordinator that has gone is
// noticed by its silence.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { MAX_NOISE_BYTES } from "../cipher-state.ts";
import { VISIBLE_PING_MS, withVisiblePings } from "../link.ts";
import type { MessageSocket, SocketEnd, SocketHandlers } from "../ports.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/** After this much is buffered, how often to look whether it has gone: a page is not told. */
const DRAIN_LOOK_MS = 20;
const MAX_MESSAGE_BYTES = MAX_NOISE_BYTES + 1024;

/** So many looks in a row, each a ping's time after the one before, at which nothing had come: within a lease. */
const SILENT_LOOKS = 3;

/** Connects. NS_UNREACHABLE, without a reason: browsers give none. */
export function openBrowserSocket(url: string, visiblePingMs = VISIBLE_PING_MS): Promise<MessageSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(withVisiblePings(url));
    socket.binaryType = "arraybuffer";
    const failed = (why: string): void =>
      reject(new NightshiftError("NS_UNREACHABLE", `No coordinator answers at ${url}: ${why}`, { details: { url } }));
    const timer = setTimeout(() => {
      socket.close();
      failed(`no answer within ${CONNECT_TIMEOUT_MS} ms`);
    }, CONNECT_TIMEOUT_MS);
    socket.onerror = () => {
      clearTimeout(timer);
      failed("the browser could not connect");
    };
    socket.onopen = () => {
      clearTimeout(timer);
      resolve(adapt(socket, visiblePingMs));
    };
  });
}

/** An open WebSocket as a MessageSocket. */
function adapt(socket: WebSocket, visiblePingMs: number): MessageSocket {
  let handlers: SocketHandlers | null = null;
  const early: Uint8Array[] = [];
  let end: SocketEnd | null = null;
  let found: NightshiftError | undefined;
  let draining: ReturnType<typeof setTimeout> | undefined;

  let silentLooks = 0;
  let looking: ReturnType<typeof setInterval> | undefined;

  const ended = (how: SocketEnd): void => {
    if (end !== null) return;
    clearTimeout(draining);
    clearInterval(looking);
    end = { ...how, ...(found === undefined ? {} : { error: found }) };
    handlers?.onClose(end);
  };
  // Looks are counted and not time: of those that a busy or sleeping computer misses there is only one, before what has come meanwhile is read.
  const lookForSilence = (): void => {
    if (++silentLooks < SILENT_LOOKS) return;
    found ??= new NightshiftError("NS_CONNECTION_LOST", `The coordinator was silent for ${SILENT_LOOKS * visiblePingMs} ms`);
    socket.close(); // which takes the browser minutes, as nobody answers
    ended({ code: 1006, reason: "" });
  };
  const lookForDrain = (): void => {
    draining ??= setTimeout(() => {
      draining = undefined;
      handlers?.onDrain();
      if (socket.bufferedAmount > 0) lookForDrain();
    }, DRAIN_LOOK_MS);
  };
  socket.onerror = () => {
    found ??= new NightshiftError("NS_CONNECTION_LOST", "The connection was lost");
  };
  socket.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (end !== null) return;
    // Text is no case of its own: like any other garbage it does not decrypt.
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new TextEncoder().encode(String(data));
    silentLooks = 0;
    if (bytes.length === 0) {
      looking ??= setInterval(lookForSilence, visiblePingMs); // a coordinator of before sends none
      return;
    }
    if (bytes.length > MAX_MESSAGE_BYTES) {
      found ??= new NightshiftError("NS_FRAME_TOO_LARGE", `A message above ${MAX_MESSAGE_BYTES} bytes`);
      return socket.close();
    }
    if (handlers !== null) return handlers.onMessage(bytes);
    // A well-behaved peer waits for an answer, so more than one is somebody who does not.
    if (early.push(bytes) > 1) socket.close();
  };
  socket.onclose = ({ code, reason }) => ended({ code, reason });

  return {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send(bytes) {
      if (socket.readyState !== WebSocket.OPEN) return;
      socket.send(bytes as Uint8Array<ArrayBuffer>);
      lookForDrain();
    },
    close(code, reason) {
      // Pages may give only 1000 and 3000 to 4999.
      socket.close(code === 1000 || (code >= 3000 && code < 5000) ? code : 1000, reason.slice(0, 100));
    },
    listen(given) {
      handlers = given;
      for (const bytes of early.splice(0)) given.onMessage(bytes);
      if (end !== null) given.onClose(end);
    },
  };
}
