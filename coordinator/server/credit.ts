// What hosts have earned, ranked: for everybody to see, and each host's own told to it, as its owner is shown it.
import type { Result, ToAgent } from "../protocol/index.ts";
import type { Coordinator } from "./coordinator.ts";

/** Hosts that have earned the same share a rank; a host that nothing is known of any more has no name. */
export type CreditRow = Result<"credit">[number];

const DAY_MS = 86_400_000;
/** How often hosts that are connected are told anew. */
const TELL_MS = 10 * 60_000;
/** All hosts that connect within this time are told of one and the same ranking: to make one for each would take the square of their number. */
const RANKING_MS = 30_000;

export class CreditBoard {
  private readonly coordinator: Coordinator;
  private readonly timer: NodeJS.Timeout;
  private ranking: { at: number; ever: Map<string, CreditRow>; week: Map<string, CreditRow> } | undefined;

  constructor(coordinator: Coordinator) {
    this.coordinator = coordinator;
    this.timer = setInterval(() => {
      for (const host of coordinator.core.hosts.values()) if (host.online) this.tell(host.id);
    }, TELL_MS);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** @param days today and so many days before it but one (UTC); null: ever */
  rows(days: number | null): CreditRow[] {
    const { store, core } = this.coordinator;
    const since = days === null ? 0 : Date.now() - (days - 1) * DAY_MS;
    let rank = 0;
    let before = Number.POSITIVE_INFINITY;
    return store.credit.since(since).map(({ host: id, cpuMs, credit }, at) => {
      if (credit < before) rank = at + 1;
      before = credit;
      const host = core.hosts.get(id)?.name ?? store.device(id)?.name ?? "";
      return { rank, id, host, credit, coreHours: cpuMs / 3_600_000 };
    });
  }

  private ranked(): { ever: Map<string, CreditRow>; week: Map<string, CreditRow> } {
    const at = performance.now();
    if (!this.ranking || at - this.ranking.at > RANKING_MS) {
      const byHost = (days: number | null) => new Map(this.rows(days).map((row) => [row.id, row]));
      this.ranking = { at, ever: byHost(null), week: byHost(7) };
    }
    return this.ranking;
  }

  /** The host learns what it has earned. */
  tell(id: string): void {
    const { ever, week } = this.ranked();
    const own = ever.get(id);
    const message: ToAgent = {
      type: "credit",
      credit: own?.credit ?? 0,
      weekCredit: week.get(id)?.credit ?? 0,
      rank: own?.rank ?? null,
      hosts: ever.size,
    };
    this.coordinator.send(id, message);
  }
}
