// Processes as a table, with the means to move each.
import type { Answer } from "../../client.ts";
import { MoveChoice } from "../../move-choice.tsx";
import { endedBadly, processStateName } from "../../names.ts";
import { Empty, Rows, State, Td, Th } from "../../parts.tsx";
import { showBytes, showDuration, t } from "../../words.tsx";

type Process = Answer<"processes">["processes"][number];

export function ProcessTable({ processes, maySteer }: { processes: Process[]; maySteer: boolean }) {
  if (processes.length === 0) return <Empty title={t("noProcesses")} />;
  return (
    <Rows
      label={t("processList")}
      rows={processes}
      keyOf={({ pid }) => pid}
      columns="5em 8em minmax(8em, 1fr) 7em 7em 6em 10em"
      minWidth="60em"
      head={
        <>
          <Th>{t("pid")}</Th>
          <Th>{t("state")}</Th>
          <Th>{t("host")}</Th>
          <Th>{t("cpuTime")}</Th>
          <Th>{t("memory")}</Th>
          <Th>{t("moves")}</Th>
          <Th>{t("actions")}</Th>
        </>
      }
      row={(process) => (
        <>
          <Td>{process.pid}</Td>
          <Td>
            <State of={endedBadly(process.report) ? "failed" : process.state}>
              {endedBadly(process.report) ?? processStateName(process.state)}
            </State>
          </Td>
          <Td>{process.host ?? "–"}</Td>
          <Td>{showDuration(process.cpuMs)}</Td>
          <Td>{showBytes(process.memoryBytes)}</Td>
          <Td>{process.migrations}</Td>
          <Td>{maySteer && process.report === null && <MoveChoice pid={process.pid} from={process.host} />}</Td>
        </>
      )}
    />
  );
}
