// For other sites, whose visitors may lend their computers: <script src="https://COORDINATOR/lend/embed.js" data-join="KEY.TOKEN"></script> puts a
// button where it stands. Nothing is asked, sent or computed before a visitor clicks it. What lending means is then said, and agreed to, on the join page
// in a window of its own, which the site can neither read nor draw over.
import { languageOf } from "../../policy/words.ts";
import { say } from "./texts.ts";

const STYLE = `
button { font: 600 1rem/1.5 system-ui, sans-serif; padding: 0.5rem 1rem; border: 0; border-radius: 0.6rem; background: #17203a; color: #ffffff; cursor: pointer }
button::before { content: ""; display: inline-block; width: 0.9em; height: 0.9em; margin-right: 0.6em; border-radius: 50%; vertical-align: -0.1em;
  box-shadow: inset -0.25em -0.1em 0 0 #f4d35e; transform: rotate(20deg) }
button:focus-visible { outline: 3px solid #b88a00; outline-offset: 2px }`;

function offer(script: HTMLScriptElement): void {
  const join = script.dataset.join ?? "";
  if (!/^[\w-]+\.[\w-]+$/.test(join))
    return console.error("Nightshift: the script needs data-join with what stands behind the # of a join link: KEY.TOKEN");
  if (script.closest("head"))
    return console.error("Nightshift: the script must stand where its button is to be, not in the page's head");
  const page = new URL("./", script.src);
  const place = document.createElement("span");
  const root = place.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = say(languageOf(navigator.language), "embedded", { host: page.host });
  button.onclick = () => void open(`${page.href}#${join}`, "_blank", "popup,noopener,width=720,height=900");
  root.append(button);
  script.after(place);
}

if (document.currentScript instanceof HTMLScriptElement) offer(document.currentScript);
