// Processes as a table, with the means to move each.
import { type Answer, ask } from "../../client.ts";
import { type Host, useLive } from "../../live.ts";
import { endedBadly, processStateName } from "../../names.ts";
import { attempt, Empty, Rows, State, Td, Th } from "../../parts.tsx";
import { showBytes, showDuration, t } from "../../words.tsx";

type Process = Answer<"processes">["processes"][number];

export function ProcessTable({ processes, maySteer }: { processes: Process[]; maySteer: boolean }) {
  const { hosts } = useLive();
  const usable = [...hosts.values()].filter(({ state }) => state === "computing" || state === "idle");
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
          <Td>{maySteer && process.report === null && <MoveMenu pid={process.pid} hosts={usable} />}</Td>
        </>
      )}
    />
  );
}

function MoveMenu({ pid, hosts }: { pid: number; hosts: readonly Host[] }) {
  return (
    <select
      aria-label={t("moveTo", { pid: String(pid) })}
      value=""
      onChange={({ target }) => {
        const to = hosts.find(({ id }) => id === target.value);
        if (to)
          void attempt(
            () => ask("migrate", { params: { pid }, body: { host: to.id } }),
            t("moving", { pid: String(pid), host: to.name }),
          );
      }}
    >
      <option value="">{t("move")}</option>
      {hosts.map(({ id, name }) => (
        <option key={id} value={id}>
          {name}
        </option>
      ))}
    </select>
  );
}
