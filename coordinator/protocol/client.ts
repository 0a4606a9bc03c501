// Requests, answers and events over a client's tunnel: what the command line and the console talk to. It owns request ids and who
// waits for which; the tunnel and its reconnection belong to the caller.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { z } from "zod";
import { remoteError } from "./bulk.ts";
import { checkMessage } from "./frames.ts";
import { type ConnectedTunnel, versionMismatch } from "./handshake.ts";
import {
  type ClientEvent,
  type ExitReport,
  type Method,
  type Params,
  PROTOCOL_VERSION,
  type Result,
  requests,
  type ToClient,
} from "./messages.ts";

/** A job or process being followed. */
export interface Attachment {
  job: number;
  /** How it ended; rejects when the connection is lost, the coordinator gives up, or with NS_CANCELLED after `stop`. */
  ended: Promise<ExitReport>;
  /** No more events from now on. */
  stop(): void;
}

interface Pending {
  schema: z.ZodType;
  resolve: (result: never) => void;
  reject: (error: NightshiftError) => void;
  answered: boolean;
  /** While events are expected; they may come before the answer and go on after it. */
  follow: {
    onEvent: (event: ClientEvent) => void;
    resolve: (report: ExitReport) => void;
    reject: (error: NightshiftError) => void;
  } | null;
}

export class RpcClient {
  readonly #tunnel: ConnectedTunnel<"client">;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #ended: NightshiftError | null = null;
  #closeHandler: ((error: NightshiftError | undefined) => void) | null = null;
  readonly #welcome = Promise.withResolvers<void>();

  /** Takes the tunnel's messages and its end; use `open`. */
  private constructor(tunnel: ConnectedTunnel<"client">) {
    this.#tunnel = tunnel;
    this.#welcome.promise.catch(() => undefined);
    tunnel.onMessage((message) => this.#receive(message));
    tunnel.onClose((error) => this.#end(error));
  }

  /** Greets the coordinator over a fresh tunnel. NS_VERSION_MISMATCH, NS_CONNECTION_LOST. */
  static async open(tunnel: ConnectedTunnel<"client">): Promise<RpcClient> {
    const client = new RpcClient(tunnel);
    tunnel.send({ type: "hello", version: PROTOCOL_VERSION });
    await client.#welcome.promise;
    return client;
  }

  /** Blob transfers of the same tunnel. */
  get blobs(): ConnectedTunnel<"client">["blobs"] {
    return this.#tunnel.blobs;
  }

  /** The result, checked by its schema. Failures keep the coordinator's code, message and details; NS_CONNECTION_LOST; NS_BAD_MESSAGE. */
  request<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    return this.#request(method, params, null).answer;
  }

  /** Follows output from the given offsets. Events may come before the promise resolves, in order, and none after `ended` or `stop`. */
  async attach(params: Params<"attach">, onEvent: (event: ClientEvent) => void): Promise<Attachment> {
    const ended = Promise.withResolvers<ExitReport>();
    // Whoever only wants the events need not look at `ended`.
    ended.promise.catch(() => undefined);
    const { id, answer } = this.#request("attach", params, { onEvent, resolve: ended.resolve, reject: ended.reject });
    const { job } = await answer;
    const stop = (): void => {
      if (!this.#pending.delete(id)) return;
      this.#tunnel.send({ type: "stop", id });
      ended.reject(new NightshiftError("NS_CANCELLED", "Following was stopped"));
    };
    return { job, ended: ended.promise, stop };
  }

  /** Requests without an answer and attachments without an end. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Called once when the tunnel has ended, as Tunnel.onClose. */
  onClose(handler: (error: NightshiftError | undefined) => void): void {
    this.#closeHandler = handler;
    if (this.#ended !== null) this.#tunnel.onClose(handler);
  }

  /** Says goodbye; what is pending is rejected with NS_CONNECTION_LOST. */
  close(): void {
    this.#tunnel.close();
  }

  #request<M extends Method>(
    method: M,
    params: Params<M>,
    follow: Pending["follow"],
  ): { id: number; answer: Promise<Result<M>> } {
    const id = this.#nextId++;
    const answer = new Promise<Result<M>>((resolve, reject) => {
      if (this.#ended !== null) throw this.#ended;
      this.#pending.set(id, { schema: requests[method].result, resolve, reject, answered: false, follow });
      try {
        this.#tunnel.send({ type: "request", id, method, params });
      } catch (error) {
        this.#pending.delete(id);
        throw error;
      }
    });
    return { id, answer };
  }

  #receive(message: ToClient): void {
    if (message.type === "welcome") {
      if (message.version === PROTOCOL_VERSION) this.#welcome.resolve();
      else this.#welcome.reject(versionMismatch(message.version));
      return;
    }
    if (message.type === "bye") return;
    // An unknown id is no fault: events cross a stop on the way.
    const pending = this.#pending.get(message.id);
    if (pending === undefined) return;
    if (message.type === "response") this.#answer(message.id, pending, message.result);
    else if (message.type === "failure")
      this.#fail(message.id, pending, remoteError(message.code, message.message, message.details));
    else if (pending.follow !== null) {
      pending.follow.onEvent(message.event);
      if (message.event.event !== "ended") return;
      pending.follow.resolve(message.event.report);
      pending.follow = null;
      if (pending.answered) this.#pending.delete(message.id);
    }
  }

  #answer(id: number, pending: Pending, result: unknown): void {
    pending.answered = true;
    if (pending.follow === null) this.#pending.delete(id);
    try {
      pending.resolve(checkMessage(pending.schema, result) as never);
    } catch (thrown) {
      this.#fail(id, pending, thrown as NightshiftError);
    }
  }

  #fail(id: number, pending: Pending, error: NightshiftError): void {
    this.#pending.delete(id);
    pending.reject(error);
    pending.follow?.reject(error);
  }

  #end(error: NightshiftError | undefined): void {
    const lost = error ?? new NightshiftError("NS_CONNECTION_LOST", "The connection was closed");
    this.#ended = lost;
    this.#welcome.reject(lost);
    for (const [id, pending] of this.#pending) this.#fail(id, pending, lost);
    this.#closeHandler?.(error);
  }
}
