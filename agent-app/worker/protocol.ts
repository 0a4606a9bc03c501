// What passes between an agent and its worker threads beside comlink's calls: output, posted as it is written. Comlink ignores
// messages it does not know, and both use the same port, so output arrives before the answer of the run that wrote it.
export interface OutputMessage {
  nightshift: "output";
  /** Of the process that wrote: see StartOrder. */
  key: string;
  stream: 1 | 2;
  offset: number;
  bytes: Uint8Array;
}

export const isOutput = (message: unknown): message is OutputMessage =>
  typeof message === "object" && message !== null && (message as OutputMessage).nightshift === "output";
