// Who this browser is to coordinators: its key and name, kept so that a tab that comes back is the same host.
import type { KeyPair } from "@nightshift/coordinator/protocol";
import { browserCrypto } from "@nightshift/coordinator/protocol/browser";
import { done, openDatabase } from "./database.ts";

export interface Device {
  key: KeyPair;
  name: string;
}

const ENTRY = "this";
const NAME_LETTERS = 6;

/** Made at first use. Where nothing can be kept (a private window), it lasts as long as the tab. */
export const loadDevice = (): Promise<Device> => keptDevice().catch(newDevice);

async function keptDevice(): Promise<Device> {
  const database = await openDatabase();
  try {
    // What only reads waits for nobody else that reads, not even for one that was ended in the middle of it.
    const store = (mode: IDBTransactionMode) => database.transaction("device", mode).objectStore("device");
    const kept = await done<Device | undefined>(store("readonly").get(ENTRY));
    if (kept) return kept;
    // Two tabs may begin at once: who comes first names them both.
    await done(store("readwrite").add(newDevice(), ENTRY)).catch(() => undefined);
    return (await done<Device | undefined>(store("readonly").get(ENTRY))) ?? newDevice();
  } finally {
    database.close();
  }
}

function newDevice(): Device {
  const random = crypto.getRandomValues(new Uint8Array(NAME_LETTERS));
  const letters = Array.from(random, (byte) => "bcdfghjklmnpqrstvwxz"[byte % 20]).join("");
  return { key: browserCrypto.generateKeyPair(), name: `browser-${letters}` };
}
