// Files that a part of a job has written: to look at and to download.
import { useState } from "react";
import { type Answer, addressOf } from "../../client.ts";
import { Empty, Rows, Td, Th } from "../../parts.tsx";
import { showBytes, t } from "../../words.tsx";
import { Look } from "./look.tsx";

/** Larger ones are for downloading. */
const MAX_LOOK = 16 * 2 ** 20;

export function Files({ job, part, files }: { job: number; part: number; files: Answer<"part">["files"] }) {
  const [shown, setShown] = useState<string>();
  const paths = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  if (paths.length === 0) return <Empty title={t("noFiles")} />;
  const address = (path: string): string => addressOf("file", { params: { job }, query: { part, path } });
  return (
    <>
      <Rows
        label={t("files")}
        rows={paths}
        keyOf={([path]) => path}
        columns="minmax(10em, 1fr) 8em 13em"
        minWidth="36em"
        head={
          <>
            <Th>{t("file")}</Th>
            <Th>{t("size")}</Th>
            <Th>{t("actions")}</Th>
          </>
        }
        row={([path, { size }]) => (
          <>
            <Td>{path}</Td>
            <Td>{showBytes(size)}</Td>
            <Td>
              {size <= MAX_LOOK && (
                <button type="button" aria-label={t("lookAt", { name: path })} onClick={() => setShown(path)}>
                  {t("look")}
                </button>
              )}{" "}
              <a className="button" download href={address(path)}>
                {t("download")}
              </a>
            </Td>
          </>
        )}
      />
      {shown && <Look path={shown} address={address(shown)} close={() => setShown(undefined)} />}
    </>
  );
}
