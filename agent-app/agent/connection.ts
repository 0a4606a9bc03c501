// The agent's connection over a socket that a platform has opened.
import { type ConnectOptions, connectTunnel } from "@nightshift/coordinator/protocol";
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { AgentConnection, Ports } from "./ports.ts";

/** Rejects as connectTunnel does. */
export async function connectAgent(
  options: Omit<ConnectOptions<"agent">, "role">,
  on: Parameters<Ports["connect"]>[0],
): Promise<AgentConnection> {
  const tunnel = await connectTunnel({ ...options, role: "agent" });
  tunnel.onMessage((message) => on.message(message));
  tunnel.onClose((error) =>
    on.closed(error ?? new NightshiftError("NS_CONNECTION_LOST", "the coordinator closed the connection")),
  );
  return {
    send: (message) => tunnel.send(message),
    getBlob: async (hash) => new Uint8Array(await tunnel.blobs.getBlob(hash)),
    putBlob: (hash, bytes) => tunnel.blobs.putBlob(hash, bytes),
    beGentle: (on) => tunnel.blobs.beGentle(on),
    close: () => tunnel.close(),
    abandon: () => tunnel.close("NS_CONNECTION_LOST", "the network has changed"),
  };
}
