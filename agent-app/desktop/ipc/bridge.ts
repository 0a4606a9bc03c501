// What a window has of the main process: `window.nightshift`, made by the preload script.
import type { Answered, AnswerOf, RequestName, RequestOf } from "./requests.ts";
import type { AppState } from "./state.ts";

/** One channel for requests, one for the state; the preload script lets nothing else through. */
export const REQUEST_CHANNEL = "nightshift:request";
export const STATE_CHANNEL = "nightshift:state";

export interface Bridge {
  /** Rejects with an Error whose `cause` is the refusal's code. */
  ask<N extends RequestName>(name: N, value: RequestOf<N>): Promise<AnswerOf<N>>;
  onState(listener: (state: AppState) => void): void;
}

/** @param invoke to the main process and back @param listen for states */
export function makeBridge(
  invoke: (name: string, value: unknown) => Promise<unknown>,
  listen: (listener: (state: AppState) => void) => void,
): Bridge {
  return {
    ask: async (name, value) => {
      const answered = (await invoke(name, value)) as Answered;
      if (!answered.ok) throw new Error(answered.message, { cause: answered.code });
      return answered.value as never;
    },
    onState: (listener) => listen((state) => listener(state)),
  };
}
