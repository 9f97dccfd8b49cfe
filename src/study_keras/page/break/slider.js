// A slider over a list of values, with its name and its value in words.
import { make } from "../make.js";

/**
 * @param {string} id
 * @param {number[]} values from left to right
 * @param {(value: number) => void} onInput
 * @returns {{element: HTMLElement, show: (name: string, value: number, text: string, disabled?: boolean) => void}}
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
