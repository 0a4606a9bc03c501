// The join page: whom one would lend to, what that means, how much and when; then what happens. Opened by a link whose secret stands behind
// the #, so that it is in no request. What the owner has agreed to is remembered for this coordinator, so that a reload goes on.

import { parseLink } from "@nightshift/coordinator/protocol";
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { lacking } from "@nightshift/wasm-kernels/process/engine";
import { saidIn } from "../../desktop/words/refusals.ts";
import { NightSky, onInput, type Scene } from "../../night-sky/night-sky.ts";
import { decisionWords, type Language, languageOf } from "../../policy/index.ts";
import { withNews } from "../../shown/index.ts";
import { sharesFlags } from "../../worker/sharing.browser.ts";
import { type Coordinator, type Device, loadDevice } from "../index.ts";
import { type Consent, Lending, type Shown, WHENS, type When } from "./lending.ts";
import { whenAlone } from "./one-tab.ts";
import {
  allCores,
  forgetConsent,
  rememberConsent,
  rememberedConsent,
  rememberedKey,
  rememberedPause,
  rememberKey,
  rememberPause,
} from "./remembered.ts";
import { canSeeBattery, canSeeIdle, maySeeIdle } from "./signals.ts";
import { say, showTime, type Text } from "./texts.ts";

const language: Language = languageOf(navigator.language);
const host = location.host;
const text = (name: Text, values: Record<string, string | number> = {}): string => say(language, name, { host, ...values });
/** How often the page asks what there is to see of the work, while it fills the screen. */
const LOOK_MS = 1_000;
const LOCK = "nightshift-lending";
const computing = decisionWords({ reasons: [] }, language);
const root = document.getElementById("page") as HTMLElement;

/** An element with attributes, handlers and children. */
function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Partial<HTMLElementTagNameMap[K]> & { role?: string } = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  const { role, ...properties } = attributes;
  Object.assign(element, properties);
  if (role) element.setAttribute("role", role);
  element.append(...children);
  return element;
}

/** Who has pressed something that is gone now goes on at the top. */
function show(...children: Node[]): void {
  const focused = root.contains(document.activeElement);
  const heading = make("h1", { tabIndex: -1 }, text("title"));
  root.replaceChildren(make("div", { className: "moon", ariaHidden: "true" }), heading, ...children);
  if (focused) heading.focus();
}
/** What there is to say of the way on which this page came. */
const transport = (): HTMLElement[] =>
  sharesFlags() ? [] : [make("p", { className: "warning", role: "note" }, text(isSecureContext ? "slow" : "untrusted"))];
const sentence = (words: string, role?: string): HTMLElement => make("p", role ? { role } : {}, words);

/**
 * This page's own coordinator; undefined when nothing says whom to trust.
 * @throws NS_BAD_LINK
 */
function coordinatorHere(): Coordinator | undefined {
  const tls = location.protocol === "https:";
  const port = location.port || (tls ? "443" : "80");
  if (location.hash.length > 1)
    return parseLink(`${tls ? "nightshifts" : "nightshift"}://${location.hostname}:${port}/${location.hash}`);
  const coordinatorKey = rememberedKey();
  return coordinatorKey && { host: location.hostname.replaceAll(/[[\]]/g, ""), port: Number(port), tls, coordinatorKey };
}

async function begin(): Promise<void> {
  document.documentElement.lang = language;
  document.title = text("title");
  const lacks = lacking();
  if (lacks.length > 0) return show(sentence(text("lacks", { what: lacks.join(", ") }), "alert"));
  try {
    const coordinator = coordinatorHere();
    if (!coordinator) return show(sentence(text("no-link")));
    const device = await loadDevice();
    const consent = rememberedConsent();
    if (consent) await lend(coordinator, device, consent);
    else ask(coordinator, device);
  } catch (thrown) {
    showError(thrown);
  }
}

/** What went wrong, and what can be done. */
function showError(thrown: unknown): void {
  const { code, message } = asNightshiftError(thrown);
  const { title, more } = saidIn(language, code, message);
  show(sentence(title, "alert"), ...(more ? [sentence(more)] : []));
}

// ---- consent

function ask(coordinator: Coordinator, device: Device, problem?: Text): void {
  const all = allCores();
  const cores = make("input", { type: "range", id: "cores", min: "1", max: String(all), value: String(Math.ceil(all / 2)) });
  const coresLabel = make("label", { htmlFor: "cores" });
  const label = (): void => coresLabel.replaceChildren(text("cores", { count: cores.value, all }));
  cores.oninput = label;
  label();
  const idle = canSeeIdle();
  const choices = WHENS.filter((when) => when !== "untouched" || !idle).map((when) => {
    const input = make("input", {
      type: "radio",
      name: "when",
      value: when,
      checked: when === (idle ? "away" : "background"),
      disabled: when === "away" && !idle,
    });
    const hint = when === "away" ? [make("small", {}, text(idle ? "awayHow" : "awayNot"))] : [];
    return make("label", { className: "choice" }, input, make("span", {}, text(when), ...hint));
  });
  const tells = canSeeBattery();
  const charging = make("input", { type: "checkbox", name: "charging", checked: tells, disabled: !tells });
  const chargingHint = tells ? [] : [make("small", {}, text("chargingNot"))];
  const form = make(
    "form",
    {},
    make("div", { className: "field" }, coresLabel, cores),
    make("fieldset", {}, make("legend", {}, text("when")), ...choices),
    make("label", { className: "choice" }, charging, make("span", {}, text("charging"), ...chargingHint)),
    make("button", { type: "submit" }, text("start")),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const when = new FormData(form).get("when") as When;
    void agree(coordinator, device, { when, cores: Number(cores.value), onlyCharging: charging.checked });
  };
  const points = (["whatRuns", idle ? "whatStops" : "whatStopsHere", "whatLeaves", "whatEnds"] as const).map((point) =>
    make("li", {}, text(point, { name: device.name })),
  );
  show(
    sentence(text("intro")),
    ...transport(),
    ...(problem ? [sentence(text(problem), "alert")] : []),
    make("h2", {}, text("what")),
    make("ul", {}, ...points),
    form,
  );
}

async function agree(coordinator: Coordinator, device: Device, consent: Consent): Promise<void> {
  if (consent.when === "away" && !(await maySeeIdle())) return ask(coordinator, device, "denied");
  rememberConsent(consent);
  await lend(coordinator, device, consent);
}

// ---- lending

/** One tab lends; others say so, and take over when it is closed. */
function lend(coordinator: Coordinator, device: Device, consent: Consent): Promise<void> {
  return whenAlone(
    LOCK,
    () => lendNow(coordinator, device, consent),
    () => show(sentence(text("elsewhere"), "status")),
  );
}

/** Until the owner ends it. */
async function lendNow(coordinator: Coordinator, device: Device, consent: Consent): Promise<void> {
  const { name } = device;
  const words = sentence("", "status");
  words.className = "words";
  const lent = sentence("");
  const agreed = sentence(
    [
      text("agreed", { count: consent.cores, all: allCores(), when: text(consent.when) }),
      ...(consent.onlyCharging ? [text("agreedCharging")] : []),
    ].join(""),
  );
  const more = sentence("");
  const figures = sentence("");
  const pause = make("button", { type: "button" });
  const fill = make("button", { type: "button", className: "quiet" }, text("fill"));
  const stop = make("button", { type: "button", className: "quiet" }, text("stop"));
  show(words, lent, more, agreed, figures, ...transport(), make("div", { className: "buttons" }, pause, fill, stop));
  let scene: Omit<Scene, "work"> | undefined;
  let sky: NightSky | undefined;
  let work: Scene["work"] = null;
  const fillSky = (): void => {
    if (scene) sky?.show({ ...scene, line: work?.words ?? scene.line, work });
  };
  const lookAtWork = async (): Promise<void> => {
    const news = await lending.shownNews();
    if (news === undefined) return;
    const shown = news && withNews(work?.shown ?? null, news);
    const what = shown && { job: `${shown.job}`, name: shown.name, parts: shown.parts };
    work = shown && what && { shown, version: (work?.version ?? 0) + 1, words: text(shown.kind, what) };
    fillSky();
  };
  fill.onclick = () => {
    work = null;
    sky = fillScreen(() => {
      clearInterval(looking);
      sky = undefined;
      lending.watch(false);
    });
    lending.watch(true);
    const looking = setInterval(() => void lookAtWork(), LOOK_MS);
    fillSky();
  };
  const draw = ({ status, paused, pausedByHand, givenMs }: Shown): void => {
    const now = paused ?? (!status?.connected ? text("waiting") : status.running > 0 ? computing : text("ready"));
    document.body.dataset.state = status?.refused
      ? "attention"
      : !status?.connected
        ? "offline"
        : status.paused
          ? "paused"
          : "computing";
    // Said again only when it changes: screen readers would repeat it.
    if (words.textContent !== now) words.textContent = now;
    const refused = status?.refused && saidIn(language, status.refused.code, status.refused.message);
    more.textContent = refused?.more ?? "";
    more.hidden = more.textContent === "";
    lent.textContent = refused
      ? text("refused", { message: refused.title })
      : text(status?.connected ? "lending" : status?.pending ? "pending" : "offline", { name });
    const whom = [...new Set((status?.processes ?? []).flatMap(({ work }) => work?.by || []))];
    figures.textContent =
      text("processes", { count: status?.running ?? 0, time: showTime(givenMs) }) +
      (whom.length > 0 ? ` ${text("forWhom", { who: whom.join(", ") })}` : "");
    scene = {
      headline: now,
      line: text(status?.connected ? "lending" : "offline", { name }),
      computing: (status?.running ?? 0) > 0,
      coordinator: status?.connected ? host : null,
      processes: (status?.processes ?? []).map(({ pid, state }) => ({ pid, computing: state === "running" })),
      cluster: status?.cluster ? { ...status.cluster, words: text("cluster", { ...status.cluster }) } : null,
    };
    fillSky();
    if (status?.connected) rememberKey(coordinator.coordinatorKey);
    pause.textContent = text(pausedByHand ? "resume" : "pause");
    pause.onclick = () => {
      rememberPause(!pausedByHand);
      if (pausedByHand) lending.resume();
      else lending.pause();
    };
  };
  const lending = new Lending(coordinator, device, consent, rememberedPause(), language, draw);
  const ended = new Promise<void>((resolve) => {
    stop.onclick = () => {
      forgetConsent();
      resolve();
    };
  });
  const leave = (): void => lending.leave();
  addEventListener("pagehide", leave);
  try {
    await lending.start();
    await ended;
    ask(coordinator, device);
  } catch (thrown) {
    // What the browser throws when the permission has been taken back.
    if (thrown instanceof DOMException && thrown.name === "NotAllowedError") ask(coordinator, device, "denied");
    else showError(thrown);
  } finally {
    delete document.body.dataset.state;
    removeEventListener("pagehide", leave);
    leave();
    lending.close();
  }
}

/**
 * The same sky as the tray app's screensaver, over everything, until there is any input.
 * @param onEnd it is over
 */
function fillScreen(onEnd: () => void): NightSky {
  const canvas = make("canvas", { className: "sky" });
  document.body.append(canvas);
  const sky = new NightSky(canvas);
  const close = (): void => {
    deaf();
    document.removeEventListener("fullscreenchange", left);
    sky.close();
    canvas.remove();
    if (document.fullscreenElement) void document.exitFullscreen();
    onEnd();
  };
  const left = (): void => void (document.fullscreenElement || close());
  const deaf = onInput(close);
  // Where the browser does not allow it, it fills the window.
  canvas.requestFullscreen().then(
    () => document.addEventListener("fullscreenchange", left),
    () => undefined,
  );
  return sky;
}

addEventListener("hashchange", () => location.reload());
// It was left for another page, and has said goodbye.
addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
void begin();
