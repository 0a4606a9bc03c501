// Hosts that have come by a link that asks for approval: enrolled, connected, and able to do nothing until an administrator lets them in.
import { NightshiftError } from "@nightshift/wasm-kernels/errors";
import type { Device } from "../store/index.ts";
import type { Coordinator } from "./coordinator.ts";

/** As the API and the command line tell of it. */
export interface PendingHost {
  id: string;
  name: string;
  since: number;
  online: boolean;
  os: string;
  cpuModel: string;
  slots: number;
}

export class PendingHosts {
  private readonly coordinator: Coordinator;
  private readonly disconnect: (key: string) => void;
  /** What lets each of those in that are connected. */
  private readonly admits = new Map<string, () => void>();

  /** @param disconnect ends the connections of a key that has been refused */
  constructor(coordinator: Coordinator, disconnect: (key: string) => void) {
    this.coordinator = coordinator;
    this.disconnect = disconnect;
  }

  /** It is there and waits. @returns what to call when it is gone */
  wait(key: string, admit: () => void): () => void {
    this.admits.set(key, admit);
    this.coordinator.listsChanged();
    return () => {
      if (this.admits.get(key) !== admit) return;
      this.admits.delete(key);
      this.coordinator.listsChanged();
    };
  }

  /** Those that wait longest first. */
  list(): PendingHost[] {
    return this.devices().map(({ key, name, enrolledAt, info }) => ({
      ...{ id: key, name, since: enrolledAt, online: this.admits.has(key) },
      ...{ os: info?.os ?? "", cpuModel: info?.cpuModel ?? "", slots: info?.slots ?? 0 },
    }));
  }

  /** Let in, or turned away for good. @param host id, beginning of one, or name @throws NS_NO_SUCH_HOST, NS_USAGE when several have that name */
  decide(host: string, approve: boolean, who: string): void {
    const { store } = this.coordinator;
    const named = this.devices().filter(({ key, name }) => name === host || (host.length >= SHORTEST_ID && key.startsWith(host)));
    const [device] = named;
    if (!device) throw new NightshiftError("NS_NO_SUCH_HOST", `no host "${host}" waits to be let in`);
    if (named.length > 1)
      throw new NightshiftError("NS_USAGE", `${named.length} hosts that wait are called "${host}"; give an id`);
    const { key, name } = device;
    store.saveDevice({ ...device, pending: false, revokedAt: approve ? null : Date.now() });
    this.coordinator.note({ who, what: approve ? "host-approved" : "host-refused", target: name, details: key.slice(0, 12) });
    if (approve) this.admits.get(key)?.();
    else this.disconnect(key);
    this.admits.delete(key);
  }

  private devices(): Device[] {
    return this.coordinator.store.devices().filter(({ pending, revokedAt }) => pending && revokedAt === null);
  }
}

const SHORTEST_ID = 8;
