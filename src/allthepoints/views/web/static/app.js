"use strict";
// What the server cannot do: narrow and sort the table that is here, put what is pushed in its place, open the dialog.
(() => {
  const by = (id) => document.getElementById(id);
  const base = document.body.dataset.base || "";
  const dialog = by("dialog");

  // -- the table of channels: narrowed, sorted, searched --------------------------------------------------------
  const table = by("channels");
  const rows = () => Array.from(by("rows").rows);
  const ASCENDING = ["state", "name", "verdict"];

  function narrow() {
    const form = document.querySelector("form[data-table]");
    const show = form.querySelector("[name=show]:checked").value;
    const words = by("q").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const counts = {};
    let shown = 0, all = 0;
    for (const row of rows()) {
      const tags = row.dataset.tags.split(" ");
      all += 1;
      for (const tag of tags) counts[tag] = (counts[tag] || 0) + 1;
      const fits = (show === "all" || tags.includes(show)) && words.every((word) => row.dataset.find.includes(word));
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    counts.all = all;
    for (const mark of document.querySelectorAll("[data-count]")) mark.textContent = counts[mark.dataset.count] || 0;
    for (const group of form.querySelectorAll(".group")) {
      const choice = group.querySelector("input");
      group.hidden = !counts[choice.value] && !choice.checked;
    }
    by("no-rows").hidden = all > 0;
    by("no-match").hidden = all === 0 || shown > 0;
    by("quiet").hidden = words.length > 0;
    table.tHead.hidden = shown === 0;
  }

  function sort(by_) {
    table.dataset.sort = by_;
    const key = "sort" + by_[0].toUpperCase() + by_.slice(1);
    const up = ASCENDING.includes(by_) ? 1 : -1;
    const body = by("rows");
    const found = rows();
    const order = found.slice().sort((a, b) => {
      const [x, y] = [a.dataset[key], b.dataset[key]];
      const first = by_ === "name" ? x.localeCompare(y) : up * (Number(x) - Number(y));
      return first || Number(a.dataset.sortState) - Number(b.dataset.sortState) || a.dataset.sortName.localeCompare(b.dataset.sortName);
    });
    if (order.some((row, at) => row !== found[at])) {
      const held = document.activeElement;
      body.append(...order);
      if (held && held !== document.activeElement) held.focus({ preventScroll: true });
    }
    for (const button of table.querySelectorAll("[data-sort-by]")) {
      const head = button.parentElement;
      if (button.dataset.sortBy === by_) head.setAttribute("aria-sort", up === 1 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
    document.querySelector("[data-sorter]").value = by_;
  }

  function keep() { // so that a reload, and a link that is passed on, show the same
    const form = document.querySelector("form[data-table]");
    form.elements.sort.value = table.dataset.sort;
    const said = new URLSearchParams(new FormData(form));
    history.replaceState(history.state, "", `?${said}`);
  }

  function place(html, whole) {
    const held = document.activeElement && document.activeElement.id;
    const box = document.createElement("template");
    box.innerHTML = html;
    const came = new Set();
    for (const row of Array.from(box.content.querySelectorAll("tr"))) {
      came.add(row.id);
      const before = by(row.id);
      if ("gone" in row.dataset) { if (before) before.remove(); continue; }
      if (before) {
        tint(before, row);
        before.replaceWith(row);
      } else by("rows").append(row);
    }
    if (whole) for (const row of rows()) if (!came.has(row.id)) row.remove();
    sort(table.dataset.sort);
    narrow();
    if (held && by(held) && document.activeElement !== by(held)) by(held).focus({ preventScroll: true });
  }

  if (table) {
    const form = document.querySelector("form[data-table]");
    form.addEventListener("input", (event) => { if (event.target.matches("[name]")) { narrow(); keep(); } });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-sorter]").addEventListener("change", (event) => { sort(event.target.value); keep(); });
    table.tHead.addEventListener("click", (event) => {
      const button = event.target.closest("[data-sort-by]");
      if (button) { sort(button.dataset.sortBy); keep(); }
    });
    by("no-match").querySelector("[data-show-all]").addEventListener("click", () => {
      form.querySelector("[name=show][value=all]").checked = true;
      by("q").value = "";
      narrow();
      keep();
    });
    narrow();
  }

  // -- what is pushed -------------------------------------------------------------------------------------------
  const busy = (part) => part.matches(".htmx-request") || part.querySelector(".htmx-request") !== null;
  const FIELDS = "input, textarea";
  const typedIn = (part) => part.contains(document.activeElement) && document.activeElement.matches(`${FIELDS}, select`);
  const edited = (part) => Array.from(part.querySelectorAll(FIELDS)).some(
    (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked);
  let pressed = null; // what is replaced under the finger gets no click
  const inUse = (part) => typedIn(part) || edited(part) || part.contains(pressed);
  const later = new Map(); // parts that are in use: they wait

  function tint(before, after) {
    Array.from(after.cells || []).forEach((cell, at) => {
      if (before.cells[at] && cell.textContent.trim() !== before.cells[at].textContent.trim()) cell.classList.add("changed");
    });
  }

  // What somebody was told about what they did outlives what is pushed, for a while; it is said aloud only once.
  const TOLD_FOR = 60_000;
  const toldIn = (part) => part.querySelector(":scope > .done");
  function keepTold(told, part) {
    if (!told || toldIn(part)) return;
    told.dataset.until = told.dataset.until || String(Date.now() + TOLD_FOR);
    if (Date.now() > Number(told.dataset.until)) return;
    told.removeAttribute("role");
    part.prepend(told);
  }

  // Put `part` in the place of `before`: what is open stays open, what is held is held.
  function exchange(before, part) {
    later.delete(part.id);
    const held = before.contains(document.activeElement) ? document.activeElement.id : "";
    for (const open of before.querySelectorAll("details[id][open]")) {
      const again = part.querySelector(`#${CSS.escape(open.id)}`);
      if (again) again.open = true;
    }
    tint(before, part);
    keepTold(toldIn(before), part);
    before.replaceWith(part);
    window.htmx.process(part);
    window.htmx.trigger(part, "htmx:load");
    if (held && by(held)) by(held).focus({ preventScroll: true });
  }

  function replace(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    for (const part of Array.from(box.content.children)) {
      const before = by(part.id);
      if (!before) continue;
      if (busy(before) || inUse(before)) { later.set(part.id, html); continue; }
      for (const list of renewing.keys()) if (by(list) && by(list).contains(before)) overtake(list);
      exchange(before, part);
    }
  }
  const catchUp = () => setTimeout(() => {
    for (const html of Array.from(later.values())) replace(html);
  }, 0);
  document.addEventListener("focusout", catchUp);
  document.addEventListener("pointerdown", (event) => { pressed = event.target; });
  for (const end of ["pointerup", "pointercancel"]) {
    document.addEventListener(end, () => setTimeout(() => { pressed = null; catchUp(); }, 0));
  }
  document.body.addEventListener("htmx:afterRequest", catchUp);
  document.body.addEventListener("htmx:beforeSwap", (event) => { // what is answered is newer than what waits
    if (event.detail.xhr.status >= 400) return;
    later.delete(event.detail.target.id);
    overtake(event.detail.target.id);
  });
  document.body.addEventListener("htmx:oobBeforeSwap", (event) => overtake(event.detail.target.id));

  // A list of which other entries are there now, or others of them are meant, is got anew as it is shown here. What is
  // done or pushed while its answer is on the way is newer than the answer.
  const SOON = 400, RETRY = 5_000;
  const stale = new Map(), renewing = new Map();
  const overtake = (list) => { if (renewing.has(list)) renewing.get(list).old = true; };
  function anew(list, wait = SOON) {
    clearTimeout(stale.get(list));
    stale.set(list, setTimeout(() => renew(list), wait));
  }
  const waits = (list) => (dialog && dialog.open) || busy(by(list)) || inUse(by(list));

  async function renew(list) {
    if (!by(list)) return;
    if (renewing.has(list)) { renewing.get(list).again = true; return; }
    if (waits(list)) { anew(list); return; }
    const one = {};
    renewing.set(list, one);
    const page = await got(location.href);
    renewing.delete(list);
    if (!by(list)) return;
    if (page === null) { anew(list, RETRY); return; }
    const fresh = page.querySelector(`#${CSS.escape(list)}`);
    if (!fresh) return; // signed out, or another page
    if (one.old || waits(list)) { anew(list); return; }
    exchange(by(list), fresh);
    if (one.again) anew(list);
  }

  // The content of a page; null where nobody answers now.
  async function got(address) {
    try {
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (answer.status >= 500) return null;
      const box = document.createElement("template");
      box.innerHTML = await answer.text();
      return box.content;
    } catch {
      return null;
    }
  }

  async function chart() {
    const place = by("chart");
    if (!place) { anew("over-time"); return; }
    try {
      const answer = await fetch(`${base}/api/chart/${encodeURIComponent(place.dataset.of)}?range=${encodeURIComponent(place.dataset.range)}`);
      if (answer.ok) place.dispatchEvent(new CustomEvent("chart", { detail: await answer.json() }));
    } catch { /* the next one will do */ }
  }

  function pushed(name, data) {
    if (name === "part") replace(data);
    else if (name === "stale") anew(data.trim());
    else chart();
  }

  document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
    const target = event.target, message = event.detail;
    if (target.id === "pushed") {
      event.preventDefault();
      pushed(message.type, message.data);
    } else if (target.id === "rows") {
      event.preventDefault();
      place(message.data, message.type === "rows");
    } else if ("follows" in target.dataset) {
      const box = document.querySelector("[data-follow]");
      if (box && !box.checked) event.preventDefault();
    }
  });
  document.body.addEventListener("htmx:sseMessage", (event) => {
    if ("follows" in event.target.dataset && event.target.firstElementChild) {
      event.target.firstElementChild.classList.add("new");
      while (event.target.children.length > 1000) event.target.lastElementChild.remove();
    }
  });

  // Where nothing can be pushed (a proxy that holds it back, too many pages), it is asked for from time to time.
  const POLL = 10_000, PATIENCE = 4_000;
  const connect = document.body.getAttribute("sse-connect");
  const asked = new URLSearchParams(connect ? connect.split("?")[1] : "");
  let open = false, version = asked.get("since") || "";
  document.body.addEventListener("htmx:sseOpen", (event) => {
    open = true;
    found();
    event.detail.source.addEventListener("version", (told) => { version = told.data; });
  });
  document.body.addEventListener("htmx:sseError", () => { open = false; setTimeout(ask, 1_000); });

  // A page that hears nothing claims nothing: its dot says so, and what it shows is dimmed and dated.
  let running = null;
  function lost(text) {
    if (running === null) {
      running = by("dot").innerHTML;
      const at = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
      by("link").dataset.since = at;
      by("dot").innerHTML = '<i class="sign refused" aria-hidden="true">✕</i> <span>no answer</span>';
    }
    document.body.classList.add("lost");
    by("link").textContent = text.replace("{at}", by("link").dataset.since);
    by("link").hidden = false;
  }
  function found() {
    document.body.classList.remove("lost");
    by("link").hidden = true;
    if (running !== null) by("dot").innerHTML = running;
    running = null;
  }

  function put(name, html) {
    if (["part", "stale", "chart"].includes(name)) { pushed(name, html); return; }
    if (name === "row" || name === "rows") { if (table) place(html, name === "rows"); return; }
    for (const target of document.querySelectorAll(`[sse-swap="${CSS.escape(name)}"]`)) {
      if ("follows" in target.dataset) {
        const box = document.querySelector("[data-follow]");
        if (!box || box.checked) target.insertAdjacentHTML("afterbegin", html);
      } else target.innerHTML = html;
      window.htmx.process(target);
    }
  }

  async function ask() {
    if (open || document.hidden) return;
    try {
      const answer = await fetch(`${base}/poll?of=${encodeURIComponent(asked.get("of") || "")}&since=${encodeURIComponent(version)}`, { headers: { "HX-Request": "true" } });
      if (answer.status === 200) {
        const told = await answer.json();
        for (const [name, html] of told.fragments) put(name, html);
        version = told.version;
      }
      if (answer.ok || answer.status === 503) found(); // 503: others ask too; it is asked again
      else lost("This page is as of {at}: the service refuses to tell it more. Load it again.");
    } catch {
      lost("The service has not answered since {at}, so nobody knows whether you are in. Below is what was known before.");
    }
  }
  if (connect) {
    setTimeout(ask, PATIENCE);
    setInterval(ask, POLL);
  }

  // -- the dialog -----------------------------------------------------------------------------------------------
  let changed = false;
  if (dialog) {
    document.body.addEventListener("htmx:afterSwap", (event) => {
      if (!dialog.contains(event.target)) return;
      dialog.querySelector(":scope > .said").textContent = "";
      if (!dialog.open) {
        dialog.showModal();
        const first = dialog.querySelector("input:not([type=hidden]), [data-close]");
        if (first) first.focus();
      }
      if (dialog.querySelector(".outcome")) {
        changed = true;
        const button = dialog.querySelector("[data-close]");
        if (button && !dialog.contains(document.activeElement)) button.focus();
      }
    });
    dialog.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) dialog.close(); });
    dialog.addEventListener("close", () => {
      by("dialog-body").replaceChildren();
      if (changed) renew("items");
      changed = false;
    });
  }

  // -- waiting ----------------------------------------------------------------------------------------------------
  const waiting = new Set();
  let patience = null;
  const wait = () => {
    clearTimeout(patience);
    if (!waiting.size) by("loading").textContent = "";
    else patience = setTimeout(() => { by("loading").textContent = "Reading…"; }, 300);
  };
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    const by_ = event.detail.elt;
    if ((by_.getAttribute("hx-trigger") || "").startsWith("load")) return; // what asks again by itself
    waiting.add(event.detail.xhr);
    if (event.detail.target) event.detail.target.setAttribute("aria-busy", "true");
    wait();
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    waiting.delete(event.detail.xhr);
    if (event.detail.target) event.detail.target.removeAttribute("aria-busy");
    wait();
    const then = event.detail.elt.dataset && event.detail.elt.dataset.then;
    if (then) setTimeout(() => { if (by(then) && document.activeElement === document.body) by(then).focus({ preventScroll: true }); }, 50);
  });
  // What is open stays open when it is got anew.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const target = event.detail.target;
    const open_ = Array.from(target.querySelectorAll("details[id][open]"), (one) => one.id);
    if (open_.length) setTimeout(() => open_.forEach((id) => { if (by(id)) by(id).open = true; }), 0);
  });

  // -- what went wrong, and small things ------------------------------------------------------------------------
  const say = (text) => {
    const where = dialog && dialog.open ? dialog.querySelector(":scope > .said") : by("said");
    where.textContent = text;
    if (where === by("said")) setTimeout(() => { if (where.textContent === text) where.textContent = ""; }, 12_000);
  };
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400) event.detail.shouldSwap = false;
  });
  document.body.addEventListener("htmx:responseError", (event) => {
    const told = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").body.textContent.trim();
    say(told.slice(0, 600) || "That did not work.");
  });
  document.body.addEventListener("htmx:sendError", () => say("The service does not answer. Nothing was changed."));
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.target.matches("[data-clears]")) event.target.reset();
  });
  document.addEventListener("keydown", (event) => {
    const entry = event.target.closest && event.target.closest(".order li");
    if (!entry || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const button = entry.querySelector(`[data-key="${event.key}"]`);
    event.preventDefault();
    if (button && !button.disabled) { button.focus(); button.click(); }
  });
})();
