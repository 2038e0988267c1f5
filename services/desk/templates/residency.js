// Keeps the marks of the residency certificate as they are now, by asking for the page again; it can be paused.
"use strict";
{
  const EVERY_MS = 5000;
  const button = document.getElementById("pause");
  let isPaused = false;

  const show = () => { button.textContent = isPaused ? button.dataset.resume : button.dataset.pause; };
  const renew = async () => {
    if (isPaused || document.hidden) return;
    try {
      const answer = await fetch(location.pathname);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const marks = page.getElementById("live");
      if (answer.ok && marks) document.getElementById("live").replaceWith(marks);
    } catch {
      // The next time, perhaps; the table says as of when it is.
    }
  };
  button.addEventListener("click", () => { isPaused = !isPaused; show(); renew(); });
  show();
  button.hidden = false;
  setInterval(renew, EVERY_MS);
}
