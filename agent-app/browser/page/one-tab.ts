// That only one tab of this browser lends: by the Web Locks API or, where a page has none because it came over plain http, by asking the others.

/** Tabs answer within this time; those in the background too, as messages are not slowed down like timers. */
const ANSWER_MS = 400;
/** A tab that was ended by force does not say so. */
const AGAIN_MS = 5_000;

type Said = { kind: "who" | "held" | "free"; id: number };

/**
 * Works as soon as no other tab does.
 * @param onOther another tab does at the moment
 */
export async function whenAlone(name: string, work: () => Promise<void>, onOther: () => void): Promise<void> {
  if (!navigator.locks) return byAsking(name, work, onOther);
  const got = await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
    return lock !== null;
  });
  if (got) return;
  onOther();
  await navigator.locks.request(name, work);
}

async function byAsking(name: string, work: () => Promise<void>, onOther: () => void): Promise<void> {
  const channel = new BroadcastChannel(name);
  const id = Math.random();
  let state: "asking" | "refused" | "holding" = "refused";
  let retry = (): void => undefined;
  const say = (kind: Said["kind"]): void => channel.postMessage({ kind, id } satisfies Said);
  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    if (data.kind === "who" && (state === "holding" || (state === "asking" && id < data.id))) say("held");
    else if (state === "asking" && data.kind !== "free") state = "refused";
    else if (data.kind === "free") retry();
  };
  const leave = (): void => say("free");
  try {
    for (let first = true; ; first = false) {
      state = "asking";
      say("who");
      await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
      if ((state as string) === "asking") break;
      if (first) onOther();
      await new Promise<void>((resolve) => {
        retry = resolve;
        setTimeout(resolve, AGAIN_MS);
      });
    }
    state = "holding";
    addEventListener("pagehide", leave);
    await work();
  } finally {
    removeEventListener("pagehide", leave);
    leave();
    channel.close();
  }
}
