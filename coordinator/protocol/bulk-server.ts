// The server end of blob traffic: answers one tunnel's gets and puts from a store, within limits. It owns no blob and no rights;
// both come in with BlobService.
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import {
  type BulkEnd,
  type BulkFrame,
  type BulkLimits,
  type BulkLink,
  badBulk,
  encodeBulk,
  FairSender,
  IncomingBlob,
} from "./bulk.ts";

/** Where the server's blobs are. */
export interface BlobStore {
  has(hash: string): Promise<boolean>;
  /** Throws NS_NOT_FOUND. The bytes must not change afterwards. */
  get(hash: string): Promise<Uint8Array>;
  /** Durable when it resolves. The bytes are checked against the hash already. */
  put(hash: string, bytes: Uint8Array): Promise<void>;
}

/** A store and who may use it, for one tunnel. */
export interface BlobService {
  store: BlobStore;
  /** Throws (NS_FORBIDDEN) when this tunnel's peer may not do that. */
  authorise(action: "get" | "put", hash: string): void | Promise<void>;
}

interface Transfer {
  /** Bytes counted against maxHeldBytes. */
  held: number;
  incoming: { hash: string; blob: IncomingBlob } | null;
}

export class BlobServer implements BulkEnd {
  readonly #link: BulkLink;
  readonly #limits: BulkLimits;
  readonly #service: BlobService | null;
  readonly #sender: FairSender;
  readonly #active = new Map<number, Transfer>();
  #heldBytes = 0;
  #ended = false;

  /** Without a service every request is answered with NS_FORBIDDEN. */
  constructor(link: BulkLink, limits: BulkLimits, service: BlobService | null) {
    this.#link = link;
    this.#limits = limits;
    this.#service = service;
    this.#sender = new FairSender(link);
  }

  onFrame(frame: BulkFrame): void {
    if (frame.op === "data") {
      this.#receive(frame.id, frame.bytes);
      return;
    }
    if (frame.op !== "get" && frame.op !== "put") throw badBulk(`${frame.op} does not belong here`);
    const { id, hash } = frame;
    if (this.#active.has(id)) throw badBulk(`${id} is in use already`);
    if (this.#active.size >= this.#limits.maxTransfers) {
      this.#refuse(id, limit(`${this.#limits.maxTransfers} blobs under way already`));
      return;
    }
    this.#active.set(id, { held: 0, incoming: null });
    this.#run(id, async (service) => {
      await service.authorise(frame.op, hash);
      if (frame.op === "get") await this.#get(service, id, hash, Math.min(frame.maxBytes, this.#limits.maxBlobBytes));
      else await this.#put(service, id, hash, frame.size);
    });
  }

  onDrain(): void {
    this.#sender.pump();
  }

  onEnd(): void {
    this.#ended = true;
    this.#sender.clear();
    this.#active.clear();
  }

  async #get(service: BlobService, id: number, hash: string, maxBytes: number): Promise<void> {
    const bytes = await service.store.get(hash);
    this.#hold(id, bytes.length, maxBytes);
    this.#send({ op: "size", id, size: bytes.length });
    if (!this.#ended) this.#sender.add(id, bytes, () => this.#release(id));
  }

  async #put(service: BlobService, id: number, hash: string, size: number): Promise<void> {
    if (size > this.#limits.maxBlobBytes) throw limit(`a blob of ${size} bytes, ${this.#limits.maxBlobBytes} are allowed`);
    if (await service.store.has(hash)) {
      this.#release(id);
      return this.#send({ op: "done", id });
    }
    this.#hold(id, size, this.#limits.maxBlobBytes);
    const transfer = this.#active.get(id);
    if (transfer === undefined) return;
    const blob = new IncomingBlob(this.#link.crypto, hash, size);
    transfer.incoming = { hash, blob };
    this.#send({ op: "send", id });
    if (blob.complete) await this.#store(service, id, transfer.incoming);
  }

  #receive(id: number, bytes: Uint8Array): void {
    const transfer = this.#active.get(id);
    const incoming = transfer?.incoming;
    if (incoming === undefined || incoming === null) throw badBulk(`no blob is expected under ${id}`);
    incoming.blob.write(bytes);
    if (incoming.blob.complete) this.#run(id, (service) => this.#store(service, id, incoming));
  }

  async #store(service: BlobService, id: number, incoming: { hash: string; blob: IncomingBlob }): Promise<void> {
    await service.store.put(incoming.hash, incoming.blob.finish());
    this.#release(id);
    this.#send({ op: "done", id });
  }

  /** Runs one step of a transfer; its failure is the transfer's, not the tunnel's. */
  #run(id: number, step: (service: BlobService) => Promise<void>): void {
    const service = this.#service;
    const running =
      service === null
        ? Promise.reject(new NightshiftError("NS_FORBIDDEN", "No blobs are served on this tunnel"))
        : step(service);
    running.catch((thrown: unknown) => {
      this.#release(id);
      this.#refuse(id, asNightshiftError(thrown));
    });
  }

  #refuse(id: number, error: NightshiftError): void {
    this.#send({ op: "error", id, code: error.code, message: error.message });
  }

  #send(frame: BulkFrame): void {
    if (!this.#ended) this.#link.sendBulk(encodeBulk(frame));
  }

  #hold(id: number, bytes: number, maxBytes: number): void {
    if (bytes > maxBytes) throw limit(`a blob of ${bytes} bytes, ${maxBytes} are allowed`);
    if (this.#heldBytes + bytes > this.#limits.maxHeldBytes) throw limit(`${this.#heldBytes} bytes of blobs under way already`);
    const transfer = this.#active.get(id);
    if (transfer === undefined) return;
    transfer.held = bytes;
    this.#heldBytes += bytes;
  }

  #release(id: number): void {
    this.#heldBytes -= this.#active.get(id)?.held ?? 0;
    this.#active.delete(id);
  }
}

function limit(what: string): NightshiftError {
  return new NightshiftError("NS_LIMIT", `Too much for one tunnel: ${what}`);
}
