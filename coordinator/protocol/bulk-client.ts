// The client end of blob traffic (an agent or the command line): getBlob and putBlob over one tunnel. It owns the transfers' ids
// and states; layout and fairness are bulk.ts's.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import {
  type BulkEnd,
  type BulkFrame,
  type BulkLimits,
  type BulkLink,
  badBulk,
  encodeBulk,
  FairSender,
  IncomingBlob,
  remoteError,
} from "./bulk.ts";

type Transfer =
  | {
      kind: "get";
      hash: string;
      incoming: IncomingBlob | null;
      resolve: (bytes: Uint8Array) => void;
      reject: (error: unknown) => void;
    }
  | { kind: "put"; bytes: Uint8Array; sending: boolean; resolve: () => void; reject: (error: unknown) => void };

export class BlobClient implements BulkEnd {
  readonly #link: BulkLink;
  readonly #limits: BulkLimits;
  readonly #sender: FairSender;
  readonly #active = new Map<number, Transfer>();
  #waiting: { frame: (id: number) => BulkFrame; transfer: Transfer }[] = [];
  #nextId = 0;
  #ended: NightshiftError | null = null;

  constructor(link: BulkLink, limits: BulkLimits) {
    this.#link = link;
    this.#limits = limits;
    this.#sender = new FairSender(link);
  }

  /** The blob's bytes, checked against the hash. NS_NOT_FOUND, NS_FORBIDDEN, NS_LIMIT, NS_BLOB_MISMATCH, NS_CONNECTION_LOST. */
  getBlob(hash: string): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#start((id) => ({ op: "get", id, hash, maxBytes: this.#limits.maxBlobBytes }), {
        kind: "get",
        hash,
        incoming: null,
        resolve,
        reject,
      });
    });
  }

  /** Resolves when the server has the blob durably, at once when it had it before. The bytes must not change meanwhile. */
  putBlob(hash: string, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (bytes.length > this.#limits.maxBlobBytes) {
        throw new NightshiftError(
          "NS_LIMIT",
          `A blob of ${bytes.length} bytes; at most ${this.#limits.maxBlobBytes} are allowed`,
        );
      }
      this.#start((id) => ({ op: "put", id, hash, size: bytes.length }), { kind: "put", bytes, sending: false, resolve, reject });
    });
  }

  /** What goes out leaves most of the line to others; what comes in comes as fast as it may. */
  beGentle(on: boolean): void {
    this.#sender.beGentle(on);
  }

  onFrame(frame: BulkFrame): void {
    const transfer = this.#active.get(frame.id);
    if (transfer === undefined) throw badBulk(`nothing was asked under ${frame.id}`);
    if (frame.op === "error") {
      // After an error the server reads no data under this id, so it may not come while we send.
      if (transfer.kind === "put" && transfer.sending && !this.#sent.has(frame.id))
        throw badBulk("an error in the middle of a blob");
      this.#finish(frame.id, () => transfer.reject(remoteError(frame.code, frame.message)));
    } else if (transfer.kind === "get" && frame.op === "size" && transfer.incoming === null) {
      if (frame.size > this.#limits.maxBlobBytes) throw badBulk(`${frame.size} bytes are more than was asked for`);
      transfer.incoming = new IncomingBlob(this.#link.crypto, transfer.hash, frame.size);
      this.#check(frame.id, transfer, transfer.incoming);
    } else if (transfer.kind === "get" && frame.op === "data" && transfer.incoming !== null) {
      transfer.incoming.write(frame.bytes);
      this.#check(frame.id, transfer, transfer.incoming);
    } else if (transfer.kind === "put" && frame.op === "send" && !transfer.sending) {
      transfer.sending = true;
      this.#sender.add(frame.id, transfer.bytes, () => this.#sent.add(frame.id));
    } else if (transfer.kind === "put" && frame.op === "done" && (!transfer.sending || this.#sent.has(frame.id))) {
      this.#finish(frame.id, transfer.resolve);
    } else throw badBulk(`${frame.op} does not belong here`);
  }

  onDrain(): void {
    this.#sender.pump();
  }

  onEnd(error: NightshiftError): void {
    this.#ended = error;
    this.#sender.clear();
    const transfers = [...this.#active.values(), ...this.#waiting.map((waiting) => waiting.transfer)];
    this.#active.clear();
    this.#waiting = [];
    for (const transfer of transfers) transfer.reject(error);
  }

  /** Puts whose last byte went out. */
  readonly #sent = new Set<number>();

  #start(frame: (id: number) => BulkFrame, transfer: Transfer): void {
    if (this.#ended !== null) throw this.#ended;
    if (this.#active.size >= this.#limits.maxTransfers) {
      this.#waiting.push({ frame, transfer });
      return;
    }
    const id = this.#nextId;
    const encoded = encodeBulk(frame(id));
    this.#nextId = (id + 1) >>> 0;
    this.#active.set(id, transfer);
    this.#link.sendBulk(encoded);
  }

  #check(id: number, transfer: Transfer & { kind: "get" }, incoming: IncomingBlob): void {
    if (!incoming.complete) return;
    this.#finish(id, () => {
      try {
        transfer.resolve(incoming.finish());
      } catch (error) {
        transfer.reject(error);
      }
    });
  }

  #finish(id: number, settle: () => void): void {
    this.#active.delete(id);
    this.#sent.delete(id);
    settle();
    const next = this.#waiting.shift();
    if (next === undefined) return;
    try {
      this.#start(next.frame, next.transfer);
    } catch (error) {
      next.transfer.reject(error);
    }
  }
}
