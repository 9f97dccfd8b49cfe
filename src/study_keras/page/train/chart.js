// The curves, as SVG: its lines take their colours from the style sheet, so that they follow light and dark.
const NAMESPACE = "http://www.w3.org/2000/svg";
const [LEFT, RIGHT, TOP, BOTTOM] = [44, 10, 8, 22];

// Both are logarithmic: from 97 to 98 % is as far as from 70 to 80 %, for both leave out a third of the mistakes.
const along = (low, high) => (value) => (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low));
export const ACCURACY = {
  ticks: [0.5, 0.8, 0.9, 0.95, 0.98, 0.99].map((value) => [value, `${Math.round(100 * value)} %`]),
  place: (accuracy) => along(1, 0.004)(Math.max(1 - accuracy, 0.004)),
};
export const LOSS = {
  ticks: [2, 1, 0.5, 0.2, 0.1, 0.05].map((value) => [value, String(value)]),
  place: (loss) => along(0.02, 3)(Math.min(Math.max(loss, 0.02), 3)),
};

/**
 * @param {SVGElement} svg
 * @param {{ticks: [number, string][], place: (value: number) => number}} scale ACCURACY or LOSS
 * @param {{learning: [number, number][], tests: [number, number][], changes: number[]}} curves
 *   passes and values; `changes` are passes
 */
export function drawChart(svg, scale, { learning, tests, changes }) {
  const [width, height] = [svg.clientWidth || 320, svg.clientHeight || 168];
  const reached = Math.max(learning.at(-1)?.[0] ?? 0, tests.at(-1)?.[0] ?? 0);
  const most = passesShown(reached);
  const x = (passes) => LEFT + (passes / most) * (width - LEFT - RIGHT);
  const y = (value) => height - BOTTOM - scale.place(value) * (height - BOTTOM - TOP);
  const points = (list) => list.map(([passes, value]) => `${x(passes).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.replaceChildren(
    ...scale.ticks.flatMap(([value, name]) => [
      make("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
      make("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, name),
    ]),
    ...ticksOf(most).map((passes) => make("text", { x: x(passes), y: height - 4, "text-anchor": "middle" }, passes)),
    ...changes.map((passes) => make("line", { class: "change", x1: x(passes), x2: x(passes), y1: TOP, y2: height - BOTTOM })),
    make("polyline", { class: "learning", points: points(learning) }),
    make("polyline", { class: "test", points: points(tests) }),
    ...(tests.length > 12 ? tests.slice(-1) : tests).map(([passes, value]) => make("circle", { class: "test", cx: x(passes), cy: y(value), r: 3.5 })),
  );
}

/** The end of the axis: it grows in leaps, so that the curve is seen to move. */
function passesShown(reached) {
  let most = 1;
  for (let i = 0; most < reached; i++) most *= [2, 2.5, 2][i % 3]; // 1, 2, 5, 10, 20, 50 ...
  return most;
}

function ticksOf(most) {
  const count = most === 1 || most === 2 ? most : String(most)[0] === "2" ? 4 : 5;
  return Array.from({ length: count + 1 }, (_, i) => (i * most) / count);
}

function make(name, attributes, text) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}
