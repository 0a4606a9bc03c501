// The owner's input at a GNOME desktop under Wayland: Mutter knows none of Wayland's idle protocols, and tells it over D-Bus. A watch that fires
// whenever there has been no input for a while, and one that fires at the next input and then is gone.
import { BusClient, type BusSignal, type Target } from "./dbus-client.ts";
import type { Watch } from "./source.ts";
import type { InputSource } from "./wayland.ts";

/** As in wayland.ts. */
const IDLE_MS = 1_000;
const RETRY_MS = 10_000;

const MONITOR: Target = {
  service: "org.gnome.Mutter.IdleMonitor",
  path: "/org/gnome/Mutter/IdleMonitor/Core",
  interface: "org.gnome.Mutter.IdleMonitor",
};

/** @param bus the socket of the session's bus */
export function watchMutter(watch: Watch, bus: string): InputSource {
  let client: BusClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let tells = false;
  let said: string | undefined;
  let idleWatch = -1;
  let activeWatch = -1;

  const here = (): void => watch.update({ lastInputAtMs: Number.POSITIVE_INFINITY });
  /** It is told when the owner comes; who came while that was asked has come. */
  const look = async (on: BusClient): Promise<void> => {
    [activeWatch] = (await on.call(MONITOR, "AddUserActiveWatch")) as [number];
    const [idleMs] = await on.call(MONITOR, "GetIdletime");
    tells = true;
    if (Number(idleMs) < IDLE_MS) here();
    else watch.update({ lastInputAtMs: watch.now() - Number(idleMs) });
  };
  const hear = ({ interface: from, member, values: [id, was, is] }: BusSignal): void => {
    if (member === "NameOwnerChanged" && id === MONITOR.service && was !== "" && is === "") return client?.close();
    if (from !== MONITOR.interface || member !== "WatchFired") return;
    if (id === activeWatch) here();
    else if (id === idleWatch && client) void look(client).catch(() => client?.close());
  };
  const start = async (): Promise<void> => {
    try {
      const on = await BusClient.open(bus, hear, ended);
      client = on;
      if (closed) return on.close();
      await on.listen(`type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='${MONITOR.service}'`);
      await on.listen(`type='signal',sender='${MONITOR.service}',member='WatchFired'`);
      [idleWatch] = (await on.call(MONITOR, "AddIdleWatch", BigInt(IDLE_MS))) as [number];
      await look(on);
    } catch (thrown) {
      const { message } = thrown as Error;
      if (message !== said) watch.log("signals-missing", { source: "mutter", message }); // not again at every try
      said = message;
      client?.close();
    }
  };
  const ended = (): void => {
    client = undefined;
    if (closed) return;
    if (tells) watch.update({ lastInputAtMs: undefined });
    tells = false;
    timer = setTimeout(() => void start(), RETRY_MS);
  };
  void start();
  return {
    tells: () => tells,
    close: () => {
      closed = true;
      clearTimeout(timer);
      client?.close();
    },
  };
}
