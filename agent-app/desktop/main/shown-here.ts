// What windows may show of the work that is computed here: joins what the computing process tells piece by piece, and gives each window what is new to it.
import { type Shown, withNews } from "../../shown/index.ts";

export class ShownHere {
  private shown: Shown | null = null;
  /** Of each tile, when it last changed. */
  private readonly changedAt = new Map<number, number>();
  private last = 0;

  /** 0: there is nothing. Else it grows with all that changes. */
  get version(): number {
    return this.shown === null ? 0 : this.last;
  }

  /** @param news in which tiles that have not changed are left out; null: there is nothing any more */
  take(news: Shown | null): void {
    this.last++;
    this.shown = news && withNews(this.shown, news);
    for (const { part } of news?.tiles ?? []) this.changedAt.set(part, this.last);
  }

  /** @param after tiles that have not changed since that version are left out */
  since(after: number): { version: number; shown: Shown | null } {
    const tiles = this.shown?.tiles.filter(({ part }) => (this.changedAt.get(part) ?? 0) > after) ?? [];
    return { version: this.version, shown: this.shown && { ...this.shown, tiles } };
  }
}
