// The page as an app: works offline after the first visit, and can be installed.

/** @param {HTMLButtonElement} button shown if the browser can install the page */
export function install(button) {
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("sw.js").catch(() => {}); // then the page works only online
  }
  let offer = null;
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offer = event;
    button.hidden = false;
  });
  button.addEventListener("click", async () => {
    button.hidden = true;
    await offer.prompt();
  });
}
