// The join page: whom one would lend to, what that means, how much and when; then what happens. Opened by a link whose secret stands behind
// the #, so that it is in no request. What the owner has agreed to is remembered for this coordinator, so that a reload goes on.
import { asNightshiftError } from "@nightshift/wasm-kernels/errors";
import { decisionWords, type Language, languageOf } from "../../policy/index.ts";
import { loadDevice } from "../device.ts";
import { type Consent, Lending, type Shown, WHENS, type When } from "./lending.ts";
import { canSeeIdle, maySeeIdle } from "./signals.ts";
import { say, showTime, type Text } from "./texts.ts";

const language: Language = languageOf(navigator.language);
const host = location.host;
const text = (name: Text, values: Record<string, string | number> = {}): string => say(language, name, { host, ...values });
const REMEMBERED = `nightshift ${host}`;
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

function show(...children: Node[]): void {
  root.replaceChildren(make("div", { className: "moon", ariaHidden: "true" }), make("h1", {}, text("title")), ...children);
}
const sentence = (words: string, role?: string): HTMLElement => make("p", role ? { role } : {}, words);

/** nightshift://HOST/#KEY.TOKEN for this page's own coordinator; undefined without a secret. */
function linkHere(): string | undefined {
  const secret = location.hash.slice(1);
  if (!/^[\w-]+\.[\w-]+$/.test(secret)) return undefined;
  const port = location.port || (location.protocol === "https:" ? "443" : "80");
  return `${location.protocol === "https:" ? "nightshifts" : "nightshift"}://${location.hostname}:${port}/#${secret}`;
}

async function begin(): Promise<void> {
  document.documentElement.lang = language;
  document.title = text("title");
  const link = linkHere();
  if (!link) return show(sentence(text("no-link")));
  if (!("Tag" in WebAssembly) || !navigator.locks) return show(sentence(text("no-wasm")));
  if (!crossOriginIsolated) return show(sentence(text("not-isolated")));
  const { name } = await loadDevice();
  const consent = remembered();
  if (consent) await lend(link, name, consent);
  else ask(link, name);
}

function remembered(): Consent | undefined {
  try {
    const { when, cores, onlyCharging } = JSON.parse(localStorage.getItem(REMEMBERED) ?? "");
    const valid = WHENS.includes(when) && Number.isInteger(cores) && cores >= 1 && cores <= allCores();
    return valid ? { when, cores, onlyCharging: onlyCharging === true } : undefined;
  } catch {
    return undefined;
  }
}

const allCores = (): number => Math.max(1, navigator.hardwareConcurrency);

// ---- consent

function ask(link: string, name: string, problem?: Text): void {
  const all = allCores();
  const cores = make("input", { type: "range", id: "cores", min: "1", max: String(all), value: String(Math.ceil(all / 2)) });
  const coresLabel = make("label", { htmlFor: "cores" });
  const label = (): void => coresLabel.replaceChildren(text("cores", { count: cores.value, all }));
  cores.oninput = label;
  label();
  const idle = canSeeIdle();
  const choices = WHENS.map((when) => {
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
  const charging = make("input", { type: "checkbox", name: "charging", checked: true });
  const form = make(
    "form",
    {},
    make("div", { className: "field" }, coresLabel, cores),
    make("fieldset", {}, make("legend", {}, text("when")), ...choices),
    make("label", { className: "choice" }, charging, make("span", {}, text("charging"))),
    make("button", { type: "submit" }, text("start")),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    const when = new FormData(form).get("when") as When;
    void agree(link, name, { when, cores: Number(cores.value), onlyCharging: charging.checked });
  };
  const points = (["whatRuns", "whatStops", "whatLeaves", "whatEnds"] as const).map((point) =>
    make("li", {}, text(point, { name })),
  );
  show(
    sentence(text("intro")),
    ...(problem ? [sentence(text(problem), "alert")] : []),
    make("h2", {}, text("what")),
    make("ul", {}, ...points),
    form,
  );
}

async function agree(link: string, name: string, consent: Consent): Promise<void> {
  if (consent.when === "away" && !(await maySeeIdle())) return ask(link, name, "denied");
  try {
    localStorage.setItem(REMEMBERED, JSON.stringify(consent));
  } catch {
    // A private window: asked again after a reload.
  }
  await lend(link, name, consent);
}

// ---- lending

/** One tab lends; others say so, and take over when it is closed. */
async function lend(link: string, name: string, consent: Consent): Promise<void> {
  const got = await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await lendNow(link, name, consent);
    return lock !== null;
  });
  if (got) return;
  show(sentence(text("elsewhere"), "status"));
  await navigator.locks.request(LOCK, () => lendNow(link, name, consent));
}

/** Until the owner ends it. */
async function lendNow(link: string, name: string, consent: Consent): Promise<void> {
  const words = sentence("", "status");
  words.className = "words";
  const lent = sentence("");
  const figures = sentence("");
  const pause = make("button", { type: "button" });
  const stop = make("button", { type: "button", className: "quiet" }, text("stop"));
  show(words, lent, figures, make("div", { className: "buttons" }, pause, stop));
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
    lent.textContent = status?.refused
      ? text("refused", { message: status.refused.message })
      : text(status?.connected ? "lending" : status?.pending ? "pending" : "offline", { name });
    figures.textContent = text("processes", { count: status?.running ?? 0, time: showTime(givenMs) });
    pause.textContent = text(pausedByHand ? "resume" : "pause");
    pause.onclick = () => (pausedByHand ? lending.resume() : lending.pause());
  };
  const lending = new Lending(link, consent, language, draw);
  const ended = new Promise<void>((resolve) => {
    stop.onclick = () => {
      localStorage.removeItem(REMEMBERED);
      resolve();
    };
  });
  try {
    await lending.start();
    await ended;
    ask(link, name);
  } catch (thrown) {
    // What the browser throws when the permission has been taken back.
    if (thrown instanceof DOMException && thrown.name === "NotAllowedError") ask(link, name, "denied");
    else show(sentence(asNightshiftError(thrown).message, "alert"));
  } finally {
    delete document.body.dataset.state;
    lending.close();
  }
}

void begin();
