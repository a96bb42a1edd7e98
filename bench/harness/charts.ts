// SPDX-License-Identifier: GPL-2.0-only
/**
 * The pictures of bench/results/, drawn from its JSON by echarts, which renders SVG without a page.
 *
 *   node.svg, chromium.svg   what an operation costs, as a multiple of its reference: the floor, or else the first rival
 *   threads.svg              operations per second of several threads, in both hosts
 *
 * Each row is one situation of one bench; each mark is a candidate's median, with a line from the 10th to the 90th percentile. The
 * scale is logarithmic. A picture has its own background, so that it can be read on light and dark pages.
 */
import { writeFile } from "node:fs/promises";
import * as echarts from "echarts";
import type { Spread } from "./bench.ts";
import { ROOT } from "./build.ts";
import { type Group, type Member, groupsOf, isFloor, threadsIn, withoutThreads } from "./groups.ts";
import { number } from "./report.ts";
import { FOLDER, HOSTS, type Results, readResults } from "./results.ts";

const WIDTH = 800;
const ROW = 25;
/** Above the legend, and each of its lines. */
const HEAD = 44;
const LEGEND_LINE = 24;
const LEGEND_WIDTH = WIDTH - 30;
const BOTTOM = 50;
const LEFT = 250;
const RIGHT = 96;

const FONT = "system-ui, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif";
const INK = "#1f2430";
const FAINT = "#5c6370";
const GRID = "#e3e6eb";
const BACKGROUND = "#ffffff";
const OURS = "iommufd-wasm";
const OURS_TOO = `${OURS}, another way`;
const OURS_COLOUR = "#c2185b";
/** The same in every picture. */
const COLOURS: Readonly<Record<string, string>> = {
  ...{ [OURS]: OURS_COLOUR, [OURS_TOO]: OURS_COLOUR },
  ...{ floor: "#4b5563", Map: "#1565c0" },
};
/** For the others, as they come. */
const MORE_COLOURS = ["#ef8f00", "#2e7d32", "#6a4fb3", "#00a0b0", "#795548", "#9e9d24", "#d84315", "#90a4ae"];

// What renders without a page cannot measure text; this is what the usual fonts come to.
echarts.setPlatformAPI({
  measureText: (text, font) => ({ width: (text ?? "").length * 0.6 * Number(/(\d+)px/.exec(font ?? "")?.[1] ?? 12) }),
});

/** A line of a picture: a heading, or marks. */
interface Row {
  readonly label: string;
  readonly isHeading: boolean;
  /** What is written at the right end. */
  readonly figure: string;
  /** By series. */
  readonly marks: readonly { readonly series: string; readonly spread: Spread }[];
}

/** Draws what there are results for. */
export async function drawCharts(): Promise<void> {
  const threads: Row[] = [];
  for (const host of HOSTS) {
    const results = await readResults(host);
    if (results === undefined) continue;
    const title = `${hostTitle(results)}: time of an operation, as a multiple of its reference`;
    const rows = costRows(results);
    if (rows.length > 0)
      await draw(`${host}.svg`, title, "× (the reference of each row is at 1; the left the better)", rows);
    threads.push(...throughputRows(results));
  }
  if (threads.length > 0)
    await draw("threads.svg", "Several threads", "operations per second (the right the better)", threads);
}

function costRows({ benches }: Results): Row[] {
  return Object.values(benches)
    .filter(({ unit }) => /^[nµum]s\b/.test(unit))
    .flatMap((bench) => {
      const unit = bench.unit.replace(/ per .*$/, "");
      const [first, ...others] = groupsOf(bench);
      if (first === undefined) return [];
      if (others.length === 0) return [{ ...costRow(bench.title, first, unit), isHeading: true }];
      return [heading(bench.title), ...[first, ...others].map((group) => costRow(group.situation, group, unit))];
    });
}

/** A row for each number of threads. */
function throughputRows({ benches, ...results }: Results): Row[] {
  return Object.values(benches)
    .filter(({ unit }) => unit.endsWith(" per second"))
    .flatMap((bench) => [
      heading(`${hostTitle({ benches, ...results })}: ${bench.title}`),
      ...groupsOf(bench).flatMap((group) => {
        const counts = [...new Set(group.members.map(({ name }) => threadsIn(name)))];
        return counts.map((threads): Row => {
          const members = group.members.filter(({ name }) => threadsIn(name) === threads);
          const label = [group.situation, threads].filter((part) => part !== "").join(", ");
          return rowOf(label, members, ({ median }) => `${scaleLabel(median)}/s`);
        });
      }),
    ]);
}

function costRow(label: string, { members, reference }: Group, unit: string): Row {
  return rowOf(
    label,
    members.map((member) => ({ ...member, spread: relative(member.spread, reference) })),
    ({ median }) => `${number(median * reference.median)} ${unit}`,
  );
}

function rowOf(label: string, members: readonly Member[], figureOf: (spread: Spread) => string): Row {
  const ours = members.filter(({ isOurs }) => isOurs);
  return {
    ...{ label, isHeading: false },
    figure: ours[0] ? figureOf(ours[0].spread) : "",
    marks: members.map((member) => ({ series: seriesNameOf(member, ours), spread: member.spread })),
  };
}

function seriesNameOf(member: Member, ours: readonly Member[]): string {
  if (member.isOurs) return member === ours[0] ? OURS : OURS_TOO;
  return isFloor(member.name) ? "floor" : withoutThreads(member.name);
}

function heading(label: string): Row {
  return { label, isHeading: true, figure: "", marks: [] };
}

function relative({ median, low, high }: Spread, reference: Spread): Spread {
  const to = reference.median;
  return { median: median / to, low: low / to, high: high / to };
}

function hostTitle({ host }: Results): string {
  return host === "node" ? "Node" : "Chromium";
}

async function draw(file: string, title: string, axis: string, rows: readonly Row[]): Promise<void> {
  const series = [...new Set(rows.flatMap(({ marks }) => marks.map((mark) => mark.series)))];
  series.sort((a, b) => Number(b.startsWith(OURS)) - Number(a.startsWith(OURS)));
  const height = topOf(series) + rows.length * ROW + BOTTOM;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption(optionOf(title, axis, rows, series) as echarts.EChartsOption);
  const svg = chart.renderToSVGString();
  chart.dispose();
  await writeFile(new URL(`${FOLDER}${file}`, ROOT), `${svg}\n`);
}

/** Where the rows begin: below as many lines as the legend has, by widths that are rather too large. */
function topOf(series: readonly string[]): number {
  let [lines, used] = [1, 0];
  for (const name of series) {
    const width = 30 + 7 * name.length;
    if (used + width > LEGEND_WIDTH) [lines, used] = [lines + 1, 0];
    used += width;
  }
  return HEAD + lines * LEGEND_LINE;
}

function optionOf(title: string, axis: string, rows: readonly Row[], series: readonly string[]): unknown {
  const values = rows.flatMap(({ marks }) => marks.flatMap(({ spread }) => [spread.low, spread.high]));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const logBase = most / least > 2 ** 14 || least > 1000 ? 10 : 2;
  const power = (value: number): number => Math.log(value) / Math.log(logBase);
  const [first, last] = [Math.floor(power(least)), Math.ceil(power(most))];
  const step = Math.ceil((last - first) / 12);
  // 1 is always among them.
  const ticks = Array.from({ length: 2 * 12 * 12 }, (_, index) => logBase ** ((index - 144) * step)).filter(
    (value) => value >= logBase ** first && value <= logBase ** last,
  );
  const text = { fontFamily: FONT, color: INK };
  const category = { type: "category", inverse: true, axisTick: { show: false }, axisLine: { show: false } };
  return {
    animation: false,
    backgroundColor: BACKGROUND,
    textStyle: text,
    title: { text: title, left: 16, top: 12, textStyle: { ...text, fontSize: 16, fontWeight: 600 } },
    legend: {
      data: series.map((name) => legendEntry(name, series)),
      left: 12,
      top: 38,
      width: LEGEND_WIDTH,
      itemGap: 12,
      itemWidth: 10,
      itemHeight: 10,
      textStyle: { ...text, fontSize: 12 },
    },
    grid: { left: LEFT, right: RIGHT, top: topOf(series), bottom: BOTTOM },
    xAxis: {
      ...{ type: "log", logBase, min: logBase ** first, max: logBase ** last, axisTick: { customValues: ticks } },
      ...{ name: axis, nameLocation: "middle", nameGap: 30, nameTextStyle: { ...text, color: FAINT, fontSize: 12 } },
      axisLabel: { ...text, fontSize: 12, customValues: ticks, formatter: scaleLabel },
      splitLine: { lineStyle: { color: GRID } },
    },
    yAxis: [
      {
        ...category,
        data: rows.map(({ label, isHeading }) => (isHeading ? "" : label)),
        axisLabel: { ...text, fontSize: 12, interval: 0 },
      },
      {
        ...category,
        position: "right",
        data: rows.map(({ figure }) => figure),
        axisLabel: { ...text, color: OURS_COLOUR, fontSize: 12, interval: 0 },
      },
    ],
    series: [headings(rows), ...series.map((name) => seriesOf(name, colourOf(name, series), rows))],
  };
}

function colourOf(name: string, series: readonly string[]): string {
  const others = series.filter((other) => COLOURS[other] === undefined);
  return COLOURS[name] ?? MORE_COLOURS[others.indexOf(name) % MORE_COLOURS.length] ?? INK;
}

function legendEntry(name: string, series: readonly string[]): unknown {
  const borderColor = colourOf(name, series);
  const color = name === OURS_TOO ? BACKGROUND : borderColor;
  return { name, icon: "circle", itemStyle: { color, borderColor, borderWidth: 1.4 } };
}

/** They begin at the left edge and may reach into the plot. */
function headings(rows: readonly Row[]): unknown {
  const data = rows.flatMap(({ label, isHeading }, row) => (isHeading ? [{ value: [row], name: label }] : []));
  return {
    ...{ type: "custom", data, silent: true, encode: { y: 0 } },
    renderItem: ({ dataIndex }: { dataIndex: number }, api: echarts.CustomSeriesRenderItemAPI) => ({
      type: "text",
      x: 16,
      y: api.coord([1, api.value(0)])[1] ?? 0,
      style: { text: data[dataIndex]?.name, fill: INK, font: `700 12px ${FONT}`, verticalAlign: "middle" },
    }),
  };
}

function seriesOf(name: string, colour: string, rows: readonly Row[]): unknown {
  const data = rows.flatMap(({ marks }, row) =>
    marks.flatMap(({ series, spread }, place) => {
      const shift = (place - (marks.length - 1) / 2) * Math.min(5, (ROW - 8) / marks.length);
      return series === name ? [[row, shift, spread.median, spread.low, spread.high]] : [];
    }),
  );
  return {
    ...{ type: "custom", name, data, itemStyle: { color: colour }, z: name.startsWith(OURS) ? 3 : 2 },
    encode: { x: [2, 3, 4], y: 0 },
    renderItem: (_: unknown, api: echarts.CustomSeriesRenderItemAPI) => mark(api, colour, name === OURS_TOO),
  };
}

/** A dot at the median, hollow or not, and a line from low to high. */
function mark(api: echarts.CustomSeriesRenderItemAPI, colour: string, isHollow: boolean): unknown {
  const row = api.value(0);
  const y = (api.coord([api.value(2), row])[1] ?? 0) + Number(api.value(1));
  const x = (dimension: number): number => api.coord([api.value(dimension), row])[0] ?? 0;
  const line = (x1: number, y1: number, x2: number, y2: number): unknown => ({
    ...{ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colour, lineWidth: 1.4 } },
  });
  return {
    type: "group",
    children: [
      line(x(3), y, x(4), y),
      line(x(3), y - 2, x(3), y + 2),
      line(x(4), y - 2, x(4), y + 2),
      {
        type: "circle",
        shape: { cx: x(2), cy: y, r: 3.6 },
        style: { fill: isHollow ? BACKGROUND : colour, stroke: colour, lineWidth: 1.4 },
      },
    ],
  };
}

function scaleLabel(value: number): string {
  if (value < 1) return `1/${number(1 / value)}`;
  if (value >= 1e6) return `${number(value / 1e6)} M`;
  return value >= 1000 ? `${number(value / 1000)} k` : number(value);
}
