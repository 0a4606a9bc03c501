// Programs that a browser keeps from one visit to the next, so that they need not come again: the ones used last, within a bound. Whoever takes one checks
// that it is what it should be.
import { done, openDatabase } from "./database.ts";

const MAX_BYTES = 64 * 2 ** 20;

interface Kept {
  bytes: Uint8Array<ArrayBuffer>;
  /** Milliseconds since 1970. */
  usedAt: number;
}

export async function keptProgram(hash: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const database = await openDatabase();
  try {
    const store = (mode: IDBTransactionMode) => database.transaction("programs", mode).objectStore("programs");
    const kept = await done<Kept | undefined>(store("readonly").get(hash));
    if (!kept) return undefined;
    // Nobody waits for that.
    store("readwrite").put({ ...kept, usedAt: Date.now() } satisfies Kept, hash);
    return kept.bytes;
  } finally {
    database.close();
  }
}

/** Those used longest ago make room. A program larger than all the room is not kept. */
export async function keepProgram(hash: string, bytes: Uint8Array<ArrayBuffer>, maxBytes = MAX_BYTES): Promise<void> {
  if (bytes.length > maxBytes) return;
  const database = await openDatabase();
  try {
    const store = database.transaction("programs", "readwrite").objectStore("programs");
    const [keys, all] = await Promise.all([done(store.getAllKeys()), done<Kept[]>(store.getAll())]);
    const oldestFirst = keys.map((key, at) => ({ key, ...(all[at] as Kept) })).sort((a, b) => a.usedAt - b.usedAt);
    let total = oldestFirst.reduce((sum, kept) => sum + kept.bytes.length, bytes.length);
    for (const kept of oldestFirst) {
      if (total <= maxBytes) break;
      store.delete(kept.key);
      total -= kept.bytes.length;
    }
    await done(store.put({ bytes, usedAt: Date.now() } satisfies Kept, hash));
  } finally {
    database.close();
  }
}
