// Which things have changed since when: what the change stream is made of. It remembers for each thing only when it last changed, so a
// reader who comes late is told once how a thing is now, however often it changed, and a slow reader costs nothing. Pure.

export type Key = `${"host" | "job" | "process"}/${string | number}` | "sample/last" | "lists/last";

/** Things that are over are remembered so that readers can be told; beyond this many, those who are further behind begin anew. */
const MAX_OVER = 20_000;

export interface Changes {
  keys: Key[];
  /** Where to go on from. */
  cursor: number;
  /** There are more. */
  more: boolean;
}

export class Feed {
  /** Counts the changes; 0 is before the first. */
  private at = 0;
  private readonly lastChange = new Map<Key, number>();
  /** Every change in order; one that is not its key's last no longer counts. Compacted when most do not. */
  private log: { at: number; key: Key }[] = [];
  /** What is over, oldest first. */
  private readonly over = new Set<Key>();
  /** Readers from before this change may have missed that something is over. */
  private horizon = 0;

  get cursor(): number {
    return this.at;
  }

  /** Entries it keeps. */
  get size(): number {
    return this.log.length;
  }

  /** What is over may have begun again, as parts of a job that has ended. */
  touch(key: Key): void {
    this.over.delete(key);
    this.at++;
    this.lastChange.set(key, this.at);
    this.log.push({ at: this.at, key });
    if (this.log.length > 2 * this.lastChange.size + 1024) this.compact();
  }

  /** Its last change: it is over, and told of to those who read on from before, but not to those who begin. */
  end(key: Key): void {
    this.touch(key);
    this.over.add(key);
    if (this.over.size <= MAX_OVER) return;
    for (const oldest of this.over) {
      this.horizon = Math.max(this.horizon, this.lastChange.get(oldest) ?? 0);
      this.over.delete(oldest);
      this.lastChange.delete(oldest);
      return;
    }
  }

  /** Whether a reader at this cursor can go on; otherwise it must forget what it knows and begin at 0. */
  canGoOn(cursor: number): boolean {
    return cursor >= this.horizon && cursor <= this.at;
  }

  /**
   * What has changed after the cursor, longest ago first, at most `limit` things.
   * @param beganAt for a reader who began at 0: where the feed was then; what was over before is nothing to it
   */
  since(cursor: number, limit: number, beganAt = 0): Changes {
    const keys: Key[] = [];
    let index = this.firstAfter(cursor);
    let reached = cursor;
    for (; index < this.log.length && keys.length < limit; index++) {
      const { at, key } = this.log[index] as { at: number; key: Key };
      reached = at;
      if (this.lastChange.get(key) === at && !(at <= beganAt && this.over.has(key))) keys.push(key);
    }
    return { keys, cursor: reached, more: index < this.log.length };
  }

  private firstAfter(cursor: number): number {
    let low = 0;
    let high = this.log.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.log[middle]?.at ?? 0) > cursor) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private compact(): void {
    this.log = this.log.filter(({ at, key }) => this.lastChange.get(key) === at);
  }
}
