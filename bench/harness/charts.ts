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
import { type Group, groupsOf } from "./groups.ts";
import { number } from "./report.ts";
import { FOLDER, HOSTS, type MeasuredBench, type Results, readResults } from "./results.ts";

const WIDTH = 800;
const ROW = 25;
const TOP = 92;
const BOTTOM = 50;
const LEFT = 250;
const RIGHT = 96;

const FONT = "system-ui, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif";
const INK = "#1f2430";
const FAINT = "#5c6370";
const GRID = "#e3e6eb";
const BACKGROUND = "#ffffff";
/** Ours first; told apart by lightness as well, and by their marks. */
const COLOURS = ["#c2185b", "#1565c0", "#ef8f00", "#2e7d32", "#6a4fb3", "#00838f", "#795548", "#607d8b", "#9e9d24"];
const OURS = "iommufd-wasm";

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
    const throughput = throughputRows(results);
    if (throughput.length > 0)
      threads.push({ ...heading(hostTitle(results)), label: hostTitle(results) }, ...throughput);
  }
  if (threads.length > 0)
    await draw("threads.svg", "Several threads", "operations per second (the right the better)", threads);
}

function costRows({ benches }: Results): Row[] {
  return Object.values(benches)
    .filter(({ unit }) => /^[nµum]s\b/.test(unit))
    .flatMap((bench) => rowsOf(bench, (spread, { reference }) => relative(spread, reference)));
}

function throughputRows({ benches }: Results): Row[] {
  return Object.values(benches)
    .filter(({ unit }) => unit.endsWith(" per second"))
    .flatMap((bench) => rowsOf(bench, (spread) => spread));
}

function rowsOf(bench: MeasuredBench, valueOf: (spread: Spread, group: Group) => Spread): Row[] {
  const groups = groupsOf(bench);
  const unit = bench.unit.replace(/ per .*$/, "");
  const rows = groups.map((group): Row => {
    const [first] = group.members;
    return {
      label: groups.length > 1 ? group.situation : bench.title,
      isHeading: false,
      figure: first ? `${number(first.spread.median)} ${unit === bench.unit ? "" : unit}` : "",
      marks: group.members.map(({ name, isOurs, spread }, index) => ({
        series: isOurs ? (index === 0 ? OURS : `${OURS}, another way`) : name.replace(/^floor.*/, "floor"),
        spread: valueOf(spread, group),
      })),
    };
  });
  return groups.length > 1 ? [heading(bench.title), ...rows] : rows;
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
  const height = TOP + rows.length * ROW + BOTTOM;
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  chart.setOption(optionOf(title, axis, rows, series) as echarts.EChartsOption);
  const svg = chart.renderToSVGString();
  chart.dispose();
  await writeFile(new URL(`${FOLDER}${file}`, ROOT), `${svg}\n`);
}

function optionOf(title: string, axis: string, rows: readonly Row[], series: readonly string[]): unknown {
  const values = rows.flatMap(({ marks }) => marks.flatMap(({ spread }) => [spread.low, spread.high]));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const logBase = most / least > 2 ** 10 ? 10 : 2;
  const power = (round: (value: number) => number, value: number): number =>
    logBase ** round(Math.log(value) / Math.log(logBase));
  const text = { fontFamily: FONT, color: INK };
  const category = { type: "category", inverse: true, axisTick: { show: false }, axisLine: { show: false } };
  return {
    animation: false,
    backgroundColor: BACKGROUND,
    textStyle: text,
    title: { text: title, left: 16, top: 12, textStyle: { ...text, fontSize: 16, fontWeight: 600 } },
    legend: { left: 12, top: 38, width: WIDTH - 40, itemGap: 14, itemWidth: 14, textStyle: { ...text, fontSize: 12 } },
    grid: { left: LEFT, right: RIGHT, top: TOP, bottom: BOTTOM },
    xAxis: {
      ...{ type: "log", logBase, min: power(Math.floor, least), max: power(Math.ceil, most) },
      ...{ name: axis, nameLocation: "middle", nameGap: 30, nameTextStyle: { ...text, color: FAINT, fontSize: 12 } },
      axisLabel: { ...text, fontSize: 12, formatter: (value: number) => scaleLabel(value), hideOverlap: true },
      splitLine: { lineStyle: { color: GRID } },
    },
    yAxis: [
      {
        ...category,
        data: rows.map(({ label, isHeading }) => (isHeading ? `{heading|${label}}` : label)),
        axisLabel: {
          ...{ ...text, fontSize: 12, interval: 0, width: LEFT - 24, overflow: "truncate" },
          rich: { heading: { ...text, fontSize: 12, fontWeight: 700 } },
        },
      },
      {
        ...category,
        position: "right",
        data: rows.map(({ figure }) => figure),
        axisLabel: { ...text, color: COLOURS[0], fontSize: 12, interval: 0 },
      },
    ],
    series: series.map((name, index) => seriesOf(name, index, rows)),
  };
}

function seriesOf(name: string, index: number, rows: readonly Row[]): unknown {
  const isOther = name === `${OURS}, another way`;
  const colour = isOther ? COLOURS[0] : COLOURS[index % COLOURS.length];
  const data = rows.flatMap(({ marks }, row) =>
    marks.flatMap(({ series, spread }, place) => {
      const shift = (place - (marks.length - 1) / 2) * Math.min(5, (ROW - 8) / marks.length);
      return series === name ? [[row, shift, spread.median, spread.low, spread.high]] : [];
    }),
  );
  return {
    ...{ type: "custom", name, data, itemStyle: { color: colour }, z: name.startsWith(OURS) ? 3 : 2 },
    encode: { x: [2, 3, 4], y: 0 },
    renderItem: (_: unknown, api: echarts.CustomSeriesRenderItemAPI) => mark(api, colour ?? INK, isOther),
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
  if (value >= 1e6) return `${number(value / 1e6)} M`;
  return value >= 1000 ? `${number(value / 1000)} k` : number(value);
}
