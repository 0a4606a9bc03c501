// Parts of a job, or its processes, as a grid of small cells coloured by state: only those in sight exist. One stop of the Tab key; arrow keys walk,
// Home and End go to the ends.
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";

export interface Cell {
  key: number;
  state: string;
  label: string;
}

const CELL_PX = 23;
/** Of style.css: room for the frame around a chosen cell. */
const PADDING_PX = 3;
const ROWS_BEYOND = 4;

/** @param chosen key of the cell that is opened @param choose called when another one is */
export function Cells({
  label,
  count,
  cell,
  chosen,
  choose,
}: {
  label: string;
  count: number;
  cell(at: number): Cell;
  chosen: number | undefined;
  choose(at: number): void;
}) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 320, width: 400 });
  const [active, setActive] = useState(0);
  const look = (): void => {
    const element = box.current;
    if (element) setView({ top: element.scrollTop, height: element.clientHeight, width: element.clientWidth - 2 * PADDING_PX });
  };
  // only its size matters here
  useEffect(() => {
    const observer = new ResizeObserver(look);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);
  const columns = Math.max(1, Math.floor(view.width / CELL_PX));
  const rows = Math.ceil(count / columns);
  const first = Math.max(0, Math.floor(view.top / CELL_PX) - ROWS_BEYOND) * columns;
  const last = Math.min(count, (Math.ceil((view.top + view.height) / CELL_PX) + ROWS_BEYOND) * columns);
  const go = (to: number): void => {
    const at = Math.min(count - 1, Math.max(0, to));
    setActive(at);
    const y = Math.floor(at / columns) * CELL_PX;
    const element = box.current;
    if (!element) return;
    if (y < element.scrollTop) element.scrollTop = y;
    if (y + CELL_PX > element.scrollTop + element.clientHeight) element.scrollTop = y + CELL_PX - element.clientHeight;
  };
  const steps: Record<string, () => number> = {
    ...{ ArrowLeft: () => active - 1, ArrowRight: () => active + 1, ArrowUp: () => active - columns },
    ...{ ArrowDown: () => active + columns, Home: () => 0, End: () => count - 1 },
  };
  const press = (event: KeyboardEvent): void => {
    const step = steps[event.key];
    if (step) go(step());
    else if (event.key === "Enter" || event.key === " ") choose(active);
    else return;
    event.preventDefault();
  };
  const shown = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
  return (
    <div
      className="cells-box"
      ref={box}
      role="listbox"
      aria-label={label}
      aria-activedescendant={count > 0 && active >= first && active < last ? `${id}-${active}` : undefined}
      tabIndex={0}
      onScroll={look}
      onKeyDown={press}
    >
      <div role="presentation" style={{ height: rows * CELL_PX }}>
        {shown.map((at) => {
          const { key, state, label: name } = cell(at);
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the box takes the keys
            // biome-ignore lint/a11y/useFocusableInteractive: the box has the focus, and says which one is active
            <div
              key={key}
              id={`${id}-${at}`}
              role="option"
              aria-selected={key === chosen}
              aria-label={name}
              aria-posinset={at + 1}
              aria-setsize={count}
              title={name}
              className={`cell ${state}${at === active ? " active" : ""}`}
              style={{ left: (at % columns) * CELL_PX, top: Math.floor(at / columns) * CELL_PX }}
              onClick={() => {
                setActive(at);
                choose(at);
              }}
            />
          );
        })}
      </div>
    </div>
  );
}
