// What the desk does when a script may run. Without it every page works as well.
"use strict";

const main = document.querySelector("main");

/** Whether somebody is typing: then letters are letters. */
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("input:not([type=radio], [type=checkbox]), select, textarea, input[type=range]");
}

/** Goes a row on or back, and stays at the ends. */
function step(by) {
  const all = [...document.querySelectorAll(".row-link")];
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
  all[next]?.focus();
  return all.length > 0;
}

const keys = document.getElementById("keys");
const opener = document.getElementById("keys-open");
if (keys && opener) {
  opener.hidden = false;
  opener.addEventListener("click", () => keys.showModal());
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && form && event.target.form === form) {
    event.preventDefault();
    form.requestSubmit();
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || isTyping(event.target) || keys?.open) return;
  if ((event.key === "j" || event.key === "k") && step(event.key === "j" ? 1 : -1)) {
    event.preventDefault();
    return;
  }
  const marked = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (!marked) return;
  event.preventDefault();
  if (marked.matches("input[type=radio]")) {
    marked.checked = true;
    document.getElementById("comment")?.focus();
  } else if (marked.matches("a, button")) {
    marked.click();
  } else {
    marked.focus();
  }
});

// The slider of a history goes where it is let go.
document.querySelector(".slider input[type=range]")?.addEventListener("change", (event) => event.target.form.requestSubmit());

// A draft is kept in this browser until the server says that it was saved.
const form = document.querySelector("form[data-draft]");
let isTouched = false;
if (form) {
  const name = `domicile-draft-${form.dataset.draft}`;
  const comment = form.elements.comment;
  const address = new URL(location.href);
  if (address.searchParams.has("sent")) {
    localStorage.removeItem(name);
    address.searchParams.delete("sent");
    history.replaceState(null, "", address);
  }
  const kept = JSON.parse(localStorage.getItem(name) ?? "null");
  if (kept?.comment && comment.value === "") {
    comment.value = kept.comment;
    form.elements.said.value = kept.said;
    isTouched = true;
    say(form.dataset.restored);
  }
  let typedAt = 0;
  form.addEventListener("input", () => {
    isTouched = true;
    if (comment.value === "") localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify({ comment: comment.value, said: form.elements.said.value }));
    if (Date.now() - typedAt > 3000) {
      typedAt = Date.now();
      const body = new URLSearchParams({ ticket: form.dataset.draft, csrf: form.elements.csrf.value });
      fetch("/agent/live/typing", { method: "POST", body }).catch(() => {});
    }
  });
}

/** Tells something about this page, also to those who do not see it. */
function say(text) {
  const place = document.getElementById("live");
  if (!place) return;
  place.hidden = false;
  place.textContent = text;
}

/** Reads this page again and shows these parts of it anew. */
async function refresh(...parts) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const [now, then] = [document.querySelector(part), page.querySelector(part)];
    if (now && then && !now.contains(document.activeElement)) now.replaceWith(document.adoptNode(then));
  }
}

// What moves is heard of, and then read.
const ticket = document.querySelector("[data-ticket]");
const isListed = document.querySelector("[data-live=views]") !== null;
if (main && (ticket || isListed)) {
  const events = new EventSource(ticket ? `/agent/live?ticket=${ticket.dataset.ticket}` : "/agent/live");
  let known = ticket ? Number(ticket.dataset.version) : null;
  events.addEventListener("moved", (event) => {
    const is = Number(event.data);
    const isNew = known !== null && is > known;
    known = Math.max(known ?? 0, is);
    if (!isNew) return;
    if (!ticket) refresh(".columns").catch(() => {});
    else if (isTouched) refresh(".thread").then(() => say(ticket.dataset.moved)).catch(() => {});
    else refresh(".thread", "form[data-draft]").then(() => say(ticket.dataset.moved)).catch(() => {});
  });
  events.addEventListener("present", (event) => {
    const place = document.getElementById("present");
    if (place) place.textContent = JSON.parse(event.data);
  });
  addEventListener("pagehide", () => events.close());
}
