// Asks the HTTP API: addresses, methods and types come from the server's own table of requests. Owns the session's csrf value.
import { useCallback, useEffect, useRef, useState } from "react";
import type { SweepProblem } from "../protocol/sweep.ts";
import { type Answer, api, type Name, type Sent } from "../server/http/api.ts";

export type { Answer } from "../server/http/api.ts";

/** What the coordinator refused, or why it could not be asked (code NS_UNREACHABLE). */
export class Refusal extends Error {
  readonly code: string;
  readonly remedy: string;
  /** Of a job: what is wrong with its sweep. */
  readonly problems: readonly SweepProblem[];

  constructor(code: string, message: string, remedy: string, problems: readonly SweepProblem[] = []) {
    super(message);
    this.code = code;
    this.remedy = remedy;
    this.problems = problems;
  }
}

/** What the console itself refuses, said in its own language already. */
export class OwnRefusal extends Refusal {}

let csrf = "";
let onSignedOut = (): void => {};
export const setCsrf = (value: string): void => {
  csrf = value;
};
/** Called when a request finds that nobody is signed in any more. */
export const whenSignedOut = (call: () => void): void => {
  onSignedOut = call;
};

type Input<N extends Name> = Sent<N> extends Record<string, never> ? [] : [sent: Sent<N>];

export function addressOf<N extends Name>(name: N, ...[sent]: Input<N>): string {
  const { params = {}, query = {} } = (sent ?? {}) as { params?: object; query?: object };
  let path: string = api[name].path;
  for (const [key, value] of Object.entries(params)) path = path.replace(`:${key}`, encodeURIComponent(String(value)));
  const text = new URLSearchParams(
    Object.entries(query).flatMap(([key, value]) => (value === undefined || value === "" ? [] : [[key, String(value)]])),
  ).toString();
  return path + (text && `?${text}`);
}

async function send(method: string, address: string, body?: BodyInit, type?: string): Promise<Response> {
  const response = await fetch(address, {
    method,
    headers: { ...(csrf && { "x-csrf-token": csrf }), ...(type && { "content-type": type }) },
    ...(body === undefined ? {} : { body }),
  }).catch((thrown: Error) => {
    throw new Refusal("NS_UNREACHABLE", thrown.message, "");
  });
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ code: "NS_INTERNAL", message: response.statusText, remedy: "" }));
  if (problem.code === "NS_SIGNED_OUT") onSignedOut();
  throw new Refusal(problem.code, problem.message, problem.remedy, problem.problems);
}

/** @throws Refusal */
export async function ask<N extends Name>(name: N, ...sent: Input<N>): Promise<Answer<N>> {
  const body = (sent[0] as { body?: unknown } | undefined)?.body;
  const json = body === undefined ? undefined : JSON.stringify(body);
  const response = await send(api[name].method, addressOf(name, ...sent), json, json && "application/json");
  return response.json();
}

/** The bytes of an output or a file, and where to go on. @throws Refusal */
export async function askBytes(address: string): Promise<{ bytes: Uint8Array<ArrayBuffer>; next: number }> {
  const response = await send("GET", address);
  return { bytes: new Uint8Array(await response.arrayBuffer()), next: Number(response.headers.get("nightshift-next")) };
}

/** @throws Refusal */
export async function upload(file: Blob): Promise<Answer<"upload">> {
  return (await send("PUT", api.upload.path, file, "application/octet-stream")).json();
}

/** Uploads at a time: the coordinator takes one more. */
const AT_ONCE = 3;
/** An address may upload so many a minute; many files wait for that. */
const LIMITED_MS = 3000;
const LIMITED_TRIES = 40;

/** In their order. @throws Refusal */
export async function uploadAll(files: readonly Blob[]): Promise<Answer<"upload">[]> {
  const refs: Answer<"upload">[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < files.length; at = next++) refs[at] = await uploadPatiently(files[at] as Blob);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return refs;
}

async function uploadPatiently(file: Blob): Promise<Answer<"upload">> {
  for (let turn = 1; ; turn++)
    try {
      return await upload(file);
    } catch (thrown) {
      if (!(thrown instanceof Refusal) || thrown.code !== "NS_RATE_LIMITED" || turn >= LIMITED_TRIES) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, LIMITED_MS));
    }
}

export interface Asked<T> {
  data?: T;
  failure?: Refusal;
  again(): void;
}

/** Those whose question did not reach the coordinator. */
const unanswered = new Set<() => void>();
/** To be called when it answers again. */
export const askUnanswered = (): void => unanswered.forEach((again) => void again());

/** Asks when shown and whenever `key` changes; what was answered stays while it asks again. */
export function useAsk<T>(key: string, work: () => Promise<T>): Asked<T> {
  const [state, setState] = useState<{ data?: T; failure?: Refusal }>({});
  const [turn, setTurn] = useState(0);
  const latest = useRef(work);
  latest.current = work;
  // asked again for another key or turn
  useEffect(() => {
    let current = true;
    latest.current().then(
      (data) => current && setState({ data }),
      (failure: Refusal) => current && setState((before) => ({ ...before, failure })),
    );
    return () => {
      current = false;
    };
  }, [key, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  const isUnanswered = state.failure?.code === "NS_UNREACHABLE";
  useEffect(() => {
    if (!isUnanswered) return;
    unanswered.add(again);
    return () => void unanswered.delete(again);
  }, [isUnanswered, again]);
  return { ...state, again };
}
