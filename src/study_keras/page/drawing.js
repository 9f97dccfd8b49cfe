// The drawing area: strokes by mouse, finger or pen, or a picture, with undo.

export const WIDTH = 270; // of the drawing area, in its own units: room for four digits, or for a large one
export const HEIGHT = 180;
const PEN = 10; // the width of a stroke: MNIST's is a tenth of the height of a digit, here 60 to 160

/**
 * Let the user draw on a canvas.
 * @param {HTMLCanvasElement} canvas as wide for its height as the drawing area
 * @param {() => void} onChange called whenever the drawing has changed
 * @param {() => void} onEnd called when a stroke has ended
 */
export function createPad(canvas, onChange, onEnd) {
  // {points: [[x, y], ...]}, {picture} or, when the area was cleared, {swept}: whether by a stroke on a picture.
  const items = [];
  const changed = () => {
    paint(canvas, shownOf(items));
    onChange();
  };
  const pad = {
    begin(x, y) {
      if (shownOf(items)[0]?.picture) items.push({ swept: true });
      items.push({ points: [[x, y]] });
      changed();
    },
    extend(...points) {
      items.at(-1).points.push(...points);
      changed();
    },
    end: onEnd,
    show(picture) {
      items.push({ picture });
      changed();
      onEnd();
    },
    clear() {
      if (shownOf(items).length) items.push({ swept: false });
      changed();
      onEnd();
    },
    undo() {
      if (items.pop()?.points && items.at(-1)?.swept) items.pop(); // one action of the user made both
      changed();
      onEnd();
    },
    /** Where the last stroke ended; null if none is shown. */
    tip: () => shownOf(items).at(-1)?.points?.at(-1) ?? null,
    picture: () => shownOf(items)[0]?.picture ?? null,
    ink: () => inkOf(shownOf(items)),
    isEmpty: () => shownOf(items).length === 0,
    repaint: () => paint(canvas, shownOf(items)),
  };
  followPointer(canvas, pad);
  return pad;
}

/** The items since the area was last cleared or a picture was shown, including that picture. */
function shownOf(items) {
  const start = items.findLastIndex((item) => !item.points);
  return items.slice(items[start]?.picture ? start : start + 1);
}

function followPointer(canvas, pad) {
  let pointer = null; // the one that draws; a second finger is ignored
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return;
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    pad.begin(...place(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    pad.extend(...(between.length ? between : [event]).map(place));
  });
  for (const type of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(type, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      pad.end();
    });
  }
}

/** Where something of a size is shown in the drawing area: its scale, and its left and upper edge. */
export function fit({ width, height }) {
  const scale = Math.min(WIDTH / width, HEIGHT / height);
  return { scale, x: (WIDTH - scale * width) / 2, y: (HEIGHT - scale * height) / 2 };
}

/** The strokes as a plane of ink in [0, 1], or null if nothing is drawn. */
function inkOf(items) {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (const { points } of items) drawStroke(context, points);
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  const values = new Float64Array(WIDTH * HEIGHT);
  for (let pixel = 0; pixel < values.length; pixel++) values[pixel] = data[4 * pixel + 3] / 255;
  return values.some((value) => value > 0) ? { values, width: WIDTH, height: HEIGHT } : null;
}

function paint(canvas, items) {
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.scale(canvas.width / WIDTH, canvas.height / HEIGHT);
  context.strokeStyle = getComputedStyle(canvas).color;
  for (const { points, picture } of items) {
    if (points) drawStroke(context, points);
    else drawPicture(context, picture);
  }
}

function drawStroke(context, points) {
  context.lineWidth = PEN;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...points[0]);
  if (points.length === 1) context.lineTo(points[0][0] + 0.01, points[0][1]); // a dot
  for (let i = 1; i < points.length - 1; i++) {
    const [[x, y], [nextX, nextY]] = [points[i], points[i + 1]];
    context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2); // a smooth curve between the reported points
  }
  if (points.length > 1) context.lineTo(...points.at(-1));
  context.stroke();
}

function drawPicture(context, picture) {
  const { scale, x, y } = fit(picture);
  context.drawImage(picture, x, y, scale * picture.width, scale * picture.height);
}
