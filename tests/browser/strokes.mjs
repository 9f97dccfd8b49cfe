// The ten digits as a person draws them, a dash and two letters, of which Γ is a mirrored 7: strokes of points in a square of side 1.
const arc = (x, y, width, height, from, to) => Array.from({ length: 25 }, (_, i) => {
  const angle = ((from + ((to - from) * i) / 24) * Math.PI) / 180;
  return [x + (width / 2) * Math.cos(angle), y + (height / 2) * Math.sin(angle)];
});

const STROKES = {
  0: [arc(0.5, 0.5, 0.42, 0.64, -80, 285)],
  1: [[[0.42, 0.28], [0.52, 0.2], [0.51, 0.5], [0.5, 0.8]]],
  2: [[...arc(0.5, 0.34, 0.34, 0.28, -170, 50), [0.34, 0.77], [0.4, 0.79], [0.7, 0.78]]],
  3: [[...arc(0.48, 0.35, 0.32, 0.3, -150, 90), ...arc(0.48, 0.65, 0.38, 0.3, -90, 150)]],
  4: [[[0.36, 0.2], [0.32, 0.52], [0.7, 0.5]], [[0.66, 0.2], [0.64, 0.5], [0.62, 0.82]]],
  5: [[[0.66, 0.2], [0.4, 0.21], [0.37, 0.45], ...arc(0.47, 0.61, 0.36, 0.34, -110, 130)]],
  6: [[[0.6, 0.18], [0.45, 0.35], [0.37, 0.58], ...arc(0.5, 0.66, 0.28, 0.28, 180, -160)]],
  7: [[[0.3, 0.23], [0.68, 0.22], [0.58, 0.5], [0.48, 0.82]]],
  8: [[...arc(0.5, 0.35, 0.28, 0.28, -60, -270), ...arc(0.5, 0.64, 0.34, 0.3, -90, 270), ...arc(0.5, 0.35, 0.28, 0.28, 90, -60)]],
  9: [[...arc(0.48, 0.36, 0.3, 0.3, -20, -340), [0.63, 0.36], [0.62, 0.55], [0.57, 0.82]]],
  "-": [[[0.2, 0.5], [0.5, 0.51], [0.8, 0.5]]],
  Γ: [[[0.7, 0.23], [0.32, 0.22], [0.42, 0.5], [0.52, 0.82]]],
  E: [[[0.7, 0.2], [0.31, 0.21], [0.3, 0.79], [0.7, 0.8]], [[0.3, 0.5], [0.65, 0.5]]],
};

/** Draw characters side by side by real pointer events: those of the mouse, or what `by` sends. */
export async function draw(page, text, by = mouse(page)) {
  const box = await page.locator("#pad").boundingBox();
  const all = [...String(text)];
  const room = box.width / all.length;
  const side = Math.min(box.height, 2 * room); // a digit is less than half as wide as its square
  for (const [i, character] of all.entries()) {
    const at = ([x, y]) => [box.x + room * (i + 0.5) + side * (x - 0.5), box.y + box.height / 2 + side * (y - 0.5)];
    for (const [first, ...points] of STROKES[character]) {
      await by.down(...at(first));
      for (const point of points) await by.move(...at(point));
      await by.up();
    }
  }
}

/** The same hand, but never twice the same. */
export function shaky(by) {
  const near = (place) => place + 16 * Math.random() - 8;
  return { ...by, down: (x, y) => by.down(near(x), near(y)), move: (x, y) => by.move(near(x), near(y)) };
}

/** Wait until a model is there, and the networks that find digits. */
export async function ready(page) {
  await page.waitForFunction(() => document.querySelector("#models :checked:enabled"));
  await said(page);
}

/** Wait until the page has said what it makes of the last stroke, and return that. */
export async function said(page) {
  await page.waitForFunction(() => document.getElementById("result").ariaBusy === "false");
  return page.textContent("#status");
}

export function mouse(page) {
  return {
    async down(x, y) {
      await page.mouse.move(x, y);
      await page.mouse.down();
    },
    move: (x, y) => page.mouse.move(x, y),
    up: () => page.mouse.up(),
  };
}

/** A finger on a touch screen. */
export async function finger(page) {
  const session = await page.context().newCDPSession(page);
  const send = (type, points) => session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  return { down: (x, y) => send("touchStart", [[x, y]]), move: (x, y) => send("touchMove", [[x, y]]), up: () => send("touchEnd", []) };
}

/** The same pointer, slower: each event waits for the answer to the one before. */
export function patient(page, pointer) {
  return Object.fromEntries(Object.entries(pointer).map(([name, send]) => [name, async (...place) => {
    await said(page);
    await send(...place);
  }]));
}
