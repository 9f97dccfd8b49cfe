// The worker that trains, beside the page, so that drawing stays smooth. It learns for some milliseconds, then looks for
// messages; it sends its state only after the page has shown the former one.
import { loadImages } from "../mnist.js";
import { messages } from "../slices.js";
import { createRandom } from "./random.js";
import { createTrainer } from "./trainer.js";

const SLICE = 12; // milliseconds between two looks for messages
const STATE_EVERY = 50; // milliseconds
const KERNEL_EVERY = 200; // milliseconds; it is large
let data = null;
let settings = null;
let trainer = null;
let seed = 0;
let running = false;
let working = false; // whether `work` is under way
let seconds = 0; // of training
let drawn = null; // 784 numbers
let tested = null; // what the last test found, until it is sent
let changed = false; // since the last state
let shown = false; // whether the page has shown the last state
let sentAt = 0;
let kernelAt = 0;

const ACTIONS = {
  async open({ settings: wanted, ...source }) {
    settings = wanted;
    data = await loadImages(source);
    postMessage({ opened: { train: data.train.count, test: data.test.count } });
    await ACTIONS.restart();
  },
  async restart() {
    trainer = createTrainer(data, settings, createRandom(++seed));
    seconds = 0;
    await test();
    report();
  },
  run() {
    running = true;
    return work();
  },
  pause() {
    running = false;
    report();
  },
  async step() {
    running = false;
    if (trainer.step()) await test();
    report();
  },
  change({ settings: wanted }) {
    settings = wanted;
    trainer?.change(settings);
    report();
  },
  draw({ pixels }) {
    drawn = pixels;
    report();
  },
  shown() {
    shown = true;
    send();
  },
};

onmessage = async ({ data: message }) => {
  try {
    await ACTIONS[message.action](message);
  } catch (error) {
    postMessage({ problem: error.message ?? String(error) });
  }
};

async function work() {
  if (working) return;
  working = true;
  let before = performance.now();
  while (running) {
    const until = performance.now() + SLICE;
    let ended = false;
    while (!ended && performance.now() < until) ended = trainer.step();
    if (ended) await test();
    const now = performance.now();
    seconds += (now - before) / 1000;
    before = now;
    report();
    await messages();
  }
  working = false;
}

/** Test the network as it is, with looks for messages in between; a restart ends it. */
async function test() {
  const own = trainer;
  const slices = own.test();
  let slice = slices.next();
  while (!slice.done) {
    await messages();
    if (trainer !== own) return;
    slice = slices.next();
  }
  tested = slice.value;
}

function report() {
  changed = true;
  send();
}

function send() {
  const now = performance.now();
  if (!trainer || !changed || !shown || (running && now - sentAt < STATE_EVERY)) return;
  const state = { ...trainer.progress(), running, seconds, size: data.train.count, answer: drawn && trainer.answer(drawn), tested };
  if (!running || now - kernelAt >= KERNEL_EVERY) {
    state.kernel = trainer.kernel().slice();
    kernelAt = now;
  }
  postMessage({ state }, state.kernel ? [state.kernel.buffer] : []);
  [changed, shown, tested, sentAt] = [false, false, null, now];
}
