// The settings of the training: a slider for each number, a list for each name, and the same in Keras.
import { strings } from "../strings.js";

const SLIDERS = {
  rate: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
  batch: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
  dropout: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8],
  shift: [0, 1, 2, 3],
  units: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
};
const LISTS = {
  activation: { relu: "ReLU", tanh: "tanh", sigmoid: "sigmoid", linear: null },
  optimizer: { adam: "Adam", rmsprop: "RMSprop", momentum: null, sgd: "SGD" }, // null: its name is in the strings
};
const KERAS = { adam: "Adam", rmsprop: "RMSprop", momentum: "SGD", sgd: "SGD" };

/**
 * Make the knobs.
 * @param {HTMLElement} place
 * @param {(settings: object) => void} onChange gets what has changed
 * @returns {(settings: import("./trainer.js").Settings) => void} shows settings, in the current language
 */
export function makeKnobs(place, onChange) {
  const knobs = [...Object.keys(SLIDERS).map((name) => slider(name, onChange)), ...Object.keys(LISTS).map((name) => list(name, onChange))];
  place.prepend(...knobs.map(({ element }) => element));
  return (settings) => knobs.forEach(({ show }) => show(settings));
}

/** The lines of lesson 1 with these settings. */
export function kerasCode({ rate, batch, dropout, shift, units, activation, optimizer }) {
  const moved = `keras.layers.Reshape((28, 28, 1)),
        keras.layers.RandomTranslation(${shift} / 28, ${shift} / 28, "constant", "nearest"),
        `;
  return `model = keras.Sequential(
    [
        keras.Input((28, 28)),
        ${shift ? moved : ""}keras.layers.Flatten(),
        keras.layers.Dense(${units}, activation="${activation}"),
        keras.layers.Dropout(${dropout}),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.${KERAS[optimizer]}(${rate}${optimizer === "momentum" ? ", momentum=0.9" : ""}),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x_train, y_train, batch_size=${batch})`;
}

function slider(name, onChange) {
  const values = SLIDERS[name];
  const input = Object.assign(document.createElement("input"), { type: "range", id: `knob-${name}`, min: 0, max: values.length - 1, step: 1 });
  const output = document.createElement("output");
  const show = (value) => {
    output.value = value;
    input.setAttribute("aria-valuetext", value);
  };
  input.addEventListener("input", () => {
    show(values[input.value]);
    onChange({ [name]: values[input.value] });
  });
  const { element, label } = row(name, input, output);
  return { element, show: (settings) => {
    label.textContent = strings()[name];
    input.value = values.indexOf(settings[name]);
    show(settings[name]);
  } };
}

function list(name, onChange) {
  const select = Object.assign(document.createElement("select"), { id: `knob-${name}` });
  select.append(...Object.keys(LISTS[name]).map((value) => Object.assign(document.createElement("option"), { value })));
  select.addEventListener("change", () => onChange({ [name]: select.value }));
  const { element, label } = row(name, select);
  return { element, show: (settings) => {
    label.textContent = strings()[name];
    for (const option of select.options) option.textContent = LISTS[name][option.value] ?? strings()[option.value];
    select.value = settings[name];
  } };
}

function row(name, ...parts) {
  const element = document.createElement("div");
  const label = Object.assign(document.createElement("label"), { htmlFor: `knob-${name}` });
  element.className = "knob";
  element.append(label, ...parts);
  return { element, label };
}
