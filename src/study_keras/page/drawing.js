// The drawing area: strokes by mouse, finger or pen, or a picture, with undo.

const SIDE = 280; // of the drawing area, in its own units
const WIDTH = 22; // of a stroke: a tenth of the height of a digit that fills most of the area, as in MNIST

/**
 * Let the user draw on a canvas.
 * @param {HTMLCanvasElement} canvas square
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
    side: SIDE,
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
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
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

/** The strokes as a plane of ink in [0, 1], or null if nothing is drawn. */
function inkOf(items) {
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  for (const { points } of items) drawStroke(context, points);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  const values = Float64Array.from({ length: SIDE * SIDE }, (_, pixel) => data[4 * pixel + 3] / 255);
  return values.some((value) => value > 0) ? { values, width: SIDE, height: SIDE } : null;
}

function paint(canvas, items) {
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.scale(canvas.width / SIDE, canvas.height / SIDE);
  context.strokeStyle = getComputedStyle(canvas).color;
  for (const { points, picture } of items) {
    if (points) drawStroke(context, points);
    else drawPicture(context, picture);
  }
}

function drawStroke(context, points) {
  context.lineWidth = WIDTH;
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
  const scale = SIDE / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  context.drawImage(picture, (SIDE - width) / 2, (SIDE - height) / 2, width, height);
}
