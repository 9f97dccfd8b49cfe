// Shows the state of the training: its progress and curves, the answer to the drawing, the weights, the mistakes.
import { byId } from "../dom.js";
import { strings } from "../strings.js";
import { ACCURACY, LOSS, drawChart } from "./chart.js";
import { drawInk, drawUnits } from "./pictures.js";

/** With one decimal: from 97.1 to 97.4 % is much. */
export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

export function showProgress({ pass, within, size, seconds, learning, tests, changes }) {
  const last = tests.at(-1);
  byId("train-accuracy").textContent = last ? percent(last.accuracy) : "–";
  byId("train-progress").textContent = strings().trainProgress(pass + 1, within, size, seconds.toFixed(1));
  const parts = [["accuracy", "trainAccuracy", ACCURACY, percent], ["loss", "trainLoss", LOSS, (loss) => loss.toFixed(3)]];
  for (const [key, name, scale, text] of parts) {
    const line = (points) => points.map((point) => [point.images / size, point[key]]);
    const svg = byId(`train-${key}-chart`);
    drawChart(svg, scale, { learning: line(learning), tests: line(tests), changes: changes.map((images) => images / size) });
    const now = (points) => (points.length ? text(points.at(-1)[key]) : "–");
    svg.setAttribute("aria-label", strings().trainChart(strings()[name], now(learning), now(tests)));
  }
}

/** Show ten probabilities as bars; null if nothing is drawn. */
export function showDigit(answer) {
  const place = byId("yours-bars");
  if (!place.children.length) place.append(...Array.from({ length: 10 }, (_, digit) => makeBar(digit)));
  const best = answer ? answer.indexOf(Math.max(...answer)) : -1;
  [...place.children].forEach((bar, digit) => {
    bar.children[0].textContent = answer ? `${Math.round(100 * answer[digit])} %` : "";
    bar.children[1].style.setProperty("--share", answer ? answer[digit] : 0);
    bar.classList.toggle("best", digit === best);
  });
  byId("yours-said").textContent = answer ? strings().yoursSaid(best, percent(answer[best])) : strings().yoursNothing;
}

export function showUnits(kernel) {
  drawUnits(byId("units"), kernel);
  byId("units").setAttribute("aria-label", strings().unitsLabel(kernel.length / 784));
}

export function showMistakes({ wrong, count, mistakes }) {
  byId("wrong-count").textContent = wrong ? strings().wrongCount(wrong, count, mistakes.length) : strings().wrongNone;
  const known = new Map([...byId("wrong").children].map((item) => [item.dataset.place, item]));
  const items = mistakes.map(({ place, pixels, label, said }) => {
    const item = known.get(String(place)) ?? makeMistake(place, pixels); // a new canvas costs more than all else
    item.lastChild.textContent = strings().wrongOne(label, said);
    return item;
  });
  byId("wrong").replaceChildren(...items);
}

function makeMistake(place, pixels) {
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  item.dataset.place = place;
  canvas.ariaHidden = "true";
  item.append(canvas, document.createElement("span"));
  drawInk(canvas, pixels, getComputedStyle(byId("wrong")).getPropertyValue("--text"));
  return item;
}

function makeBar(digit) {
  const bar = document.createElement("li");
  for (const [name, text] of [["share", ""], ["bar", ""], ["name", digit]]) {
    bar.append(Object.assign(document.createElement("span"), { className: name, textContent: text }));
  }
  return bar;
}
