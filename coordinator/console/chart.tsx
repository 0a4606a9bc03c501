// Lines over time, by uPlot, in the colours of the theme.
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { showTick } from "./words.tsx";

const HEIGHT_EM = 9.4;

interface Line {
  label: string;
  values: number[];
  /** Name of a colour of style.css. */
  colour: string;
  filled?: boolean;
  /** Each value as a dot on the line. */
  dots?: boolean;
}

/** @param times seconds since 1970 @param top at least this high */
export function Chart({
  title,
  times,
  lines,
  top,
  show,
}: {
  title: string;
  times: number[];
  lines: Line[];
  top?: number;
  show(value: number): string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const shape = lines.map(({ label }) => label).join();
  const theme = document.documentElement.dataset.theme;
  // made anew for another theme or other lines only; data is set below
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const style = getComputedStyle(element);
    // As large as the text around it: on a wall, larger.
    const em = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
    const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
    const axis = {
      stroke: colour("muted"),
      grid: { stroke: colour("line"), width: 1 },
      ticks: { show: false },
      font: `${0.75 * em}px ${style.fontFamily}`,
    };
    plot.current = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT_EM * em,
        legend: { show: false },
        cursor: { y: false },
        scales: { y: { range: (_, min, max) => [Math.min(0, min * 1.1), Math.max(top ?? 1, max * 1.1)] } },
        axes: [
          {
            ...axis,
            size: 2.5 * em,
            space: 5.5 * em,
            values: (_, splits, __, ___, step) => splits.map((at) => showTick(at, step)),
          },
          { ...axis, size: 3 * em, values: (_, splits) => splits.map(show) },
        ],
        series: [
          {},
          ...lines.map(({ label, colour: name, filled, dots = false }) => ({
            label,
            stroke: colour(name),
            width: 2,
            points: { show: dots, size: 7, fill: colour(name) },
            ...(filled ? { fill: `color-mix(in srgb, ${colour(name)} 18%, transparent)` } : {}),
          })),
        ],
      },
      [times, ...lines.map(({ values }) => values)],
      element,
    );
    const observer = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_EM * em }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
    };
  }, [shape, theme]);
  useEffect(() => plot.current?.setData([times, ...lines.map(({ values }) => values)]), [times, lines]);
  return (
    <figure className="chart" aria-label={title}>
      <figcaption>
        {title}
        {lines.map(({ label, colour, values }) => (
          <span key={label} className="key">
            <i className={`swatch ${colour}`} />
            {label} <b>{show(values.at(-1) ?? 0)}</b>
          </span>
        ))}
      </figcaption>
      <div ref={box} aria-hidden="true" />
    </figure>
  );
}
