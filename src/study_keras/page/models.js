// The list of models: name, size, and how long each takes for a picture.
import { preferred } from "./model.js";
import { words } from "./words.js";

const times = new Map(); // entry -> {label, row, milliseconds of its last pictures}

/**
 * Show the models and open the one that is preferred.
 * @param {object[]} entries what listModels() gave
 * @param {(entry: object) => Promise<object>} choose opens one and says which is open now
 */
export async function showModels(entries, choose) {
  if (!entries.length) throw new Error("[]");
  const inputs = entries.map((entry, index) => {
    const row = document.createElement("label");
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "model";
    input.value = index;
    const time = textOf("time", words().notRun);
    row.append(input, textOf("model-name", entry.name), textOf("size", describe(entry)), time);
    document.getElementById("models").append(row);
    times.set(entry, { time, milliseconds: [] });
    return input;
  });
  const open = async (index) => {
    inputs.forEach((input) => (input.disabled = input.value !== String(index)));
    const now = await choose(entries[index]);
    inputs.forEach((input) => (input.disabled = false));
    inputs.forEach((input, i) => (input.checked = entries[i] === now));
  };
  inputs.forEach((input, index) => input.addEventListener("change", () => open(index)));
  await open(entries.indexOf(preferred(entries)));
}

/** Note how long a picture took; the middle one of the last 21 is shown. */
export function showTime(entry, milliseconds) {
  const { time, milliseconds: all } = times.get(entry);
  all.push(milliseconds);
  if (all.length > 21) all.shift();
  const middle = all.toSorted((a, b) => a - b)[all.length >> 1];
  time.textContent = words().milliseconds(middle < 10 ? middle.toFixed(1) : Math.round(middle));
}

function describe({ format, bytes }) {
  const kilobytes = Math.round(bytes / 1000).toLocaleString("en");
  return `${format === "tflite" ? "LiteRT" : "TensorFlow.js"}, ${kilobytes} kB`;
}

function textOf(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
