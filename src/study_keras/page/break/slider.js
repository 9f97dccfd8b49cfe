// A slider over a list of values, with its name and its value in words.

/**
 * @param {string} id
 * @param {number[]} values from left to right
 * @param {(value: number) => void} onInput
 * @returns {{element: HTMLElement, show: (name: string, value: number, text: string, disabled?: boolean) => void}}
 */
export function makeSlider(id, values, onInput) {
  const element = Object.assign(document.createElement("div"), { className: "knob" });
  const label = Object.assign(document.createElement("label"), { htmlFor: id });
  const input = Object.assign(document.createElement("input"), { type: "range", id, min: 0, max: values.length - 1, step: 1 });
  const output = document.createElement("output");
  input.addEventListener("input", () => onInput(values[input.value]));
  element.append(label, input, output);
  return {
    element,
    show(name, value, text, disabled = false) {
      label.textContent = name;
      input.value = values.indexOf(value);
      input.setAttribute("aria-valuetext", text);
      input.disabled = disabled;
      output.textContent = text;
    },
  };
}
