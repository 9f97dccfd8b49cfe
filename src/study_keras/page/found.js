// Several digits: their boxes on the paper, and their buttons, one of which is chosen.
import { byId } from "./dom.js";
import { fit, HEIGHT, WIDTH } from "./drawing.js";
import { describe, percent } from "./view.js";

const MOVES = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };
const ROOM = 2; // around a box, which may be a little too small, in the units of the drawing area

/** Call `onChoose` with the number of the digit that is chosen by a click or by arrow keys. */
export function chooseDigits(onChoose) {
  const buttons = () => [...byId("found").querySelectorAll("button")];
  byId("found").addEventListener("click", (event) => {
    const at = buttons().indexOf(event.target.closest("button"));
    if (at >= 0) onChoose(at);
  });
  byId("found").addEventListener("keydown", (event) => {
    const [all, move] = [buttons(), MOVES[event.key]];
    const from = all.indexOf(document.activeElement);
    if (!move || from < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const to = Math.min(Math.max(from + move, 0), all.length - 1);
    event.preventDefault();
    onChoose(to);
    all[to].focus();
  });
}

/** Show the digits of a reading if they are several. */
export function showFound(reading) {
  const written = reading && reading.written.length > 1 ? reading.written : [];
  byId("found").hidden = !written.length;
  byId("found").replaceChildren(...linesOf(written));
  byId("boxes").setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  byId("boxes").replaceChildren(...written.map(({ box }) => boxOf(box, fit(reading))));
}

/** Mark the chosen one. */
export function markChosen(at) {
  byId("found").querySelectorAll("button").forEach((button, i) => {
    button.ariaPressed = String(i === at);
    button.tabIndex = i === at ? 0 : -1; // one stop of the Tab key for all
  });
  [...byId("boxes").children].forEach((box, i) => box.classList.toggle("chosen", i === at));
}

/** The one to look at first: the first uncertain digit, or what the last stroke belongs to, which ended at `tip`, or the first. */
export function firstChoice({ written }, tip) {
  const uncertain = written.findIndex((one) => one.isDigit && !one.certain);
  if (uncertain >= 0) return uncertain;
  if (!tip) return written.findIndex((one) => one.isDigit);
  const away = written.map(({ box: [left, top, right, bottom] }) =>
    Math.hypot(Math.max(left - tip[0], tip[0] - right, 0), Math.max(top - tip[1], tip[1] - bottom, 0)));
  return away.indexOf(Math.min(...away));
}

function linesOf(written) {
  const lines = new Map();
  for (const one of written) {
    if (!lines.has(one.line)) lines.set(one.line, document.createElement("div"));
    lines.get(one.line).append(buttonOf(one));
  }
  return lines.values();
}

function buttonOf(one) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", describe(one));
  const name = document.createElement("b");
  name.textContent = one.name;
  const share = document.createElement("span");
  share.textContent = one.isDigit ? percent(one.probability) : "";
  button.append(name, share);
  button.classList.toggle("doubtful", one.isDigit && !one.certain); // style.css adds a question mark
  button.classList.toggle("unread", !one.isDigit);
  return button;
}

function boxOf([left, top, right, bottom], { scale, x, y }) {
  const box = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const [width, height] = [scale * (right - left) + 2 * ROOM, scale * (bottom - top) + 2 * ROOM];
  const sides = { x: x + scale * left - ROOM, y: y + scale * top - ROOM, width, height, rx: 3 };
  for (const [name, side] of Object.entries(sides)) box.setAttribute(name, side);
  return box;
}
