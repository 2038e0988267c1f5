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
  const answer = event.target.form;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && answer && answer === drafted()) {
    event.preventDefault();
    answer.requestSubmit();
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

// A draft is kept in this browser until the server says that it was saved. The form may be another one after a refresh.
/** The form that has the draft, as it is on the page now. */
function drafted() {
  return document.querySelector("form[data-draft]");
}

/** What somebody's draft of a ticket is kept by: others may use the same browser. */
function draftName(form) {
  return `domicile-draft-${form.dataset.person}-${form.dataset.draft}`;
}

// What the server gave back unsaved is a draft as well.
let isTouched = drafted()?.hasAttribute("data-begun") ?? false;
if (drafted()) {
  const form = drafted();
  const address = new URL(location.href);
  if (address.searchParams.has("sent")) {
    localStorage.removeItem(draftName(form));
    address.searchParams.delete("sent");
    history.replaceState(null, "", address);
  }
  const kept = JSON.parse(localStorage.getItem(draftName(form)) ?? "null");
  if (kept?.comment && form.elements.comment.value === "") {
    form.elements.comment.value = kept.comment;
    form.elements.said.value = kept.said;
    isTouched = true;
    say(form.dataset.restored);
  }
}
let typedAt = 0;
main?.addEventListener("input", (event) => {
  const form = event.target.form;
  if (!form || form !== drafted()) return;
  isTouched = true;
  const { comment, said, csrf } = form.elements;
  if (comment.value === "") localStorage.removeItem(draftName(form));
  else localStorage.setItem(draftName(form), JSON.stringify({ comment: comment.value, said: said.value }));
  if (Date.now() - typedAt > 3000) {
    typedAt = Date.now();
    const body = new URLSearchParams({ ticket: form.dataset.draft, csrf: csrf.value });
    fetch("/agent/live/typing", { method: "POST", body }).catch(() => {});
  }
});

/** Tells something about this page, also to those who do not see it. */
function say(text) {
  const place = document.getElementById("live");
  if (!place) return;
  place.hidden = false;
  place.textContent = text;
}

/** Reads this page again and shows these parts of it anew; the form only as long as nobody has touched it. */
async function refresh(...parts) {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const [now, then] = [document.querySelector(part), page.querySelector(part)];
    const isKept = now?.contains(document.activeElement) || (isTouched && now?.matches("form"));
    if (now && then && !isKept) now.replaceWith(document.adoptNode(then));
  }
}

// A view is read again now and then, however much happens in it, and only while somebody can see it.
const VIEW_EVERY = 15_000;
let viewedAt = 0;
let isDue = false;
function refreshView() {
  if (isDue) return;
  isDue = true;
  setTimeout(readView, Math.max(0, viewedAt + VIEW_EVERY - Date.now()));
}
function readView() {
  if (!isDue || document.hidden) return;
  isDue = false;
  viewedAt = Date.now();
  refresh(".columns").catch(() => {});
}

// What moves is heard of, and then read. Nobody hears anything while the page is hidden; what moved then is told first thing after.
const ticket = document.querySelector("[data-ticket]");
const isListed = document.querySelector("[data-live=views]") !== null;
if (main && (ticket || isListed)) {
  let known = ticket ? Number(ticket.dataset.version) : null;
  let events = null;
  const moved = (event) => {
    const is = Number(event.data);
    const isNew = known !== null && is > known;
    known = Math.max(known ?? 0, is);
    if (!isNew) return;
    if (ticket) refresh(".thread", "form[data-draft]").then(() => say(ticket.dataset.moved)).catch(() => {});
    else refreshView();
  };
  const listen = () => {
    events?.close();
    events = new EventSource(ticket ? `/agent/live?ticket=${ticket.dataset.ticket}` : "/agent/live");
    events.addEventListener("moved", moved);
    events.addEventListener("present", (event) => {
      const place = document.getElementById("present");
      if (place) place.textContent = JSON.parse(event.data);
    });
  };
  const look = () => {
    if (document.hidden) {
      events?.close();
      return;
    }
    listen();
    // Not sooner than a view may be read again: then its timer is still running.
    if (Date.now() - viewedAt >= VIEW_EVERY) readView();
  };
  look();
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", () => events?.close());
}
