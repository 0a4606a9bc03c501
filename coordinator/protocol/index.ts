// The face of the protocol: what agents, clients and the coordinator share. Runs anywhere; node/ has Node's implementations.
export * from "./backoff.ts";
export { type BulkLimits, DEFAULT_BULK_LIMITS } from "./bulk.ts";
export type { BlobClient } from "./bulk-client.ts";
export type { BlobService, BlobStore } from "./bulk-server.ts";
export { decodeCbor, encodeCbor } from "./cbor.ts";
export { type KeyPair, type NoiseCrypto, publicKeyOf } from "./cipher-state.ts";
export { type Attachment, RpcClient } from "./client.ts";
export * from "./event-lines.ts";
export {
  type Accepted,
  type AcceptOptions,
  acceptTunnel,
  type Caller,
  type ConnectedTunnel,
  type ConnectOptions,
  connectTunnel,
  type Role,
  type ServedTunnel,
} from "./handshake.ts";
export { type GateLimits, HandshakeGate } from "./handshake-gate.ts";
export * from "./job-file.ts";
export {
  DEFAULT_PORT,
  formatLink,
  fromBase64Url,
  type JoinLink,
  parseLink,
  TUNNEL_PATH,
  toBase64Url,
  tunnelUrl,
} from "./link.ts";
export * from "./messages.ts";
export * from "./people.ts";
export type { MessageSocket, RunningHash, SocketEnd, SocketHandlers, Timers, TunnelCrypto } from "./ports.ts";
export * from "./release.ts";
export { severalAtOnce } from "./several.ts";
export * from "./show.ts";
export * from "./sweep.ts";
export type { Tunnel } from "./tunnel.ts";
