// The screensaver's window: the night sky, fed with the app's state, and with the work here as far as it may be seen. Any input ends it.
import { NightSky, onInput } from "../../night-sky/night-sky.ts";
import { type Shown, withNews } from "../../shown/index.ts";
import type { AppState } from "../ipc/state.ts";
import { appWords, shownWords, whoseWork } from "../words/catalogue.ts";
import { ask } from "./asking.ts";

/** Characters. */
const MAX_LINE = 80;
/** News of the work is looked at so often, as drawing it costs more than the sky: 24 spectra 40 ms. */
const WORK_MS = 2_000;

const sky = new NightSky(document.getElementById("sky") as HTMLCanvasElement);
Object.defineProperty(globalThis, "drawn", { get: () => sky.drawn });

let state: AppState | undefined;
let work: { version: number; shown: Shown } | null = null;
/** The version that was asked for last, and until when nothing more is asked. */
let asked = 0;
let waiting: number | undefined;

function take(told: AppState): void {
  state = told;
  if (told.shownVersion === 0) work = null;
  lookAtWork();
  draw(told);
}

function lookAtWork(): void {
  if (waiting !== undefined || !state || state.shownVersion <= asked) return;
  void askForWork(state.shownVersion);
  waiting = window.setTimeout(() => {
    waiting = undefined;
    lookAtWork();
  }, WORK_MS);
}

/** Of the work only what is new to this window. */
async function askForWork(version: number): Promise<void> {
  asked = version;
  const told = await ask("shown", { after: work?.version ?? 0 }).catch(() => null);
  work = told?.shown ? { version: told.version, shown: withNews(work?.shown ?? null, told.shown) } : null;
  if (state) draw(state);
}

function draw({ headline, icon, coordinator, processes, language, cluster }: AppState): void {
  const words = appWords(language);
  const [first] = processes;
  const whose = first?.work ? whoseWork(words, first.work) : (first?.command ?? words.screensaverIdle);
  const seen = work && shownWords(words, work.shown);
  sky.show({
    headline,
    line: (seen ?? whose).slice(0, MAX_LINE),
    computing: icon === "computing",
    coordinator: coordinator?.address ?? null,
    processes: processes.map(({ pid, state }) => ({ pid, computing: state === "running" })),
    cluster: cluster && {
      ...cluster,
      words: words.screensaverCluster(cluster.computing, cluster.online, cluster.processes),
    },
    work: work && { ...work, words: seen ?? "" },
  });
}

onInput(() => void ask("closeScreensaver", null).catch(() => undefined));
window.nightshift.onState(take);
ask("state", null).then(take, () => undefined);
