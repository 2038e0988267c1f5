// Keeps what changes on a page of the console as it is now, by asking for the page again; it can be paused.
"use strict";
{
  const live = () => document.getElementById("live");
  const button = document.getElementById("pause");
  let isPaused = false;

  const show = () => { button.textContent = isPaused ? button.dataset.resume : button.dataset.pause; };
  const renew = async () => {
    if (isPaused || document.hidden || live().contains(document.activeElement)) return;
    try {
      const answer = await fetch(location.href);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const next = page.getElementById("live");
      if (!answer.ok || !next) return;
      for (const open of live().querySelectorAll("details[open]")) {
        next.querySelector(`details[id="${open.id}"]`)?.setAttribute("open", "");
      }
      live().replaceWith(next);
    } catch {
      // The next time, perhaps; the page says as of when it is.
    }
  };
  const again = () => setTimeout(async () => { await renew(); again(); }, Number(live().dataset.every) * 1000);
  if (live() && button) {
    button.addEventListener("click", () => { isPaused = !isPaused; show(); renew(); });
    show();
    button.hidden = false;
    again();
  }
}
