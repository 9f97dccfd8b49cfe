// Shows what the network reads, the drawings by label, and what a lesson has changed.
import { byId } from "../dom.js";
import { strings } from "../strings.js";
import { drawInk } from "../train/pictures.js";
import { percent as tenths } from "../train/shown.js";
import { percent } from "../view.js";
import { OTHERS } from "./teaching.js";

const buttons = new WeakMap(); // drawing -> its button: a new canvas costs more than all else

/**
 * Show what is drawn, and the answer to it.
 * @param {Float32Array | null} pixels 784 numbers in [0, 1]
 * @param {Float32Array | null} answer the probabilities
 * @param {(label: number) => string} nameOf
 */
export function showAnswer(pixels, answer, nameOf) {
  const best = answer ? answer.indexOf(Math.max(...answer)) : -1;
  byId("asked-digit").textContent = answer ? nameOf(best) : "";
  byId("asked-digit").classList.toggle("word", answer !== null && nameOf(best).length > 2);
  byId("asked-said").textContent = answer ? strings().askedRead(nameOf(best), percent(answer[best])) : strings().askedNothing;
  byId("asked-seen").setAttribute("aria-label", strings().seenPicture);
  drawInk(byId("asked-seen"), pixels ?? new Float32Array(784), "#ffffff");
}

/** Make a button for each class. */
export function makeLabels(names, onLabel) {
  byId("labels").classList.toggle("words", names.some((name) => name.length > 2));
  byId("labels").replaceChildren(...names.map((name, label) => button(name, () => onLabel(label))));
}

/**
 * Show the drawings, those of each label together.
 * @param {import("./own_set.js").Drawing[]} drawings in the order of their labels
 * @param {(drawing: object) => void} onRemove
 */
export function showOwn(drawings, nameOf, onRemove) {
  const labels = [...new Set(drawings.map(({ label }) => label))];
  byId("own").replaceChildren(...labels.map((label) => {
    const same = drawings.filter((one) => one.label === label);
    const group = document.createElement("div");
    const title = document.createElement("h3");
    const count = document.createElement("span");
    count.textContent = strings().ownOf(same.length);
    title.append(nameOf(label), count);
    const list = document.createElement("ul");
    list.append(...same.map((drawing, n) => {
      const one = buttons.get(drawing) ?? picture(drawing, onRemove);
      one.setAttribute("aria-label", strings().ownRemoveOne(nameOf(label), n + 1));
      const item = document.createElement("li");
      item.append(one);
      return item;
    }));
    group.append(title, list);
    return group;
  }));
}

/** Show how many were read correctly before and after a lesson; null hides it. */
export function showResult(result, isDigits) {
  byId("lesson-result").hidden = !result;
  if (!result) return;
  const { before, after, drawings, tests } = result;
  byId("lesson-tests").textContent = strings()[isDigits ? "lessonTests" : "lessonKept"](tests);
  const cells = [...byId("lesson-result").querySelectorAll("td")];
  const texts = [...[before, after].map(({ own }) => strings().lessonOf(own, drawings)), ...[before, after].map(({ test }) => tenths(test / tests))];
  cells.forEach((cell, n) => (cell.textContent = texts[n]));
}

/** What is said when a lesson has ended. */
export function describe({ before, after, drawings, tests }) {
  return strings().lessonDone(after.own, drawings, tenths(before.test / tests), tenths(after.test / tests));
}

/** Say which layers learn, or why none can. */
export function describeLayers(opened, taught) {
  if (!opened) return strings().loading;
  if (!opened.model.layers) return strings().lessonNoLayers;
  if (!taught) return strings().lessonOther;
  return strings()[taught.before === null ? "lessonAboutAll" : "lessonAbout"](taught.names, OTHERS);
}

function picture(drawing, onRemove) {
  const canvas = document.createElement("canvas");
  drawInk(canvas, Float32Array.from(drawing.image, (value) => value / 255), "#ffffff");
  const one = button("", () => onRemove(drawing));
  one.append(canvas);
  buttons.set(drawing, one);
  return one;
}

function button(text, onClick) {
  const one = document.createElement("button");
  one.type = "button";
  one.textContent = text;
  one.addEventListener("click", onClick);
  return one;
}
