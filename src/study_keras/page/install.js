// The page as an app: it works offline after the first visit, and the browser may install it.

/** @param {HTMLButtonElement} button shown where the browser offers to install the page */
export function install(button) {
  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.register("sw.js").catch(() => {}); // without it the page works online
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
