// What this browser keeps for the agent in its tabs, in IndexedDB: readable by the pages of this origin alone.

/** Who this browser is to coordinators (device.ts), and programs (programs.ts). */
export type StoreName = "device" | "programs";
const STORES: readonly StoreName[] = ["device", "programs"];
const [NAME, VERSION] = ["nightshift", 2];

/** Rejects where nothing can be kept, as in some private windows. */
export function openDatabase(): Promise<IDBDatabase> {
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
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}
