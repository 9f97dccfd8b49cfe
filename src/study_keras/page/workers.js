// Starts the page's workers. build.mjs sets WORKERS: their files by name; in the one-file page, their code.

/** @param {"train" | "map"} name */
export function startWorker(name) {
  if (!ONE_FILE) return new Worker(WORKERS[name]);
  const url = URL.createObjectURL(new Blob([WORKERS[name]], { type: "text/javascript" }));
  const worker = new Worker(url);
  URL.revokeObjectURL(url);
  return worker;
}
