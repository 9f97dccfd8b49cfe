// A slider over a list of values, and a checkbox; each with its name.
import { make } from "../dom.js";

/**
 * @typedef {object} Knob
 * @property {HTMLElement} element
 * @property {(name: string, value: number | boolean, text: string, disabled?: boolean) => void} show
 *   `text`: the value in words
 */

/**
 * @param {string} id
 * @param {number[]} values from left to right
 * @param {(value: number) => void} onInput
 * @returns {Knob}
 */
export function makeSlider(id, values, onInput) {
  const label = make("label", { htmlFor: id });
  const input = make("input", { type: "range", id, min: 0, max: values.length - 1, step: 1 });
  const output = make("output");
  input.addEventListener("input", () => onInput(values[input.value]));
  return {
    element: make("div", { className: "knob" }, label, input, output),
    show(name, value, text, disabled = false) {
      label.textContent = name;
      output.textContent = text;
      input.ariaValueText = text;
      Object.assign(input, { value: values.indexOf(value), disabled });
    },
  };
}

/**
 * @param {string} id
 * @param {(checked: boolean) => void} onChange
 * @returns {Knob}
 */
export function makeTick(id, onChange) {
  const input = make("input", { type: "checkbox", id });
  const label = make("span");
  input.addEventListener("change", () => onChange(input.checked));
  return {
    element: make("label", { className: "tick" }, input, label),
    show(name, checked, _, disabled) {
      label.textContent = name;
      Object.assign(input, { checked, disabled });
    },
  };
}
