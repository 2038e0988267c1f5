// What the signup form does when a script may run: it says while one types whether the name is free, and is sent once.
"use strict";
{
  const field = document.getElementById("subdomain");
  const said = document.getElementById("subdomain-check");
  const PAUSE_MS = 350;
  let asked = 0;
  let timer;

  const ask = async () => {
    const mine = ++asked;
    const name = field.value.trim();
    let state = "";
    if (name !== "") {
      try {
        const answer = await fetch(`/api/signup/name?subdomain=${encodeURIComponent(name)}`);
        state = answer.ok ? (await answer.json()).state : "";
      } catch {
        // Nobody needs the answer: signing up asks again.
      }
    }
    if (mine !== asked) return;
    said.textContent = said.dataset[state] ?? "";
    said.classList.toggle("error", state !== "free");
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MS);
  });

  let isSent = false;
  field.form.addEventListener("submit", (event) => {
    if (isSent) event.preventDefault();
    isSent = true;
  });
  addEventListener("pageshow", () => { isSent = false; });
}
