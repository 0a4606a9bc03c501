// Answers what windows ask: who asks, how much, and what is checked before anything is done.
import { asNightshiftError, NightshiftError } from "@nightshift/wasm-kernels/errors";
import { type Answered, type AnswerOf, MAX_REQUEST_BYTES, REQUESTS, type RequestName, type RequestOf } from "../ipc/requests.ts";
import type { App } from "./app.ts";
import { isOurs } from "./window-rules.ts";

type Handlers = { [N in RequestName]: (app: App, value: RequestOf<N>) => AnswerOf<N> | Promise<AnswerOf<N>> };

const HANDLERS: Handlers = {
  state: (app) => app.state(),
  pause: (app, { forMs, untilTomorrow }) => app.pause(forMs, untilTomorrow).then(() => null),
  runNow: (app, { forMs }) => app.runNow(forMs).then(() => null),
  resume: (app) => app.resume().then(() => null),
  setPolicy: (app, settings) => app.setPolicy(settings).then(() => null),
  previewPolicy: (app, settings) => app.previewPolicy(settings),
  setApp: (app, settings) => {
    app.setApp(settings as Parameters<App["setApp"]>[0]);
    return null;
  },
  describeLink: (app, link) => app.describeLink(link),
  join: (app, link) => {
    app.join(link);
    return null;
  },
  declineInvitation: (app) => {
    app.declineInvitation();
    return null;
  },
  leave: (app) => {
    app.leave();
    return null;
  },
  history: (app) => app.days(),
  log: (app) => app.log(),
  shown: (app, { after }) => app.shownSince(after),
  showScreensaver: (app) => {
    app.showScreensaver();
    return null;
  },
  closeScreensaver: (app) => {
    app.closeScreensaver();
    return null;
  },
};

/** Never throws: what is refused is in the answer. @param frame that asks */
export async function answerRequest(
  app: App,
  frame: { url: string; isTop: boolean } | null,
  name: unknown,
  value: unknown,
): Promise<Answered> {
  try {
    if (frame === null || !isOurs(frame)) throw new NightshiftError("NS_FORBIDDEN", "only the app's own windows may ask");
    if (typeof name !== "string" || !Object.hasOwn(REQUESTS, name))
      throw new NightshiftError("NS_USAGE", "there is no such request");
    // Texts may hold up to three bytes a character.
    if ((JSON.stringify(value)?.length ?? 0) * 3 > MAX_REQUEST_BYTES)
      throw new NightshiftError("NS_USAGE", `a request may have at most ${MAX_REQUEST_BYTES} bytes`);
    const parsed = REQUESTS[name as RequestName].schema.safeParse(value);
    if (!parsed.success) throw new NightshiftError("NS_USAGE", `${name}: ${parsed.error.issues[0]?.message ?? "not valid"}`);
    return { ok: true, value: await HANDLERS[name as RequestName](app, parsed.data as never) };
  } catch (thrown) {
    const { code, message } = asNightshiftError(thrown);
    return { ok: false, code, message };
  }
}
