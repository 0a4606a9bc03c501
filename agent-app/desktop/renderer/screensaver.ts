// The screensaver's window: the night sky, fed with the app's state. Any input ends it.
import { NightSky, onInput } from "../../night-sky/night-sky.ts";
import type { AppState } from "../ipc/state.ts";
import { appWords, whoseWork } from "../words/catalogue.ts";
import { ask } from "./asking.ts";

/** Characters. */
const MAX_LINE = 80;

const sky = new NightSky(document.getElementById("sky") as HTMLCanvasElement);
Object.defineProperty(globalThis, "drawn", { get: () => sky.drawn });

function take({ headline, icon, coordinator, processes, language, cluster }: AppState): void {
  const words = appWords(language);
  const [first] = processes;
  sky.show({
    headline,
    line: first ? (first.work ? whoseWork(words, first.work) : first.command).slice(0, MAX_LINE) : words.screensaverIdle,
    computing: icon === "computing",
    coordinator: coordinator?.address ?? null,
    processes: processes.map(({ pid, state }) => ({ pid, computing: state === "running" })),
    cluster: cluster && {
      ...cluster,
      words: words.screensaverCluster(cluster.computing, cluster.online, cluster.processes),
    },
  });
}

onInput(() => void ask("closeScreensaver", null).catch(() => undefined));
window.nightshift.onState(take);
ask("state", null).then(take, () => undefined);
