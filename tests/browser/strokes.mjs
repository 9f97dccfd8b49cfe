// The ten digits as a person draws them: strokes of points in a square of side 1.
const arc = (x, y, width, height, from, to) => Array.from({ length: 25 }, (_, i) => {
  const angle = ((from + ((to - from) * i) / 24) * Math.PI) / 180;
  return [x + (width / 2) * Math.cos(angle), y + (height / 2) * Math.sin(angle)];
});

export const DIGITS = [
  [arc(0.5, 0.5, 0.42, 0.64, -80, 285)],
  [[[0.42, 0.28], [0.52, 0.2], [0.51, 0.5], [0.5, 0.8]]],
  [[...arc(0.5, 0.34, 0.34, 0.28, -170, 50), [0.34, 0.77], [0.4, 0.79], [0.7, 0.78]]],
  [[...arc(0.48, 0.35, 0.32, 0.3, -150, 90), ...arc(0.48, 0.65, 0.38, 0.3, -90, 150)]],
  [[[0.36, 0.2], [0.32, 0.52], [0.7, 0.5]], [[0.66, 0.2], [0.64, 0.5], [0.62, 0.82]]],
  [[[0.66, 0.2], [0.4, 0.21], [0.37, 0.45], ...arc(0.47, 0.61, 0.36, 0.34, -110, 130)]],
  [[[0.6, 0.18], [0.45, 0.35], [0.37, 0.58], ...arc(0.5, 0.66, 0.28, 0.28, 180, -160)]],
  [[[0.3, 0.23], [0.68, 0.22], [0.58, 0.5], [0.48, 0.82]]],
  [[...arc(0.5, 0.35, 0.28, 0.28, -60, -270), ...arc(0.5, 0.64, 0.34, 0.3, -90, 270), ...arc(0.5, 0.35, 0.28, 0.28, 90, -60)]],
  [[...arc(0.48, 0.36, 0.3, 0.3, -20, -340), [0.63, 0.36], [0.62, 0.55], [0.57, 0.82]]],
];

/** Draw a digit by real pointer events: those of the mouse, or what `by` sends. */
export async function draw(page, digit, by = mouse(page)) {
  const box = await page.locator("#pad").boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  for (const [first, ...points] of DIGITS[digit]) {
    await by.down(...at(first));
    for (const point of points) await by.move(...at(point));
    await by.up();
  }
}

/** Wait until a model is there. */
export async function ready(page) {
  await page.waitForFunction(() => document.querySelector("#models :checked:enabled"));
  await said(page);
}

/** Wait until the page has said what it makes of the last stroke, and return that. */
export async function said(page) {
  await page.waitForFunction(() => document.getElementById("result").ariaBusy === "false");
  return page.textContent("#status");
}

function mouse(page) {
  return {
    async down(x, y) {
      await page.mouse.move(x, y);
      await page.mouse.down();
    },
    move: (x, y) => page.mouse.move(x, y),
    up: () => page.mouse.up(),
  };
}
