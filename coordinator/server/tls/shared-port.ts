// The port of a coordinator with TLS takes plain connections too, for two things alone: tunnels, so that hosts that joined before there was TLS
// are not lost (Noise inside protects them as ever), and browsers that are sent to https. Owns who gets a connection, by its first byte.
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import { PROBLEM_TYPE, problemOf } from "../http/problems.ts";

/** A TLS record of a handshake, RFC 8446 section 5.1. */
const HANDSHAKE = 22;
const FIRST_BYTE_MS = 10_000;
const HOST = /^(?:[\w.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * @param encrypted an HTTPS server that does not listen yet
 * @returns the server of the plain connections, for tunnels to be taken there; close() ends its connections
 */
export function sharePort(encrypted: Server): { plain: Server; close(): void } {
  const plain = createServer((request, response) => {
    const { url = "/", method } = request;
    const host = request.headers.host ?? "";
    response.setHeader("connection", "close");
    // An API token that was sent unencrypted is to be noticed, not to work.
    if (method === "GET" && /^\/(?!api\/)/.test(url) && HOST.test(host)) {
      response.writeHead(307, { location: `https://${host}${url}` }).end();
      return;
    }
    const { status, problem } = problemOf(new NightshiftError("NS_PLAIN_HTTP", "this address speaks TLS: https"));
    response.writeHead(status, { "content-type": PROBLEM_TYPE }).end(JSON.stringify(problem));
  });
  const open = new Set<Socket>();
  const takeEncrypted = encrypted.listeners("connection") as ((socket: Socket) => void)[];
  encrypted.removeAllListeners("connection");
  encrypted.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    const ignored = (): void => {};
    socket.on("error", ignored);
    const late = setTimeout(() => socket.destroy(), FIRST_BYTE_MS);
    socket.once("close", () => clearTimeout(late));
    socket.once("data", (first: Buffer) => {
      clearTimeout(late);
      socket.off("error", ignored);
      socket.pause();
      socket.unshift(first);
      if (first[0] === HANDSHAKE) for (const take of takeEncrypted) take.call(encrypted, socket);
      else plain.emit("connection", socket);
      // Whoever has it now listens for its data after this turn only.
      process.nextTick(() => socket.resume());
    });
  });
  return {
    plain,
    close: () => {
      for (const socket of open) socket.destroy();
    },
  };
}
