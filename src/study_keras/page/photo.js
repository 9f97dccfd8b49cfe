// Pictures that are not drawn here: chosen, dropped, pasted or taken with the camera.
import { byId } from "./dom.js";

const MAX_SIDE = 1024; // larger photos are downscaled before digits are looked for, as far as vision/levels.js would

/**
 * Let the user provide a picture.
 * @param {HTMLElement} place where one can be dropped
 * @param {(picture: HTMLCanvasElement) => void} onPicture
 * @param {(problem: "noPicture" | "noCamera") => void} onProblem
 */
export function acceptPictures(place, onPicture, onProblem) {
  const take = async (file) => {
    if (!file) return;
    try {
      onPicture(await load(file));
    } catch {
      onProblem("noPicture");
    }
  };
  for (const input of [byId("file"), byId("snap")]) {
    input.addEventListener("change", async () => {
      await take(input.files[0]);
      input.value = ""; // the same file may be chosen again
    });
  }
  byId("choose").addEventListener("click", () => byId("file").click());
  place.addEventListener("dragover", (event) => {
    event.preventDefault();
    place.classList.add("dropping");
  });
  place.addEventListener("dragleave", () => place.classList.remove("dropping"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("dropping");
    take(event.dataTransfer.files[0]);
  });
  document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
  useCamera(onPicture, onProblem);
}

/** The RGBA bytes of a picture, for rgbToGrey(). */
export function pixelsOf(picture) {
  const { width, height } = picture;
  return { colours: picture.getContext("2d").getImageData(0, 0, width, height).data, width, height };
}

async function load(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  return copyOf(bitmap, bitmap.width, bitmap.height);
}

function copyOf(source, width, height) {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function useCamera(onPicture, onProblem) {
  const [dialog, video] = [byId("viewfinder"), byId("video")];
  const stop = () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  };
  byId("camera").addEventListener("click", async () => {
    if (!navigator.mediaDevices) return byId("snap").click(); // opens the camera app of a phone
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      dialog.showModal();
      await video.play();
    } catch {
      stop();
      dialog.close();
      onProblem("noCamera");
    }
  });
  byId("take").addEventListener("click", () => {
    if (!video.videoWidth) return;
    dialog.close();
    onPicture(copyOf(video, video.videoWidth, video.videoHeight));
  });
  byId("close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", stop);
}
