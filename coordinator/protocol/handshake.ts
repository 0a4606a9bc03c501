// Makes tunnels: Noise_IK_25519 with AESGCM or ChaChaPoly and SHA256 on a fresh socket, from both sides. It owns who may come in and when; what passes
// afterwards is tunnel.ts's.
//
//   initiator (agent, client)                          acceptor (coordinator)
//   IK message 1 { v, role, token?, name? }   ->       only remembered: message 1 can be replayed by anybody who saw it
//                                             <-       IK message 2 { v }
//   ready (first transport message)           ->       proves that the initiator is alive: now authenticate, which may use up a token
//                                             <-       ready, or bye with the reason
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { z } from "zod";
import { DEFAULT_BULK_LIMITS } from "./bulk.ts";
import { BlobClient } from "./bulk-client.ts";
import { BlobServer, type BlobService } from "./bulk-server.ts";
import { decodeCbor, encodeCbor } from "./cbor.ts";
import type { CipherName } from "./cipher-state.ts";
import { checkMessage, decodeMessage } from "./frames.ts";
import {
  type FromAgent,
  type FromClient,
  fromAgent,
  fromClient,
  PROTOCOL_VERSION,
  type ToAgent,
  type ToClient,
  toAgent,
  toClient,
} from "./messages.ts";
import { HandshakeState } from "./noise.ts";
import { Opening, type OpeningOptions } from "./opening.ts";
import type { SocketEnd } from "./ports.ts";
import type { Tunnel } from "./tunnel.ts";

export const noiseProtocol = (cipher: CipherName): string => `Noise_IK_25519_${cipher}_SHA256`;
/** Names protocol and version of handshake and frames; the messages' version travels as `v`, where a mismatch can be told. */
const PROLOGUE = new TextEncoder().encode("Nightshift tunnel 1");
/** e (32) + s and its tag (48) + the payload's tag: no first message is shorter. */
const MIN_FIRST_MESSAGE_BYTES = 96;

export type Role = "agent" | "client";

interface Traffic {
  agent: { up: FromAgent; down: ToAgent };
  client: { up: FromClient; down: ToClient };
}
/** What a connecting side of this role holds. */
export type ConnectedTunnel<R extends Role> = Tunnel<Traffic[R]["up"], Traffic[R]["down"], BlobClient>;
/** What the coordinator holds. */
export type ServedTunnel<R extends Role> = Tunnel<Traffic[R]["down"], Traffic[R]["up"], BlobServer>;

const downSchemas = { agent: toAgent, client: toClient };
const upSchemas = { agent: fromAgent, client: fromClient };

const anyHello = z.object({ v: z.number().int() });
const hello = z.object({
  v: z.literal(PROTOCOL_VERSION),
  role: z.enum(["agent", "client"]),
  token: z
    .instanceof(Uint8Array)
    .refine((bytes) => bytes.length <= 256, "too long")
    .optional(),
  name: z.string().max(200).optional(),
});

export interface ConnectOptions<R extends Role> extends OpeningOptions {
  /** The coordinator's static public key, from the join link. */
  coordinatorKey: Uint8Array;
  role: R;
  /** From the join link; not needed once the key is enrolled. */
  token?: Uint8Array;
  /** What the host or client calls itself, at most 200 characters. */
  name?: string;
}

/** Who knocks. `remoteKey` is proven to be theirs and alive when authenticate sees it. */
export interface Caller {
  role: Role;
  remoteKey: Uint8Array;
  token?: Uint8Array;
  name?: string;
}

export interface AcceptOptions<Identity> extends OpeningOptions {
  /** Throws NightshiftError NS_BAD_TOKEN, NS_REVOKED, NS_FORBIDDEN...: the caller is told code and message. Other errors become NS_INTERNAL. */
  authenticate(caller: Caller): Promise<Identity>;
  /** Without it blob requests are refused with NS_FORBIDDEN. */
  blobs?: (who: { role: Role; identity: Identity; remoteKey: Uint8Array }) => BlobService;
}

export type Accepted<Identity> = { identity: Identity; remoteKey: Uint8Array } & (
  | { role: "agent"; tunnel: ServedTunnel<"agent"> }
  | { role: "client"; tunnel: ServedTunnel<"client"> }
);

/**
 * Resolves once the coordinator has let us in. Rejects with NS_WRONG_KEY when the server does not hold the coordinator's key,
 * NS_VERSION_MISMATCH, NS_UNREACHABLE when it does not answer in time, NS_CONNECTION_LOST, or the coordinator's own refusal.
 */
export function connectTunnel<R extends Role>(options: ConnectOptions<R>): Promise<ConnectedTunnel<R>> {
  const { role, token, name } = options;
  return new Promise((resolve, reject) => {
    const handshake = newHandshake(options, true, options.coordinatorKey);
    const opening = new Opening<Traffic[R]["down"], BlobClient>(options, handshake, reject, "The server");
    opening.onFirst = (bytes) => {
      const answer = decodeMessage(
        anyHello,
        orWrongKey("The server could not prove that it is the coordinator", () => handshake.readMessage(bytes)),
      );
      if (answer.v !== PROTOCOL_VERSION) throw versionMismatch(answer.v);
      const tunnel: ConnectedTunnel<R> = opening.begin(downSchemas[role] as unknown as z.ZodType<Traffic[R]["down"]>, () => {
        opening.settle();
        tunnel.open((link) => new BlobClient(link, { ...DEFAULT_BULK_LIMITS, ...options.bulkLimits }));
        resolve(tunnel);
      });
      tunnel.sendReady();
    };
    opening.onLost = (end) => reject(refusalIn(end));
    opening.start();
    opening.guard(() => {
      const payload = {
        v: PROTOCOL_VERSION,
        role,
        ...(token === undefined ? {} : { token }),
        ...(name === undefined ? {} : { name }),
      };
      options.socket.send(orWrongKey("The coordinator's key is not usable", () => handshake.writeMessage(encodeCbor(payload))));
    });
  });
}

/** Resolves with an authenticated peer; rejects with what went wrong, after telling the peer as far as it can be told. */
export function acceptTunnel<Identity>(options: AcceptOptions<Identity>): Promise<Accepted<Identity>> {
  return new Promise((resolve, reject) => {
    const handshake = newHandshake(options, false);
    const opening = new Opening<FromAgent | FromClient, BlobServer>(options, handshake, reject, "The caller");
    opening.onFirst = (bytes) => {
      if (bytes.length < MIN_FIRST_MESSAGE_BYTES) throw new NightshiftError("NS_BAD_FRAME", "The first message is too short");
      const payload = orWrongKey("The caller has another coordinator's key, or sent garbage", () => handshake.readMessage(bytes));
      const said = readHello(payload);
      options.socket.send(handshake.writeMessage(encodeCbor({ v: PROTOCOL_VERSION })));
      const role = said instanceof NightshiftError ? "client" : said.role;
      const tunnel = opening.begin(upSchemas[role] as z.ZodType<FromAgent | FromClient>, () => {
        opening.settle();
        if (said instanceof NightshiftError) return tunnel.close(said.code, said.message);
        void admit(options, { ...said, remoteKey: tunnel.remoteKey }, tunnel as Tunnel<unknown, unknown, BlobServer>, resolve);
      });
    };
    opening.onLost = (end) =>
      reject(end.error ?? new NightshiftError("NS_CONNECTION_LOST", "The caller left during the handshake"));
    opening.start();
  });
}

/** The caller has proven to be alive: everything with an effect happens from here on. */
async function admit<Identity>(
  options: AcceptOptions<Identity>,
  caller: Caller,
  tunnel: Tunnel<unknown, unknown, BlobServer>,
  resolve: (accepted: Accepted<Identity>) => void,
): Promise<void> {
  const { role, remoteKey } = caller;
  try {
    const identity = await options.authenticate(caller);
    if (tunnel.closed) return;
    const service = options.blobs?.({ role, identity, remoteKey }) ?? null;
    tunnel.open((link) => new BlobServer(link, { ...DEFAULT_BULK_LIMITS, ...options.bulkLimits }, service));
    tunnel.sendReady();
    resolve({ role, identity, remoteKey, tunnel } as unknown as Accepted<Identity>);
  } catch (thrown) {
    // Only what was meant for the caller is told; a defect of ours is not.
    if (thrown instanceof NightshiftError) tunnel.close(thrown.code, thrown.message);
    else tunnel.close("NS_INTERNAL", "The coordinator could not check the request");
  }
}

function newHandshake(options: OpeningOptions, initiator: boolean, remoteStatic?: Uint8Array): HandshakeState {
  const { crypto, staticKey, cipher = "AESGCM" } = options;
  return new HandshakeState({
    crypto,
    protocolName: noiseProtocol(cipher),
    initiator,
    prologue: PROLOGUE,
    staticKey,
    ...(remoteStatic === undefined ? {} : { remoteStatic }),
  });
}

/** What the caller says about itself, or why it cannot be let in; thrown later, when the refusal can be told inside the encryption. */
function readHello(payload: Uint8Array): z.infer<typeof hello> | NightshiftError {
  try {
    const value = decodeCbor(payload);
    const { v } = checkMessage(anyHello, value);
    return v === PROTOCOL_VERSION ? checkMessage(hello, value) : versionMismatch(v);
  } catch (thrown) {
    return asNightshiftError(thrown);
  }
}

/** A handshake message that does not decrypt means that the two sides do not mean the same coordinator key. */
function orWrongKey<T>(message: string, step: () => T): T {
  try {
    return step();
  } catch (thrown) {
    if (thrown instanceof NightshiftError && thrown.code === "NS_BAD_FRAME")
      throw new NightshiftError("NS_WRONG_KEY", message, { cause: thrown });
    throw thrown;
  }
}

/** Why the server hung up before there was encryption. Not authenticated, so it only chooses between ways of saying "not connected". */
function refusalIn(end: SocketEnd): NightshiftError {
  if (end.error !== undefined) return end.error;
  if (end.reason === "NS_WRONG_KEY") return new NightshiftError("NS_WRONG_KEY", "The server does not hold the coordinator's key");
  if (end.reason === "NS_RATE_LIMITED")
    return new NightshiftError("NS_RATE_LIMITED", "The coordinator has too many newcomers at the moment");
  return new NightshiftError("NS_CONNECTION_LOST", `The connection was lost during the handshake (${end.code})`);
}

export function versionMismatch(theirs: number): NightshiftError {
  return new NightshiftError("NS_VERSION_MISMATCH", `One side speaks protocol version ${PROTOCOL_VERSION}, the other ${theirs}`);
}
