// Who this browser is to coordinators: its key and name, kept in IndexedDB, so that a tab that comes back is the same host. Readable by the
// pages of this origin alone.
import type { KeyPair } from "@nightshift/coordinator/protocol";
import { browserCrypto } from "@nightshift/coordinator/protocol/browser";

export interface Device {
  key: KeyPair;
  name: string;
}

const [DATABASE, STORE, ENTRY] = ["nightshift", "device", "this"];
const NAME_LETTERS = 6;

/** Made at first use. Where nothing can be kept (a private window), it lasts as long as the tab. */
export async function loadDevice(): Promise<Device> {
  const database = await open().catch(() => undefined);
  if (!database) return newDevice();
  try {
    const store = () => database.transaction(STORE, "readwrite").objectStore(STORE);
    const kept = await done<Device | undefined>(store().get(ENTRY));
    if (kept) return kept;
    // Two tabs may begin at once: who comes first names them both.
    await done(store().add(newDevice(), ENTRY)).catch(() => undefined);
    return (await done<Device | undefined>(store().get(ENTRY))) ?? newDevice();
  } finally {
    database.close();
  }
}

function newDevice(): Device {
  const random = crypto.getRandomValues(new Uint8Array(NAME_LETTERS));
  const letters = Array.from(random, (byte) => "bcdfghjklmnpqrstvwxz"[byte % 20]).join("");
  return { key: browserCrypto.generateKeyPair(), name: `browser-${letters}` };
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
