// The list of models: name, size, and time per image.
import { preferred } from "./model.js";
import { strings } from "./strings.js";

const RUNTIMES = { tfjs: "TensorFlow.js", tflite: "LiteRT", onnx: "ONNX Runtime" };
const times = new Map(); // entry -> {time: its element, milliseconds: of its last runs}

/**
 * Show the models and open the preferred one.
 * @param {object[]} entries as returned by listModels()
 * @param {(entry: object) => Promise<object>} choose opens one and returns the one that is open now
 */
export async function showModels(entries, choose) {
  if (!entries.length) throw new Error("the list is empty");
  const inputs = entries.map((entry, index) => {
    const row = document.createElement("label");
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "model";
    input.value = index;
    const time = textOf("time", strings().notRun);
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

/** Add the time of a run; the median of the last 21 is shown. */
export function showTime(entry, milliseconds) {
  const { time, milliseconds: all } = times.get(entry);
  all.push(milliseconds);
  if (all.length > 21) all.shift();
  const median = all.toSorted((a, b) => a - b)[all.length >> 1];
  time.textContent = strings().milliseconds(median < 10 ? median.toFixed(1) : Math.round(median));
}

function describe({ format, bytes }) {
  const kilobytes = Math.round(bytes / 1000).toLocaleString("en");
  return `${RUNTIMES[format]}, ${kilobytes} kB`;
}

function textOf(name, text) {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}
