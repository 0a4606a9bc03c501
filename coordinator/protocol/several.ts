// Many transfers of small things: each waits for the network and for disks far longer than it takes.

/** As many as a tunnel has blobs under way (DEFAULT_BULK_LIMITS); more would only wait, with their bytes. */
const AT_ONCE = 8;

/** Does the work for each item, several at once. After a failure nothing more is begun; rejects with the first one. */
export async function severalAtOnce<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items].values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const item of left) {
      if (failed) return;
      await work(item).catch((thrown: unknown) => {
        failed = true;
        throw thrown;
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
