// What this browser keeps for the agent in its tabs, in IndexedDB: readable by the pages of this origin alone.

/** Who this browser is to coordinators (device.ts), and programs (programs.ts). */
export type StoreName = "device" | "programs";
const STORES: readonly StoreName[] = ["device", "programs"];
const [NAME, VERSION] = ["nightshift", 2];

/** A browser that has not answered by then, on however busy a computer, never will. */
const ANSWER_MS = 20_000;
let silent = false;

/** Rejects where nothing can be kept, as in some private windows, and at once where the browser has not answered before. */
export async function openDatabase(): Promise<IDBDatabase> {
  if (silent) throw new Error("IndexedDB does not answer");
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    for (const store of STORES) if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store);
  };
  // Another tab wants a newer version: it must not wait for this one to be closed.
  request.onsuccess = () => {
    request.result.onversionchange = () => request.result.close();
  };
  return done(request);
}

export function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      silent = true;
      reject(new Error("IndexedDB does not answer"));
    }, ANSWER_MS);
    request.addEventListener("success", () => {
      clearTimeout(timer);
      resolve(request.result);
    });
    request.addEventListener("error", () => {
      clearTimeout(timer);
      reject(request.error);
    });
  });
}
